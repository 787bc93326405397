"""Searches: each ticket has one search result at a time, which is read page by page."""

from xml.etree import ElementTree as ET

import attrs

from aiorescue.emulator.rules.call import Limits, ReceivedCall, Refusal, Result, Rules, handles
from aiorescue.emulator.rules.inforouter import shown
from aiorescue.emulator.rules.inforouter.items import LibraryItem
from aiorescue.emulator.rules.inforouter.library import BAD, Library
from aiorescue.emulator.rules.inforouter.tickets import Tickets, success
from aiorescue.emulator.rules.newest import Newest

#: Tickets whose last result is kept.
_MOST_RESULTS = 1_000
_SORTS = {
    "": lambda item: item.id,
    "DOCUMENTNAME": lambda item: item.name.lower(),
    "FOLDERNAME": lambda item: item.name.lower(),
    "DOCUMENTSIZE": lambda item: 0 if item.is_folder else len(item.latest.content),
    "CREATIONDATE": lambda item: item.created,
    "MODIFICATIONDATE": lambda item: item.modified,
    "PATH": lambda item: item.path.lower(),
}


@attrs.define
class _FoundItems:
    """The items that a search has found, which are read page by page.

    Attributes:
        items: folders and documents that were found.
        begin: index of the first item on the page that was read last.
        end: index behind the last item on that page.
    """

    items: list[LibraryItem]
    begin: int = 0
    end: int = 0


class Search(Rules):
    """The search results of all tickets.

    Args:
        tickets: tells which user calls.
        library: the folders and documents.
        limits: rows on a page.
    """

    def __init__(self, tickets: Tickets, library: Library, limits: Limits) -> None:
        self._tickets, self._library, self._limits = tickets, library, limits
        self._results: Newest[_FoundItems] = Newest(_MOST_RESULTS)

    @handles("Search")
    def search(self, call: ReceivedCall) -> Result:
        """Search by name, path and content: every text in the criteria must occur in one of them."""
        self._tickets.user(call)
        wanted = _texts(call.values["criteria"])
        sort = _SORTS.get(call.values["sort_by"].upper())
        if sort is None:
            return Result(f"Possible Sort Options: {', '.join(name for name in _SORTS if name)}", code=BAD)
        items = [item for item in self._library.store.items.values() if item.parent is not None]
        found = [item for item in items if all(_holds(item, text) for text in wanted)]
        # Items that are equal stay in their order in both directions, because Python's sort is stable.
        found.sort(key=sort, reverse=not call.values["ascending"])
        self._results.begin(call.auth_code.lower(), _FoundItems(found))
        return success(ranksorted=False, count=len(found))

    def _result(self, call: ReceivedCall) -> _FoundItems:
        self._tickets.user(call)
        result = self._results.get(call.auth_code.lower())
        if result is None:
            raise Refusal("The Query has been expired.", BAD)
        return result

    @handles("GetNextSearchPage")
    def next_page(self, call: ReceivedCall) -> Result:
        """Answer with the page after the one that was read last."""
        result = self._result(call)
        return self._page(call, result, result.end)

    @handles("GetPreviousSearchPage")
    def previous_page(self, call: ReceivedCall) -> Result:
        """Answer with the page before the one that was read last."""
        result = self._result(call)
        return self._page(call, result, max(0, result.begin - self._limits.page_rows))

    def _page(self, call: ReceivedCall, result: _FoundItems, begin: int) -> Result:
        items = result.items[begin : begin + self._limits.page_rows]
        result.begin, result.end = begin, begin + len(items)
        return success(
            "root",
            *(shown.element(self._tickets, item, call.values, found=True) for item in items),
            FirstPage=begin == 0,
            LastPage=result.end >= len(result.items),
            **{"from": begin + 1 if items else 0, "to": result.end},
        )


def _texts(criteria: str) -> list[str]:
    """Texts that the criteria look for: those of elements and of attributes called value; raises Refusal."""
    try:
        root = ET.fromstring(criteria)  # noqa: S314 - a test's own
    except ET.ParseError:
        raise Refusal("The criteria are not well-formed.", BAD) from None
    texts = [element.text or "" for element in root.iter()]
    values = [value for element in root.iter() for name, value in element.attrib.items() if name.lower() == "value"]
    return [text.strip().lower() for text in (*texts, *values) if text.strip()]


def _holds(item: LibraryItem, text: str) -> bool:
    content = b"" if item.is_folder else item.latest.content
    return text in item.path.lower() or text.encode() in content.lower()
