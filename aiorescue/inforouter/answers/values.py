"""How infoRouter writes values in its answers: attributes under several names, whole numbers, moments."""

import re
from collections.abc import Mapping
from datetime import datetime

from aiorescue.inforouter.answers.element import Element
from aiorescue.wire.numbers import LONGEST, whole_number


def lowered(element: Element) -> Mapping[str, str]:
    """The attributes of an element by their names in small letters; where several have one name, the first of them."""
    return {name.lower(): value for name, value in reversed([*element.attributes.items()])}


def first(attributes: Mapping[str, str], *names: str) -> str:
    """The first of these attributes that there is, or an empty text: server versions name them differently.

    Args:
        attributes: result of `lowered`.
        names: of the attributes, in small letters.
    """
    return next((attributes[name] for name in names if name in attributes), "")


def number(text: str) -> int | None:
    """A whole number, or None for a text that holds none."""
    try:
        return whole_number(text)
    except ValueError:
        return None


def hours_of(text: str) -> float:
    """A number of hours such as ``-3.5``. Raises ValueError for other forms that Python reads, such as ``1e1``."""
    if re.fullmatch(r"[+-]?[0-9]{1,2}(\.[0-9]{1,9})?", text) is None:
        raise ValueError("no number of hours")
    return float(text)


def moment(text: str) -> datetime | None:
    """A moment: aware where the service writes UTC, else naive, as its zone is unknown.

    None for an empty text, for the service's year 1, which means "never", and for forms that no server version is
    known to write; the element still has the text.
    """
    try:
        found = datetime.fromisoformat(text[: LONGEST + 1].strip())
    except ValueError:
        return None
    return None if found.year == 1 else found
