"""`PinSet`: the PINs of a job, of which there are a million: one bit for each."""

from typing import Final

_PINS: Final = 1_000_000


class PinSet:
    """A set of PINs of six digits, in 125 KB however many they are."""

    def __init__(self) -> None:
        self._bits = bytearray(_PINS // 8)

    def add(self, pin: str) -> bool:
        """Add a PIN; returns whether it is new. Raises ValueError if it is not six digits."""
        if len(pin) != 6 or not (pin.isascii() and pin.isdigit()):  # noqa: PLR2004 - six digits, as everywhere
            raise ValueError("a PIN is not six digits")
        place, bit = divmod(int(pin), 8)
        if self._bits[place] & (1 << bit):
            return False
        self._bits[place] |= 1 << bit
        return True
