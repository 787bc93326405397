"""`ByColumn`: a sequence of values whose parts are kept by column; a value is made when it is read.

A report of sixteen megabytes may have millions of rows. As many dicts would take several times the memory of what
stands in them, and Python's garbage collector would stop all threads for a tenth of a second when it looks at them.
It does not look into tuples of texts, numbers and times, so the parts are kept in tuples.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final, Self, TypeVar, overload

from aiorescue.operation import frozen

T = TypeVar("T")

#: Values whose parts are kept together, in one tuple for each column; and parts of as many as may wait to be so.
_BLOCK: Final = 4_096
_WAITING: Final = 2**18


class ByColumn(Sequence[T]):
    """A sequence that makes its values anew each time that they are read; equal to a tuple of equal values.

    Args:
        make: makes a value of its parts; it must be of a kind that pickle can take.
        width: number of parts that a value has.
    """

    def __init__(self, make: Callable[..., T], width: int) -> None:
        self._make = make
        self._width = width
        self._block = max(1, min(_BLOCK, _WAITING // max(1, width)))
        self._count = 0
        self._blocks: list[tuple[tuple[Any, ...], ...]] = []
        self._waiting: list[tuple[Any, ...]] = []  # the last values, which are less than a block

    def extend(self, values: Iterable[tuple[Any, ...]]) -> Self:
        """Add values, each as the tuple of its parts; returns the sequence."""
        for value in values:
            self._waiting.append(value)
            if len(self._waiting) == self._block:
                # Not by zip: it makes as many iterators, which the garbage collector takes for values that stay.
                self._blocks.append(
                    tuple([tuple(map(itemgetter(index), self._waiting)) for index in range(self._width)])
                )
                self._count += self._block
                self._waiting.clear()
        return self

    def column(self, index: int) -> list[Any]:
        """One part of all values."""
        return [*chain.from_iterable(block[index] for block in self._blocks), *(one[index] for one in self._waiting)]

    def read(self, index: int, read: Callable[[Any], Any]) -> None:
        """Replace one part of all values by what a function reads of it. Raises what the function raises, at once."""
        found = [tuple(map(read, block[index])) for block in self._blocks]
        last = [read(one[index]) for one in self._waiting]
        # Block by block: to free all the texts at once would hold up all threads.
        for number, block in enumerate(self._blocks):
            self._blocks[number] = (*block[:index], found[number], *block[index + 1 :])
        for number, (value, one) in enumerate(zip(last, self._waiting, strict=True)):
            self._waiting[number] = (*one[:index], value, *one[index + 1 :])

    def __len__(self) -> int:
        return self._count + len(self._waiting)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        """The value in one place, or a tuple of those in several."""
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        place = range(len(self))[index]
        if place >= self._count:
            return self._make(*self._waiting[place - self._count])
        number, within = divmod(place, self._block)
        return self._make(*[column[within] for column in self._blocks[number]])

    def __iter__(self) -> Iterator[T]:
        for block in self._blocks:
            for parts in zip(*block, strict=True) if self._width else [()] * self._block:
                yield self._make(*parts)
        for parts in self._waiting:
            yield self._make(*parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | ByColumn):
            return NotImplemented
        return len(self) == len(other) and all(one == another for one, another in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


@frozen
class Titled:
    """Makes a mapping of cells.

    Attributes:
        titles: keys of the mapping, in the order of the cells.
    """

    titles: tuple[str, ...]

    def __call__(self, *cells: Any) -> dict[str, Any]:
        """The mapping of a row."""
        return dict(zip(self.titles, cells, strict=True))
