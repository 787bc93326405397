"""How infoRouter writes values in its answers: attributes under several names, whole numbers, moments."""

from datetime import datetime

from aiorescue.inforouter.answers.element import Element


def first(element: Element, *names: str) -> str:
    """The first of these attributes that the element has, or an empty text: server versions name them differently."""
    return next((element.get(name) for name in names if name in element), "")


def number(text: str) -> int | None:
    """A whole number, or None for a text that holds none."""
    try:
        return int(text)
    except ValueError:
        return None


def moment(text: str) -> datetime | None:
    """A moment: aware where the service writes UTC, else naive, as its zone is unknown.

    None for an empty text, for the service's year 1, which means "never", and for forms that no server version is
    known to write; the element still has the text.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return None if found.year == 1 else found
