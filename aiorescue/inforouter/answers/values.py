"""infoRouter's way to write values, both ways: moments, numbers, and several names for one thing."""

from datetime import UTC, date, datetime

from aiorescue.inforouter.answers.element import Element


def first(element: Element, *names: str) -> str:
    """The first of these attributes that the server wrote: versions name them differently."""
    return next((element.get(name) for name in names if name in element), "")


def number(text: str) -> int | None:
    """A whole number; None where there is none."""
    try:
        return int(text)
    except ValueError:
        return None


def moment(text: str) -> datetime | None:
    """A moment: aware where the service says UTC, else naive, as its zone is unknown.

    None where there is none: its year 1, and forms that no version is known to write (the element has the text).
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return None if found.year == 1 else found


def written(value: date) -> str:
    """A date or a moment as a request carries it. The server takes UTC, and else its own zone."""
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.tzinfo is None:
        return value.isoformat(timespec="seconds")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
