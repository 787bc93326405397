"""`Newest`: a table of bounded size, for what clients leave behind in an emulator that runs for long."""

from typing import TypeVar

V = TypeVar("V")


class Newest(dict[str, V]):
    """Values by key; when there are too many to keep, the oldest is dropped.

    Args:
        most: number of values that are kept.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def begin(self, key: str, value: V) -> None:
        """Add a value; one under a key that is there takes the place of the old value, and its age."""
        self[key] = value
        if len(self) > self._most:
            del self[next(iter(self))]
