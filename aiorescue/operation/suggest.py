"""`did_you_mean`: the suggestion in messages about a misspelt name."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The end of an error message that names the nearest known name; empty if none is near.

    Only letters and digits count, in either case, so that the name of a method or of a class leads to the operation.
    """
    by_plain = {_plain(each): each for each in known}
    near = get_close_matches(_plain(str(name)[:100]), by_plain, n=1)
    return f"; did you mean {by_plain[near[0]]}?" if near else ""


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
