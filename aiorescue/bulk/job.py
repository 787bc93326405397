"""The face of a bulk job: `issue` begins one, `Job` iterates over its results. `dispatch.py` does the work."""

import os
from collections.abc import AsyncIterator
from typing import Self

from aiorescue import errors
from aiorescue.bulk.dispatch import Dispatcher
from aiorescue.bulk.issued import Issued
from aiorescue.bulk.journal import Journal
from aiorescue.bulk.source import Requests, RequestT
from aiorescue.operation import Binding
from aiorescue.rescue import RescueClient

#: Requests under way for each identity. Those that wait for their slot cost nothing.
IN_FLIGHT = 64


def issue(
    client: RescueClient,
    requests: Requests[RequestT],
    *,
    journal: str | os.PathLike[str] | None = None,
    job: str | None = None,
    binding: Binding | None = None,
    in_flight: int = IN_FLIGHT,
) -> "Job[RequestT]":
    """Ask for a PIN code for each request, as fast as the service allows, over all identities of the client.

    Args:
        client: makes the calls.
        requests: PIN operations (``RequestPinCode(…)``, ``RequestLensPinCodeV2(…)``, …), any number of them, from
            an iterable or an async iterable. They are taken as they are needed.
        journal: path of a file in which each request is entered before it leaves, and each PIN before it is yielded.
            Run the same job with it again, and it goes on where it stopped. None, the default, keeps no record.
        job: a name for the job; a journal with another name is refused. Default: the client's base URL.
        binding: the only binding to use. Default: the best that each operation has.
        in_flight: the most requests under way for each identity.

    Returns:
        An async iterator of `Issued`, in the order in which results come.

    Raises (from the iteration):
        errors.AuthenticationError, errors.OutOfPinCodes: the service refused the last identity that was left.
        errors.JournalError: the journal cannot be used.
    """
    if in_flight < 1:
        raise errors.InvalidRequest("in_flight must be at least 1")
    return Job(Dispatcher(client, requests, Journal(journal, job or client.base_url), binding, in_flight))


class Job(AsyncIterator[Issued[RequestT]]):
    """A bulk job under way; see `issue`. Leave a loop over it early only within ``async with``."""

    def __init__(self, dispatcher: Dispatcher[RequestT]) -> None:
        self._dispatcher = dispatcher
        self._results = dispatcher.results()
        self._closed = False

    def stop(self) -> None:
        """Take no more requests and send none that waits; the iteration ends with those already sent."""
        self._dispatcher.stop()

    async def aclose(self) -> None:
        """End the job at once. Requests that were sent stay in the journal as sent."""
        self._closed = True
        try:
            await self._results.aclose()
        except RuntimeError:  # another task is waiting for a result: its iteration just ends
            self._dispatcher.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Issued[RequestT]:
        if self._closed:
            raise StopAsyncIteration
        return await anext(self._results)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
