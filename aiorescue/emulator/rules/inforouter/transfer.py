"""Uploads and downloads: documents in one piece, or in chunks through handlers that belong to a ticket."""

import base64
import zlib

import attrs

from aiorescue.emulator.clock import Calendar
from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.call import ReceivedCall, Refusal, Result, Rules, handles
from aiorescue.emulator.rules.inforouter.items import MAJOR, DocumentVersion, LibraryItem, clean, names
from aiorescue.emulator.rules.inforouter.library import BAD, MISSING, TAKEN, Library
from aiorescue.emulator.rules.inforouter.shown import moment
from aiorescue.emulator.rules.inforouter.tickets import Tickets, success
from aiorescue.emulator.rules.newest import Newest
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.inforouter import Element

#: Handlers of uploads that are kept, and as many of downloads: a client may go away and delete none of its own.
MOST_HANDLERS = 1_000
LEAST_CHUNK, LARGEST_CHUNK = 262_144, 33_554_432
_NO_HANDLER = "The upload handler is not a handler. It is the GUID CreateUploadHandler answered with."


@attrs.define
class ChunkedUpload:
    """An upload in chunks.

    Attributes:
        ticket: ticket of the user who uploads; empty for the anonymous user.
        chunks: chunks that have arrived.
        done: whether the last chunk has arrived.
    """

    ticket: str
    chunks: list[bytes] = attrs.field(factory=list)
    done: bool = False


def _clamped(size: int | None) -> int:
    return min(max(size or 0, LEAST_CHUNK), LARGEST_CHUNK)


class Transfer(Rules):
    """Uploads and downloads.

    Args:
        access: source of GUIDs.
        tickets: tells which user calls.
        library: the folders and documents.
        calendar: the emulator's dates.
    """

    def __init__(self, access: Access, tickets: Tickets, library: Library, calendar: Calendar) -> None:
        self._access, self._tickets, self._library, self._calendar = access, tickets, library, calendar
        self._uploads: Newest[ChunkedUpload] = Newest(MOST_HANDLERS)
        self._downloads: Newest[tuple[str, DocumentVersion]] = Newest(MOST_HANDLERS)

    # --- uploads ----------------------------------------------------------------------------------

    @handles("CreateUploadHandler")
    def create_upload(self, call: ReceivedCall) -> Result:
        """Open an upload in chunks; the anonymous user may, too."""
        self._tickets.user_or_anonymous(call)
        handler = self._access.guid()
        self._uploads.begin(handler, ChunkedUpload(call.auth_code.lower()))
        return success(UploadHandler=handler, ChunkSize=_clamped(call.values["chunk_size"]))

    def _upload(self, call: ReceivedCall) -> ChunkedUpload:
        self._tickets.user(call)
        upload = self._uploads.get(call.values["handler"].lower())
        if upload is None or upload.ticket != call.auth_code.lower():
            raise Refusal(_NO_HANDLER, BAD)
        return upload

    @handles("UploadFileChunk")
    def upload_chunk(self, call: ReceivedCall) -> Result:
        """Take a chunk; one whose checksum does not fit must be sent again."""
        upload, chunk = self._upload(call), call.values["chunk"] or b""
        if upload.done:
            return Result(_NO_HANDLER, code=BAD)
        if call.values["crc"].lstrip("0").upper() != f"{zlib.crc32(chunk):X}".lstrip("0"):
            return success("root", tryagain=True)
        upload.chunks.append(chunk)
        upload.done = call.values["last"]
        whole = {"filehexcrc": f"{zlib.crc32(b''.join(upload.chunks)):X}"} if upload.done else {}
        return success("root", tryagain=False, **whole)

    @handles("UploadDocumentWithHandler1")
    def finish_upload(self, call: ReceivedCall) -> Result:
        """Store a complete upload as a version of a document; the handler becomes invalid."""
        upload = self._upload(call)
        if not upload.done:
            return Result(_NO_HANDLER, code=BAD)
        result = self._write(call, b"".join(upload.chunks))
        del self._uploads[call.values["handler"].lower()]
        return result

    @handles("UploadDocument1")
    def upload_document(self, call: ReceivedCall) -> Result:
        """Store bytes as a version of a document."""
        return self._write(call, call.values["content"] or b"")

    def _write(self, call: ReceivedCall, content: bytes) -> Result:
        user = self._tickets.user(call)
        item = self._document(call.values["path"], user)
        item.modified = self._calendar.now()
        number = (len(item.versions) + 1) * MAJOR
        item.versions.append(DocumentVersion(number, content, call.values["comment"] or "", item.modified))
        return success("root", DocumentId=item.id, VersionId=item.id * 1000 + len(item.versions))

    def _document(self, path: str, user: EmulatedUser) -> LibraryItem:
        """The document of a path, created if it is missing; raises Refusal if its folder is missing."""
        library = self._library
        found = library.store.find(path)
        if found is not None and found.is_folder:
            raise Refusal("A folder has this name.", TAKEN)
        if found is not None:
            return found
        *above, name = names(path) or [""]
        folder = library.store.find("/".join(above)) if above else None
        if folder is None or not folder.is_folder:
            raise Refusal("Target folder cannot be found.", MISSING)
        return library.store.add(clean(name), folder, user, self._calendar.now())

    @handles("DeleteUploadHandler")
    def delete_upload(self, call: ReceivedCall) -> Result:
        """Abandon an upload: its chunks are dropped, and its handler becomes invalid."""
        self._upload(call)
        del self._uploads[call.values["handler"].lower()]
        return success()

    # --- downloads --------------------------------------------------------------------------------

    def _version(self, call: ReceivedCall) -> tuple[LibraryItem, DocumentVersion]:
        item = self._library.find(call, call.values["path"], folder=False)
        version = item.version(call.values.get("version") or 0)
        if version is None:
            raise Refusal("Document version not found.", MISSING)
        return item, version

    @handles("DownloadDocument", "DownloadDocumentVersion")
    def download(self, call: ReceivedCall) -> Result:
        """Answer with the bytes of a document in one piece."""
        return Result("OK", content=self._version(call)[1].content)

    @handles("GetDownloadHandler", "GetDownloadHandlerByVersion")
    def create_download(self, call: ReceivedCall) -> Result:
        """Open a download in chunks; answers with the facts about the document."""
        item, version = self._version(call)
        handler = self._access.guid()
        self._downloads.begin(handler, (call.auth_code.lower(), version))
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

    def _download(self, call: ReceivedCall) -> DocumentVersion:
        self._tickets.user_or_anonymous(call)
        handler = call.values["handler"].lower()
        ticket, version = self._downloads.get(handler, ("", None))
        if version is None or ticket != call.auth_code.lower():
            raise Refusal(f"Invalid download handler. ({call.values['handler']})", BAD)
        return version

    @handles("DownloadFileChunk")
    def download_chunk(self, call: ReceivedCall) -> Result:
        """Answer with a chunk of the bytes."""
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
        return Result("OK", root=Element("response", attributes, text=base64.b64encode(chunk).decode()))

    @handles("DeleteDownloadHandler")
    def delete_download(self, call: ReceivedCall) -> Result:
        """Close a download, whose handler becomes invalid."""
        self._download(call)
        del self._downloads[call.values["handler"].lower()]
        return success()
