"""Results of a search: how many items were found, and the pages that list them."""

import attrs

from aiorescue.inforouter.answers.documents import Document, Folder, documents, folders
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.values import number
from aiorescue.operation import frozen


@frozen
class SearchResult:
    """Summary of a result that the server holds for the ticket that searched.

    Attributes:
        count: number of items found; None if the server does not send it.
        ranked: True if the items come in the order of their rank.
    """

    count: int | None
    ranked: bool

    @classmethod
    def of(cls, root: Element) -> "SearchResult":
        """Read the summary from the attributes of the root element; the answer to a search lists no items."""
        return cls(number(root.get("count")), root.true("ranksorted"))


@frozen(kw_only=True)
class SearchPage:
    """One page of a search result.

    Attributes:
        folders: folders on the page.
        documents: documents on the page.
        is_first: True for the first page of the result.
        is_last: True for the last page of the result.
        begin: number of the page's first item, counted from 1; None if the server does not send it.
        end: number of the page's last item; None if the server does not send it.
        element: root element of the answer.
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
        """Read one page from the root element."""
        return cls(
            folders=folders(root),
            documents=documents(root),
            is_first=root.true("FirstPage"),
            is_last=root.true("LastPage"),
            begin=number(root.get("from")),
            end=number(root.get("to")),
            element=root,
        )
