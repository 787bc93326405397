"""`PinSet`: the PINs of a job, of which there are a million: one bit for each."""

from typing import Final

_PINS: Final = 1_000_000


def is_pin(text: str) -> bool:
    """Whether a text is six digits, as every PIN is."""
    return len(text) == 6 and text.isascii() and text.isdigit()  # noqa: PLR2004 - six digits, as everywhere


class PinSet:
    """A set of PINs of six digits, in 125 KB however many they are."""

    def __init__(self) -> None:
        self._bits = bytearray(_PINS // 8)

    def __contains__(self, pin: str) -> bool:
        return is_pin(pin) and bool(self._bits[int(pin) // 8] >> int(pin) % 8 & 1)

    def add(self, pin: str) -> bool:
        """Add a PIN; returns whether it is new. Raises ValueError if it is not six digits."""
        if not is_pin(pin):
            raise ValueError("a PIN is not six digits")
        place, bit = divmod(int(pin), 8)
        if self._bits[place] & (1 << bit):
            return False
        self._bits[place] |= 1 << bit
        return True
