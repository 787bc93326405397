"""Feeds of a bulk job: where its requests come from. They enter the store on their way, or lie in it already."""

from collections.abc import Sequence
from typing import Generic, Protocol

from aiorescue import errors
from aiorescue.bulk.issued import Issued, Item
from aiorescue.bulk.source import Requests, RequestSource, RequestT
from aiorescue.bulk.store import Entry, State, Store
from aiorescue.rescue import PinCode, PinRequest


class Feed(Protocol[RequestT]):
    """Gives the requests of a job, a few at a time."""

    async def some(self, most: int) -> Sequence[Item[RequestT] | Issued[RequestT]]:
        """The next requests to be sent, and results of those that need not be sent; empty at the end."""

    async def aclose(self) -> None:
        """End the feed: no more requests are taken from where they come from."""


class SourceFeed(Generic[RequestT]):
    """Requests of the program, which are admitted to the store.

    Args:
        requests: an iterable or async iterable.
        store: the store of the job.
    """

    def __init__(self, requests: Requests[RequestT], store: Store) -> None:
        self._source = RequestSource(requests)
        self._store = store

    async def some(self, most: int) -> Sequence[Item[RequestT] | Issued[RequestT]]:
        """The next requests; a duplicate, and one whose PIN is in the store, is a result at once."""
        items = [Item(request, position) for position, request in await self._source.some(most)]
        if not items:
            return ()
        entries = await self._store.admit([item.request for item in items])
        return [_known_result(item, entry) or item for item, entry in zip(items, entries, strict=True)]

    async def aclose(self) -> None:
        """Stop reading the program's requests, and close its generator."""
        await self._source.aclose()


class StagedFeed:
    """Rows that were staged in the store.

    Args:
        store: the job's.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def some(self, most: int) -> Sequence[Item[PinRequest] | Issued[PinRequest]]:
        """The next rows that are left, in the order of the input."""
        claimed = await self._store.claim(most)
        return [Item(row.request, row.position, key=row.key, orphans=row.orphans) for row in claimed]

    async def aclose(self) -> None:
        """Do nothing: the store belongs to the program."""


def _known_result(item: Item[RequestT], entry: Entry) -> Issued[RequestT] | None:
    """The result of a request that need not be sent: it is a duplicate, or its PIN is in the store."""
    item.key, item.orphans = entry.key, entry.orphans
    if entry.duplicate:
        return item.failed(
            errors.DuplicateTracking(
                f"request {item.position}: tracking {item.name!r} occurs twice in this job; each request needs its own",
                operation=item.request.spec.name,
                tracking=item.name,
            )
        )
    if entry.state is State.ISSUED and entry.pin is not None:
        return item.issued(PinCode(entry.pin, entry.orphans))
    return None
