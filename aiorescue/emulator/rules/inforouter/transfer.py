"""Contents: documents at once, and in chunks through handlers that belong to a ticket."""

import base64
import zlib
from typing import TYPE_CHECKING

import attrs

from aiorescue.emulator.people import User
from aiorescue.emulator.rules.call import Call, RefusedError, Room, Said, answers
from aiorescue.emulator.rules.inforouter.items import MAJOR, Item, Version, clean, names
from aiorescue.emulator.rules.inforouter.library import BAD, MISSING, TAKEN
from aiorescue.emulator.rules.inforouter.shown import moment
from aiorescue.emulator.rules.inforouter.tickets import success
from aiorescue.inforouter import Element

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

LEAST_CHUNK, LARGEST_CHUNK = 262_144, 33_554_432
_NO_HANDLER = "The upload handler is not a handler. It is the GUID CreateUploadHandler answered with."


@attrs.define
class Upload:
    """An upload under way.

    Attributes:
        ticket: whose it is; empty of the anonymous user.
        chunks: what came.
        done: the last chunk is there.
    """

    ticket: str
    chunks: list[bytes] = attrs.field(factory=list)
    done: bool = False


def _clamped(size: int | None) -> int:
    return min(max(size or 0, LEAST_CHUNK), LARGEST_CHUNK)


class Transfer(Room):
    """Uploads and downloads under way."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        self._uploads: dict[str, Upload] = {}
        self._downloads: dict[str, tuple[str, Version]] = {}

    # --- up ---------------------------------------------------------------------------------------

    @answers("CreateUploadHandler")
    def create_upload(self, call: Call) -> Said:
        """A handler; a caller without a ticket gets one, too."""
        self.state.tickets.caller(call)
        handler = self.state.access.guid()
        self._uploads[handler] = Upload(call.auth_code.lower())
        return success(UploadHandler=handler, ChunkSize=_clamped(call.values["chunk_size"]))

    def _upload(self, call: Call) -> Upload:
        self.state.tickets.user(call)
        upload = self._uploads.get(call.values["handler"].lower())
        if upload is None or upload.ticket != call.auth_code.lower():
            raise RefusedError(_NO_HANDLER, BAD)
        return upload

    @answers("UploadFileChunk")
    def upload_chunk(self, call: Call) -> Said:
        """A chunk; one whose checksum is another has to be sent again."""
        upload, chunk = self._upload(call), call.values["chunk"] or b""
        if upload.done:
            return Said(_NO_HANDLER, code=BAD)
        if call.values["crc"].lstrip("0").upper() != f"{zlib.crc32(chunk):X}".lstrip("0"):
            return success("root", tryagain=True)
        upload.chunks.append(chunk)
        upload.done = call.values["last"]
        whole = {"filehexcrc": f"{zlib.crc32(b''.join(upload.chunks)):X}"} if upload.done else {}
        return success("root", tryagain=False, **whole)

    @answers("UploadDocumentWithHandler1")
    def finish_upload(self, call: Call) -> Said:
        """A document of an upload that is complete; the handler is used up."""
        upload = self._upload(call)
        if not upload.done:
            return Said(_NO_HANDLER, code=BAD)
        said = self._write(call, b"".join(upload.chunks))
        del self._uploads[call.values["handler"].lower()]
        return said

    @answers("UploadDocument1")
    def upload_document(self, call: Call) -> Said:
        """A document of bytes."""
        return self._write(call, call.values["content"] or b"")

    def _write(self, call: Call, content: bytes) -> Said:
        user = self.state.tickets.user(call)
        item = self._document(call.values["path"], user)
        self._add_version(item, content, call.values["comment"] or "", user)
        return success("root", DocumentId=item.id, VersionId=item.id * 1000 + len(item.versions))

    def _document(self, path: str, user: User) -> Item:
        """The document of a path, made if there is none. Raises RefusedError."""
        library = self.state.library
        found = library.store.find(path)
        if found is not None and found.is_folder:
            raise RefusedError("A folder has this name.", TAKEN)
        if found is not None:
            return found
        *above, name = names(path) or [""]
        folder = library.store.find("/".join(above)) if above else None
        if folder is None or not folder.is_folder:
            raise RefusedError("Target folder cannot be found.", MISSING)
        return library.store.add(clean(name), folder, user, self.state.now())

    def _add_version(self, item: Item, content: bytes, comment: str, user: User) -> None:
        now = self.state.now()
        number = (len(item.versions) + 1) * MAJOR
        item.versions.append(Version(number, content, comment, user.email, now))
        item.modified = now

    @answers("DeleteUploadHandler")
    def delete_upload(self, call: Call) -> Said:
        """Give an upload up."""
        self._upload(call)
        del self._uploads[call.values["handler"].lower()]
        return success()

    # --- down -------------------------------------------------------------------------------------

    def _version(self, call: Call) -> tuple[Item, Version]:
        item = self.state.library.find(call, call.values["path"], folder=False)
        version = item.version(call.values.get("version") or 0)
        if version is None:
            raise RefusedError("Document version not found.", MISSING)
        return item, version

    @answers("DownloadDocument", "DownloadDocumentVersion")
    def download(self, call: Call) -> Said:
        """The bytes at once."""
        return Said("OK", content=self._version(call)[1].content)

    @answers("GetDownloadHandler", "GetDownloadHandlerByVersion")
    def create_download(self, call: Call) -> Said:
        """A handler, and what to expect."""
        item, version = self._version(call)
        handler = self.state.access.guid()
        self._downloads[handler] = call.auth_code.lower(), version
        return success(
            Size=len(version.content),
            ContentType=item.mime_type,
            ModificationDate=moment(version.when),
            VersionNumber=version.number,
            AlterDocumentName="",
            RenderedContent=False,
            CRC32=version.crc,
            ChunkSize=_clamped(call.values["chunk_size"]),
            downloadhandler=handler,
        )

    def _download(self, call: Call) -> Version:
        self.state.tickets.caller(call)
        handler = call.values["handler"].lower()
        ticket, version = self._downloads.get(handler, ("", None))
        if version is None or ticket != call.auth_code.lower():
            raise RefusedError(f"Invalid download handler. ({call.values['handler']})", BAD)
        return version

    @answers("DownloadFileChunk")
    def download_chunk(self, call: Call) -> Said:
        """A part of the bytes."""
        content = self._download(call).content
        offset = max(call.values["offset"], 0)
        chunk = content[offset : offset + max(call.values["size"], 0)]
        attributes = {
            "success": "true",
            "filelength": str(len(content)),
            "chunklength": str(len(chunk)),
            "lastchunk": str(offset + len(chunk) >= len(content)).lower(),
            "chunkCRC32": f"{zlib.crc32(chunk):x}",
        }
        return Said("OK", root=Element("response", attributes, text=base64.b64encode(chunk).decode()))

    @answers("DeleteDownloadHandler")
    def delete_download(self, call: Call) -> Said:
        """End a download."""
        self._download(call)
        del self._downloads[call.values["handler"].lower()]
        return success()
