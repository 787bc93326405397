"""`PinSet`: the PINs of a job, of which there are a million: one bit for each."""

from typing import Final

from aiorescue.rescue.pins import is_pin

_PINS: Final = 1_000_000


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
