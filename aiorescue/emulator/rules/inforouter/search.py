"""Searching: a result belongs to the ticket that asked, one at a time, and is read page by page."""

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import attrs

from aiorescue.emulator.rules.call import Call, RefusedError, Room, Said, answers
from aiorescue.emulator.rules.inforouter import shown
from aiorescue.emulator.rules.inforouter.items import Item
from aiorescue.emulator.rules.inforouter.library import BAD
from aiorescue.emulator.rules.inforouter.tickets import success

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

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
class _Result:
    """What was found, and how much of it was read: rows begin to end were on the last page."""

    items: list[Item]
    begin: int = 0
    end: int = 0


class Search(Room):
    """The result of each ticket."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        self._results: dict[str, _Result] = {}

    @answers("Search")
    def search(self, call: Call) -> Said:
        """Find by name, path or content: every text in the criteria must occur, wherever it stands in them."""
        self.state.tickets.user(call)
        wanted = _texts(call.values["criteria"])
        sort = _SORTS.get(call.values["sort_by"].upper())
        if sort is None:
            return Said(f"Possible Sort Options: {', '.join(name for name in _SORTS if name)}", code=BAD)
        items = [item for item in self.state.library.store.items.values() if item.parent is not None]
        found = [item for item in items if all(_holds(item, text) for text in wanted)]
        # Python's sort keeps the order of equals both ways.
        found.sort(key=sort, reverse=not call.values["ascending"])
        self._results[call.auth_code.lower()] = _Result(found)
        return success(ranksorted=False, count=len(found))

    def _result(self, call: Call) -> _Result:
        self.state.tickets.user(call)
        result = self._results.get(call.auth_code.lower())
        if result is None:
            raise RefusedError("The Query has been expired.", BAD)
        return result

    @answers("GetNextSearchPage")
    def next_page(self, call: Call) -> Said:
        """The page after the last one that was read."""
        result = self._result(call)
        return self._page(call, result, result.end)

    @answers("GetPreviousSearchPage")
    def previous_page(self, call: Call) -> Said:
        """The page before it."""
        result = self._result(call)
        return self._page(call, result, max(0, result.begin - self.state.limits.page_rows))

    def _page(self, call: Call, result: _Result, begin: int) -> Said:
        items = result.items[begin : begin + self.state.limits.page_rows]
        result.begin, result.end = begin, begin + len(items)
        return success(
            "root",
            *(shown.element(self.state, item, call.values, found=True) for item in items),
            FirstPage=begin == 0,
            LastPage=result.end >= len(result.items),
            **{"from": begin + 1 if items else 0, "to": result.end},
        )


def _texts(criteria: str) -> list[str]:
    """What the criteria look for: texts of elements, and the attributes that are called value. Raises RefusedError."""
    try:
        root = ET.fromstring(criteria)  # noqa: S314 - a test's own
    except ET.ParseError:
        raise RefusedError("The criteria are not well-formed.", BAD) from None
    texts = [element.text or "" for element in root.iter()]
    values = [value for element in root.iter() for name, value in element.attrib.items() if name.lower() == "value"]
    return [text.strip().lower() for text in (*texts, *values) if text.strip()]


def _holds(item: Item, text: str) -> bool:
    content = b"" if item.is_folder else item.latest.content
    return text in item.path.lower() or text.encode() in content.lower()
