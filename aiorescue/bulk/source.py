"""The source of a bulk job: requests from an iterable or an async iterable of the program."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Generic, TypeVar

from aiorescue import errors
from aiorescue.rescue import PinRequest

RequestT = TypeVar("RequestT", bound=PinRequest)
Requests = Iterable[RequestT] | AsyncIterable[RequestT]


class Source(Generic[RequestT]):
    """Takes requests from an iterable or an async iterable, checks and numbers them.

    Args:
        requests: PIN operations.
    """

    def __init__(self, requests: Requests[RequestT]) -> None:
        self._sync: Iterator[RequestT] | None = None
        self._async: AsyncIterator[RequestT] | None = None
        if isinstance(requests, AsyncIterable):
            self._async = aiter(requests)
        else:
            self._sync = iter(requests)
        self._position = 0
        self._problem: Exception | None = None

    async def some(self, most: int) -> Sequence[tuple[int, RequestT]]:
        """The next requests with their positions; empty at the end.

        An async source gives one request at a time, which is then sent without waiting for the one behind it. An
        error of the source is raised once the requests that came before it have been returned.

        Args:
            most: the most requests that an iterable is asked for.
        """
        if self._problem is not None:
            raise self._problem
        found: list[RequestT] = []
        try:
            if self._sync is not None:
                for request in islice(self._sync, most):
                    found.append(_checked(request))  # noqa: PERF401 - what came before an error is kept
            elif self._async is not None:
                with suppress(StopAsyncIteration):
                    found.append(_checked(await anext(self._async)))
        except Exception as problem:
            if not found:
                raise
            self._problem = problem
        first = self._position
        self._position += len(found)
        return list(enumerate(found, first))

    async def aclose(self) -> None:
        """Close a source that is an async generator; do nothing with others."""
        closing: Any = getattr(self._async, "aclose", None)
        if closing is not None:
            with suppress(RuntimeError):  # it is being closed already
                await closing()


def _checked(request: RequestT) -> RequestT:
    if not isinstance(request, PinRequest):
        raise errors.InvalidRequest(
            f"a bulk job takes PIN requests such as RequestPinCode(…), not {type(request).__name__}"
        )
    return request
