"""Folders and documents: listed, made, moved and deleted. Contents come and go in `transfer`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aiorescue.emulator.people import User
from aiorescue.emulator.rules.call import Call, RefusedError, Room, Said, answers
from aiorescue.emulator.rules.inforouter import shown
from aiorescue.emulator.rules.inforouter.items import ANONYMOUS_LIBRARY, Item, Store, clean, is_clean, names
from aiorescue.emulator.rules.inforouter.tickets import success
from aiorescue.inforouter import Element

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

BAD, MISSING, TAKEN, REFUSED = 4000, 4041, 4090, 4030


class Library(Room):
    """The libraries and what is in them."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        self.store = Store(state.now())

    # --- finding ----------------------------------------------------------------------------------

    def sees(self, user: User | None, item: Item) -> bool:
        """The anonymous user sees one library."""
        return user is not None or item.library.name == ANONYMOUS_LIBRARY

    def find(self, call: Call, path: str, *, folder: bool | None = None) -> Item:
        """An item that the caller may see. Raises RefusedError."""
        user = self.state.tickets.caller(call)
        item = self.store.find(path)
        if item is None or not self.sees(user, item) or folder not in (None, item.is_folder):
            word = "[115] Library not found." if len(names(path)) == 1 and not path.startswith("~") else ""
            raise RefusedError(word or ("Document not found." if folder is False else "Folder not found."), MISSING)
        return item

    def _listed(self, call: Call, items: Iterable[Item], tag: str = "response") -> Said:
        return success(tag, *(shown.element(self.state, item, call.values) for item in items))

    # --- showing ----------------------------------------------------------------------------------

    @answers("GetFolder")
    def get_folder(self, call: Call) -> Said:
        """One folder."""
        return self._listed(call, [self.find(call, call.values["path"], folder=True)])

    @answers("GetDocument")
    def get_document(self, call: Call) -> Said:
        """One document."""
        return self._listed(call, [self.find(call, call.values["path"], folder=False)])

    def _in(self, call: Call, path: str) -> list[Item]:
        """What is in a folder, folders first; the libraries are in the root."""
        if not names(path):
            user = self.state.tickets.caller(call)
            return [item for item in self.store.items.values() if item.parent is None and self.sees(user, item)]
        items = list(self.store.children(self.find(call, path, folder=True)))
        return [item for item in items if item.is_folder] + [item for item in items if not item.is_folder]

    @answers("GetFolders")
    def get_folders(self, call: Call) -> Said:
        """The folders in a folder."""
        return self._listed(call, (item for item in self._in(call, call.values["path"]) if item.is_folder))

    @answers("GetDocuments")
    def get_documents(self, call: Call) -> Said:
        """The documents in a folder."""
        return self._listed(call, (item for item in self._in(call, call.values["path"]) if not item.is_folder))

    @answers("GetFoldersAndDocuments")
    def get_all(self, call: Call) -> Said:
        """Both."""
        return self._listed(call, self._in(call, call.values["path"]), "root")

    @answers("GetFoldersAndDocuments1")
    def get_all_briefly(self, call: Call) -> Said:
        """Both in the short form."""
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

    @answers("FolderExists", "DocumentExists")
    def exists(self, call: Call) -> Said:
        """Success or not is the answer."""
        self.find(call, call.values["Path"], folder=call.operation.spec.name == "FolderExists")
        return success()

    # --- changing ---------------------------------------------------------------------------------

    @answers("CreateFolder")
    def create_folder(self, call: Call) -> Said:
        """A folder, and those above it that are missing; a library is not made."""
        user = self.state.tickets.user(call)
        path = [clean(name) for name in names(call.values["path"])]
        if self.store.find("/".join(path)) is not None:
            return Said("A folder with this name already exists.", code=TAKEN)
        folder = self.folder(path, user)
        return success(FolderId=folder.id, FolderName=folder.name)

    def folder(self, path: list[str], user: User) -> Item:
        """The folder of a path, made where it is missing. Raises RefusedError."""
        found = self.store.child(None, path[0]) if path else None
        if found is None:
            raise RefusedError("[115] Library not found.", MISSING)
        for name in path[1:]:
            child = self.store.child(found, clean(name))
            if child is not None and not child.is_folder:
                raise RefusedError("A document has this name.", TAKEN)
            found = child or self.store.add(clean(name), found, user, self.state.now())
        return found

    @answers("DeleteFolder", "DeleteDocument")
    def delete(self, call: Call) -> Said:
        """A folder and all in it, or a document; a library stays."""
        self.state.tickets.user(call)
        folder = call.operation.spec.name == "DeleteFolder"
        item = self.find(call, call.values["path"], folder=folder)
        if item.parent is None:
            return Said("The library cannot be deleted.", code=BAD)
        self.store.remove(item)
        return success()

    @answers("Rename")
    def rename(self, call: Call) -> Said:
        """Another name in the same folder."""
        self.state.tickets.user(call)
        item, name = self.find(call, call.values["path"]), call.values["new_name"]
        if item.parent is None or not is_clean(name):
            return Said("The name is not valid.", code=BAD)
        other = self.store.child(item.parent, name)
        if other is not None and other is not item:
            return Said("The name is already taken.", code=TAKEN)
        item.name, item.modified = name, self.state.now()
        kind = "folder" if item.is_folder else "document"
        return success(type=kind, id=item.id, name=item.name, path=item.path)

    def _both(self, call: Call) -> tuple[Item, Item]:
        self.state.tickets.user(call)
        source = self.find(call, call.values["source"])
        target = self.find(call, call.values["destination"], folder=True)
        if source.parent is None or target in self.store.below(source):
            raise RefusedError("Source: it cannot be put there.", BAD)
        return source, target

    @answers("Move")
    def move(self, call: Call) -> Said:
        """Into another folder."""
        source, target = self._both(call)
        if self.store.child(target, source.name) not in (None, source):
            return Said("The name is already taken.", code=TAKEN)
        source.parent, source.modified = target, self.state.now()
        return success()

    @answers("Copy")
    def copy(self, call: Call) -> Said:
        """Into another folder with all in it; what cannot be copied is in the log."""
        source, target = self._both(call)
        failed = self._copy(source, target, self.state.tickets.user(call))
        if not failed:
            return success("root")
        log = (Element("log", {}, (_named("item", item.name), _named("error", why))) for item, why in failed)
        return Said("[log]", root=Element("response", {"success": "false", "error": "[log]"}, tuple(log)))

    def _copy(self, source: Item, target: Item, user: User) -> list[tuple[Item, str]]:
        there = self.store.child(target, source.name)
        if there is not None and not (there.is_folder and source.is_folder):
            return [(source, "A document with this name already exists in this folder.")]
        made = there or self.store.add(source.name, target, user, self.state.now())
        made.versions = source.versions[-1:]
        inside = [] if not source.is_folder else list(self.store.children(source))
        return [problem for child in inside for problem in self._copy(child, made, user)]


def _named(tag: str, text: str) -> Element:
    return Element(tag, text=text)
