"""The source of a bulk job: requests from an iterable or an async iterable of the program."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Generic, TypeVar

from aiorescue import errors
from aiorescue.rescue import PinRequest

RequestT = TypeVar("RequestT", bound=PinRequest)
Requests = Iterable[RequestT] | AsyncIterable[RequestT]


class RequestSource(Generic[RequestT]):
    """Takes requests from an iterable or an async iterable, checks and numbers them.

    An async iterable is read ahead by a task of its own, so that requests that come quickly are taken many at a time.

    Args:
        requests: PIN operations.
    """

    def __init__(self, requests: Requests[RequestT]) -> None:
        self._sync: Iterator[RequestT] | None = None
        self._async: AsyncIterator[RequestT] | None = None
        if isinstance(requests, AsyncIterable):
            self._async = aiter(requests)
        else:
            try:
                self._sync = iter(requests)
            except TypeError as problem:
                found = type(requests).__name__
                raise errors.InvalidRequest(
                    f"requests must be an iterable or an async iterable of PIN operations, not {found}"
                ) from problem
        self._position = 0
        self._problem: BaseException | None = None
        self._ahead: deque[RequestT] = deque()
        self._most = 1
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()  # a request came, the end, or one was taken
        self._exhausted = False

    async def some(self, most: int) -> Sequence[tuple[int, RequestT]]:
        """The next requests with their positions, without waiting for more than one; empty at the end.

        Whatever the source raises, be it a cancellation of its own, is raised once the requests that came before it
        have been returned.

        Args:
            most: the most requests to take.
        """
        if self._sync is not None:
            found = self._take(self._sync, most)
        else:
            found = await self._take_ahead(most)
        if not found and self._problem is not None:
            raise self._problem
        first = self._position
        self._position += len(found)
        return list(enumerate(found, first))

    def _take(self, requests: Iterator[RequestT], most: int) -> list[RequestT]:
        found: list[RequestT] = []
        if self._problem is not None:
            return found
        try:
            for request in islice(requests, most):
                found.append(checked(request))  # noqa: PERF401 - what came before an error is kept
        except BaseException as problem:  # noqa: BLE001 - raised by `some`, in its turn
            self._problem = _error_of_source(problem)
        return found

    async def _take_ahead(self, most: int) -> list[RequestT]:
        self._most = most
        if self._reader is None and self._async is not None:
            # A task of its own: a wait that is called off must not take along a request that is on its way in.
            self._reader = asyncio.create_task(self._read(self._async))
        while not self._ahead and not self._exhausted:
            self._changed.clear()
            await self._changed.wait()
        found = [self._ahead.popleft() for _ in range(min(most, len(self._ahead)))]
        self._changed.set()
        return found

    async def _read(self, requests: AsyncIterator[RequestT]) -> None:
        """Read ahead, up to the number of requests that are taken at a time."""
        reader = asyncio.current_task()
        try:
            async for request in requests:
                self._ahead.append(checked(request))
                self._changed.set()
                while len(self._ahead) >= self._most:
                    self._changed.clear()
                    await self._changed.wait()
        except BaseException as problem:
            if reader is not None and reader.cancelling():
                raise  # `aclose`
            self._problem = _error_of_source(problem)
        finally:
            self._exhausted = True
            self._changed.set()

    async def aclose(self) -> None:
        """Stop reading ahead, and close a source that is an async generator."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
            if not self._reader.cancelled():
                self._reader.exception()  # of the program's own generator, closed early
        closing: Any = getattr(self._async, "aclose", None)
        if closing is not None:
            with suppress(RuntimeError):  # it is being closed already
                await closing()


def checked(request: RequestT) -> RequestT:
    """The request, if a bulk job can take it. Raises `errors.InvalidRequest` for a value that is no PIN operation."""
    if not isinstance(request, PinRequest):
        raise errors.InvalidRequest(
            f"a bulk job takes PIN requests such as RequestPinCode(…), not {type(request).__name__}"
        )
    return request


def _error_of_source(problem: BaseException) -> BaseException:
    """What a job raises for an error of its source: an iteration must not look complete because of it."""
    if isinstance(problem, StopIteration | StopAsyncIteration):
        error = RuntimeError(f"the source of the requests raised {type(problem).__name__}")
        error.__cause__ = problem
        return error
    return problem
