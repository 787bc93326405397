"""Operations on folders and documents: list, create, move, copy, delete. Contents are transferred in `transfer`."""

from collections.abc import Iterable

from aiorescue.emulator.clock import Calendar
from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.call import ReceivedCall, Refusal, Result, Rules, handles
from aiorescue.emulator.rules.inforouter import shown
from aiorescue.emulator.rules.inforouter.items import ANONYMOUS_LIBRARY, ItemStore, LibraryItem, clean, is_clean, names
from aiorescue.emulator.rules.inforouter.tickets import Tickets, success
from aiorescue.inforouter import Element

#: infoRouter's error numbers.
BAD, MISSING, TAKEN, REFUSED = 4000, 4041, 4090, 4030


class Library(Rules):
    """The libraries, their folders and their documents.

    Attributes:
        store: folders and documents.

    Args:
        tickets: tells which user calls.
        calendar: the emulator's dates.
    """

    def __init__(self, tickets: Tickets, calendar: Calendar) -> None:
        self._tickets, self._calendar = tickets, calendar
        self.store = ItemStore(calendar.now())

    # --- finding ----------------------------------------------------------------------------------

    def sees(self, user: EmulatedUser | None, item: LibraryItem) -> bool:
        """Whether a user sees an item; the anonymous user sees one library."""
        return user is not None or item.library.name == ANONYMOUS_LIBRARY

    def find(self, call: ReceivedCall, path: str, *, folder: bool | None = None) -> LibraryItem:
        """The item of a path, if the user who calls may see it; raises Refusal if there is none of the wanted type."""
        user = self._tickets.user_or_anonymous(call)
        item = self.store.find(path)
        if item is None or not self.sees(user, item) or folder not in (None, item.is_folder):
            word = "[115] Library not found." if len(names(path)) == 1 and not path.startswith("~") else ""
            raise Refusal(word or ("Document not found." if folder is False else "Folder not found."), MISSING)
        return item

    def _listed(self, call: ReceivedCall, items: Iterable[LibraryItem], tag: str = "response") -> Result:
        return success(tag, *(shown.element(self._tickets, item, call.values) for item in items))

    # --- showing ----------------------------------------------------------------------------------

    @handles("GetFolder")
    def get_folder(self, call: ReceivedCall) -> Result:
        """Answer with the folder of a path."""
        return self._listed(call, [self.find(call, call.values["path"], folder=True)])

    @handles("GetDocument")
    def get_document(self, call: ReceivedCall) -> Result:
        """Answer with the properties of the document of a path."""
        return self._listed(call, [self.find(call, call.values["path"], folder=False)])

    def _in(self, call: ReceivedCall, path: str) -> list[LibraryItem]:
        """The items directly in a folder, folders first; the empty path holds the libraries."""
        if not names(path):
            user = self._tickets.user_or_anonymous(call)
            return [item for item in self.store.items.values() if item.parent is None and self.sees(user, item)]
        items = list(self.store.children(self.find(call, path, folder=True)))
        return [item for item in items if item.is_folder] + [item for item in items if not item.is_folder]

    @handles("GetFolders")
    def get_folders(self, call: ReceivedCall) -> Result:
        """List the folders directly in a folder."""
        return self._listed(call, (item for item in self._in(call, call.values["path"]) if item.is_folder))

    @handles("GetDocuments")
    def get_documents(self, call: ReceivedCall) -> Result:
        """List the documents directly in a folder."""
        return self._listed(call, (item for item in self._in(call, call.values["path"]) if not item.is_folder))

    @handles("GetFoldersAndDocuments")
    def get_all(self, call: ReceivedCall) -> Result:
        """List folders and documents directly in a folder."""
        return self._listed(call, self._in(call, call.values["path"]), "root")

    @handles("GetFoldersAndDocuments1")
    def get_all_briefly(self, call: ReceivedCall) -> Result:
        """List folders and documents directly in a folder, in the short form."""
        folder = self.find(call, call.values["Path"], folder=True)
        items = self._in(call, call.values["Path"])
        return success(
            "response",
            *map(shown.brief, items),
            folderid=folder.id,
            parentid=folder.parent.id if folder.parent is not None else 0,
            name=folder.name,
            path=folder.path,
            folderfilter="",
            documentfilter="",
            itemcount=len(items),
        )

    @handles("FolderExists", "DocumentExists")
    def exists(self, call: ReceivedCall) -> Result:
        """Answer with success if there is such a folder or document."""
        self.find(call, call.values["Path"], folder=call.name == "FolderExists")
        return success()

    # --- changing ---------------------------------------------------------------------------------

    @handles("CreateFolder")
    def create_folder(self, call: ReceivedCall) -> Result:
        """Create a folder and the missing folders above it; libraries are not created."""
        user = self._tickets.user(call)
        path = [clean(name) for name in names(call.values["path"])]
        if self.store.find("/".join(path)) is not None:
            return Result("A folder with this name already exists.", code=TAKEN)
        folder = self.folder(path, user)
        return success(FolderId=folder.id, FolderName=folder.name)

    def folder(self, path: list[str], user: EmulatedUser) -> LibraryItem:
        """The folder of a path, created where it is missing; raises Refusal for a missing library."""
        found = self.store.child(None, path[0]) if path else None
        if found is None:
            raise Refusal("[115] Library not found.", MISSING)
        for name in path[1:]:
            child = self.store.child(found, clean(name))
            if child is not None and not child.is_folder:
                raise Refusal("A document has this name.", TAKEN)
            found = child or self.store.add(clean(name), found, user, self._calendar.now())
        return found

    @handles("DeleteFolder", "DeleteDocument")
    def delete(self, call: ReceivedCall) -> Result:
        """Delete a document, or a folder with all items below it; libraries are not deleted."""
        self._tickets.user(call)
        folder = call.name == "DeleteFolder"
        item = self.find(call, call.values["path"], folder=folder)
        if item.parent is None:
            return Result("The library cannot be deleted.", code=BAD)
        self.store.remove(item)
        return success()

    @handles("Rename")
    def rename(self, call: ReceivedCall) -> Result:
        """Rename a folder or document within its folder."""
        self._tickets.user(call)
        item, name = self.find(call, call.values["path"]), call.values["new_name"]
        if item.parent is None or not is_clean(name):
            return Result("The name is not valid.", code=BAD)
        other = self.store.child(item.parent, name)
        if other is not None and other is not item:
            return Result("The name is already taken.", code=TAKEN)
        item.name, item.modified = name, self._calendar.now()
        item_type = "folder" if item.is_folder else "document"
        return success(type=item_type, id=item.id, name=item.name, path=item.path)

    def _source_and_target(self, call: ReceivedCall) -> tuple[LibraryItem, LibraryItem]:
        self._tickets.user(call)
        source = self.find(call, call.values["source"])
        target = self.find(call, call.values["destination"], folder=True)
        if source.parent is None or target in self.store.below(source):
            raise Refusal("Source: it cannot be put there.", BAD)
        return source, target

    @handles("Move")
    def move(self, call: ReceivedCall) -> Result:
        """Move a folder or document into another folder."""
        source, target = self._source_and_target(call)
        if self.store.child(target, source.name) not in (None, source):
            return Result("The name is already taken.", code=TAKEN)
        source.parent, source.modified = target, self._calendar.now()
        return success()

    @handles("Copy")
    def copy(self, call: ReceivedCall) -> Result:
        """Copy an item, and all items below it, into another folder; items that fail are listed in a log."""
        source, target = self._source_and_target(call)
        failed = self._copy(source, target, self._tickets.user(call))
        if not failed:
            return success("root")
        log = (
            Element("log", {}, (Element("item", text=item.name), Element("error", text=why))) for item, why in failed
        )
        return Result("[log]", root=Element("response", {"success": "false", "error": "[log]"}, tuple(log)))

    def _copy(self, source: LibraryItem, target: LibraryItem, user: EmulatedUser) -> list[tuple[LibraryItem, str]]:
        there = self.store.child(target, source.name)
        if there is not None and not (there.is_folder and source.is_folder):
            return [(source, "A document with this name already exists in this folder.")]
        made = there or self.store.add(source.name, target, user, self._calendar.now())
        made.versions = source.versions[-1:]
        inside = [] if not source.is_folder else list(self.store.children(source))
        return [problem for child in inside for problem in self._copy(child, made, user)]
