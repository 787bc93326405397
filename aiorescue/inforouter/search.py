"""Searching. A result lives in the session of the ticket that asked: one at a time, read page by page."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, ClassVar

import attrs

from aiorescue import errors
from aiorescue.call.conversation import Conversation
from aiorescue.inforouter.answers.documents import Document, Folder, documents, folders
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.envelope import InfoRouterOperation
from aiorescue.inforouter.answers.values import number
from aiorescue.inforouter.service import declare
from aiorescue.operation import Effect, Parameter, Spec, operation


@attrs.frozen
class SearchResult:
    """A result that the server holds for this ticket.

    Attributes:
        count: how many were found, if the server tells.
        ranked: they come in the order of their rank.
    """

    count: int | None
    ranked: bool


@operation
class Search(InfoRouterOperation[SearchResult]):
    """Search; the result is read with `GetNextSearchPage` on the same ticket. Vendor: ``Search``.

    Args:
        criteria: the criteria as XML.
        sort_by: a column; 9.x servers want one outside SOAP.
        ascending: the order.
    """

    criteria: Annotated[str, Parameter("xmlcriteria")]
    sort_by: Annotated[str, Parameter("SortBy")] = ""
    ascending: Annotated[bool, Parameter("AscendingOrder", holds=bool)] = attrs.field(default=True, kw_only=True)

    spec: ClassVar[Spec] = declare("Search", effect=Effect.IDEMPOTENT)

    @classmethod
    def read(cls, root: Element) -> SearchResult:
        """How many; no rows."""
        return SearchResult(number(root.get("count")), root.true("ranksorted"))


@attrs.frozen(kw_only=True)
class SearchPage:
    """One page of a result.

    Attributes:
        folders: the folders on it.
        documents: the documents on it.
        is_first: it is the first page.
        is_last: it is the last page.
        begin: the number of its first row, from 1, if told.
        end: the number of its last row, if told.
        element: the answer.
    """

    folders: tuple[Folder, ...]
    documents: tuple[Document, ...]
    is_first: bool
    is_last: bool
    begin: int | None
    end: int | None
    element: Element = attrs.field(repr=False)

    @classmethod
    def of(cls, root: Element) -> "SearchPage":
        """From the root element."""
        return cls(
            folders=folders(root),
            documents=documents(root),
            is_first=root.true("FirstPage"),
            is_last=root.true("LastPage"),
            begin=number(root.get("from")),
            end=number(root.get("to")),
            element=root,
        )


Rules = Annotated[bool, Parameter("withrules", holds=bool)]
PropertySets = Annotated[bool, Parameter("withPropertySets", holds=bool)]
Security = Annotated[bool, Parameter("withSecurity", holds=bool)]
Owner = Annotated[bool, Parameter("withOwner", holds=bool)]
Versions = Annotated[bool, Parameter("withVersions", holds=bool)]


@operation(kw_only=True)
class GetNextSearchPage(InfoRouterOperation[SearchPage]):
    """The next page of this ticket's result. Not repeated by itself: that would skip a page.

    Vendor: ``GetNextSearchPage``.

    Args:
        rules: with the folders' rules, in each result's `element`.
        property_sets: with property sets.
        security: with access lists.
        owner: with owners.
        versions: with the documents' versions.
    """

    rules: Rules = False
    property_sets: PropertySets = False
    security: Security = False
    owner: Owner = False
    versions: Versions = False

    spec: ClassVar[Spec] = declare("GetNextSearchPage", effect=Effect.CREATES)

    @classmethod
    def read(cls, root: Element) -> SearchPage:
        """The page."""
        return SearchPage.of(root)


@operation(kw_only=True)
class GetPreviousSearchPage(InfoRouterOperation[SearchPage]):
    """The page before, of this ticket's result. Vendor: ``GetPreviousSearchPage``.

    Args:
        rules: with the folders' rules, in each result's `element`.
        property_sets: with property sets.
        security: with access lists.
        owner: with owners.
        versions: with the documents' versions.
    """

    rules: Rules = False
    property_sets: PropertySets = False
    security: Security = False
    owner: Owner = False
    versions: Versions = False

    spec: ClassVar[Spec] = declare("GetPreviousSearchPage", effect=Effect.CREATES)

    @classmethod
    def read(cls, root: Element) -> SearchPage:
        """The page."""
        return SearchPage.of(root)


class Searches:
    """The searches of one client, which share the one place that its ticket has for a result."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._latest = 0

    async def pages(
        self, calls: Conversation, search: Search, page: GetNextSearchPage
    ) -> AsyncGenerator[SearchPage, None]:
        """Search, and the pages of the result. Raises `errors.PreconditionFailed` once another search began."""
        async with self._turn:
            self._latest += 1
            mine = self._latest
            found = await calls.call(search)
        if found.count == 0:
            return
        while True:
            async with self._turn:
                if mine != self._latest:
                    raise errors.PreconditionFailed(
                        "Search: another search on this ticket has replaced the result; search with a client each",
                        operation="Search",
                    )
                answer = await calls.call(page)
            if answer.folders or answer.documents:
                yield answer
            if answer.is_last or not (answer.folders or answer.documents):
                return
