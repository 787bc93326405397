"""Numbers in answers. Python's own `int` and `float` take more for a number than a service writes as one."""

from typing import Final

#: Characters of the longest text that is looked at. Of any other, Python would put all into its error first, while no
#: other thread runs.
LONGEST: Final = 1_000


def whole_number(text: str) -> int:
    """Read a whole number in the digits 0 to 9, with a sign or without, and perhaps with blanks around it.

    Raises:
        ValueError: the text is anything else, such as ``1_000`` or a number in the digits of another script.
    """
    if len(text) > LONGEST or "_" in text or not text.isascii():
        raise ValueError("no whole number")
    return int(text)
