"""`ByColumn`: a sequence of values whose parts are kept by column; a value is made when it is read.

A report of sixteen megabytes may have millions of rows. As many dicts would take several times the memory of what
stands in them, and Python's garbage collector would stop all threads for a tenth of a second when it looks at them.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any, TypeVar, overload

import attrs

T = TypeVar("T")


class ByColumn(Sequence[T]):
    """A sequence that makes its values anew each time that they are read; equal to a tuple of equal values.

    Args:
        make: makes a value of its parts; it must be of a kind that pickle can take.
        columns: for each part, those of all values.
        count: the number of values.
    """

    def __init__(self, make: Callable[..., T], columns: Sequence[list[Any]], count: int) -> None:
        self._make = make
        self._columns = columns
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        """The value in one place, or a tuple of those in several."""
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(self._count)))
        place = range(self._count)[index]
        return self._make(*[column[place] for column in self._columns])

    def __iter__(self) -> Iterator[T]:
        if not self._columns:
            return (self._make() for _ in repeat(None, self._count))
        return map(self._make, *self._columns)

    def column(self, index: int) -> list[Any]:
        """One part of all values."""
        return self._columns[index].copy()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | ByColumn):
            return NotImplemented
        return len(self) == len(other) and all(one == another for one, another in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


@attrs.frozen
class Titled:
    """Makes a mapping of cells.

    Attributes:
        titles: keys of the mapping, in the order of the cells.
    """

    titles: tuple[str, ...]

    def __call__(self, *cells: Any) -> dict[str, Any]:
        """The mapping of a row."""
        return dict(zip(self.titles, cells, strict=True))
