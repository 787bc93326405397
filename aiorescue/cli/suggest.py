"""`did_you_mean`: the suggestion in messages about a misspelt name."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of an error message that names the nearest known name; empty if none is near."""
    by_plain = {_plain(name): name for name in known}
    near = difflib.get_close_matches(_plain(word), by_plain, n=1)
    return f"; did you mean {by_plain[near[0]]}?" if near else ""


def _plain(word: str) -> str:
    return "".join(char for char in word.casefold() if char.isalnum())
