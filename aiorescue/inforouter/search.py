"""Searching. The server keeps one result for each ticket, and a client reads it page by page."""

from collections.abc import AsyncGenerator
from typing import Annotated

import attrs

from aiorescue import errors
from aiorescue.call.conversation import Conversation
from aiorescue.inforouter.answers.search import SearchPage, SearchResult
from aiorescue.inforouter.service import InfoRouterOperation, declare
from aiorescue.operation import Effect, Parameter, operation
from aiorescue.pace.loop_lock import LoopLock


@operation
class Search(InfoRouterOperation[SearchResult]):
    """Search; `GetNextSearchPage` reads the result, with the ticket that searched. Vendor: ``Search``."""

    criteria: Annotated[str, Parameter("xmlcriteria")]
    """Search criteria as XML."""
    sort_by: Annotated[str, Parameter("SortBy")] = ""
    """Name of the column to sort by; 9.x servers require one in forms and queries."""
    ascending: Annotated[bool, Parameter("AscendingOrder", holds=bool)] = attrs.field(default=True, kw_only=True)
    """True to sort in ascending order."""

    spec = declare("Search", effect=Effect.IDEMPOTENT)
    read = SearchResult.of


@operation(kw_only=True)
class SearchPageRequest(InfoRouterOperation[SearchPage]):
    """Base of the operations that read a page; the flags bring more into each result's `element`."""

    rules: Annotated[bool, Parameter("withrules", holds=bool)] = False
    """True to include the folders' rules."""
    property_sets: Annotated[bool, Parameter("withPropertySets", holds=bool)] = False
    """True to include property sets."""
    security: Annotated[bool, Parameter("withSecurity", holds=bool)] = False
    """True to include access lists."""
    owner: Annotated[bool, Parameter("withOwner", holds=bool)] = False
    """True to include owners."""
    versions: Annotated[bool, Parameter("withVersions", holds=bool)] = False
    """True to include the documents' versions."""

    read = SearchPage.of


@operation(kw_only=True)
class GetNextSearchPage(SearchPageRequest):
    """Read the next page of the result of this ticket's search. Vendor: ``GetNextSearchPage``.

    It moves the server's cursor, so a call whose outcome is unknown is not repeated: that would skip a page.
    """

    spec = declare("GetNextSearchPage", effect=Effect.CREATES)


@operation(kw_only=True)
class GetPreviousSearchPage(SearchPageRequest):
    """Read the previous page of the result of this ticket's search. Vendor: ``GetPreviousSearchPage``.

    It moves the server's cursor, so a call whose outcome is unknown is not repeated: that would skip a page.
    """

    spec = declare("GetPreviousSearchPage", effect=Effect.CREATES)


class Searches:
    """The searches of one client, which share the one result that the server keeps for the client's ticket."""

    def __init__(self) -> None:
        self._one_at_a_time = LoopLock()
        self._latest = 0

    async def pages(
        self, calls: Conversation, search: Search, page: GetNextSearchPage
    ) -> AsyncGenerator[SearchPage, None]:
        """Search, and yield the pages of the result.

        Args:
            calls: where the calls are made.
            search: the search.
            page: the operation that reads each page.

        Raises:
            errors.PreconditionFailed: a later search of this client has replaced the result.
        """
        async with self._one_at_a_time.here():
            self._latest += 1
            mine = self._latest
            found = await calls.call(search)
        if found.count == 0:
            return
        while True:
            async with self._one_at_a_time.here():
                if mine != self._latest:
                    raise errors.PreconditionFailed(
                        "Search: another search on this ticket has replaced the result; "
                        "use one client for each search that runs at the same time",
                        operation="Search",
                    )
                answer = await calls.call(page)
            if not (answer.folders or answer.documents):
                return
            yield answer
            if answer.is_last:
                return
