"""The methods under a transfer: handlers, chunks, and documents as bytes. Whole transfers are in `transfer`."""

import base64
import binascii
import zlib
from datetime import datetime
from typing import Annotated, ClassVar

import attrs

from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.envelope import InfoRouterOperation
from aiorescue.inforouter.answers.values import moment, number
from aiorescue.inforouter.service import TICKET, TICKET_LOWER, LowerPath, Path, declare
from aiorescue.operation import Content, Effect, Parameter, Spec, operation

ChunkSize = Annotated[int, Parameter("PreferedChunkSize", holds=int)]
Version = Annotated[int, Parameter("VersionNumber", holds=int)]


def crc32(data: bytes) -> str:
    """The checksum as the service writes it: CRC-32 in capital hexadecimals, not padded."""
    return f"{zlib.crc32(data):X}"


def same_crc(told: str, found: int) -> bool:
    """Whether a checksum is the one that the service told, if it told one that can be read."""
    try:
        return not told.strip() or int(told, 16) == found
    except ValueError:
        return True


@attrs.frozen
class UploadHandler:
    """Where the chunks of one upload go.

    Attributes:
        handler: its GUID.
        chunk_size: bytes that each chunk has, but for the last: what the server made of the wish.
    """

    handler: str
    chunk_size: int


@operation
class CreateUploadHandler(InfoRouterOperation[UploadHandler]):
    """Begin an upload. Vendor: ``CreateUploadHandler``.

    Args:
        chunk_size: bytes a chunk; the server takes 262,144 to 33,554,432 and corrects other values.
    """

    chunk_size: ChunkSize

    spec: ClassVar[Spec] = declare("CreateUploadHandler", effect=Effect.EXPIRES)

    @classmethod
    def read(cls, root: Element) -> UploadHandler:
        """Handler and size."""
        return UploadHandler(root["UploadHandler"], int(root["ChunkSize"]))


@attrs.frozen
class Received:
    """A chunk that arrived.

    Attributes:
        file_crc: the checksum of the whole file, which the last chunk's answer brings on newer servers.
    """

    file_crc: str


@operation
class UploadFileChunk(InfoRouterOperation[Received]):
    """Send a chunk; one that the server calls damaged is sent again. Vendor: ``UploadFileChunk``.

    Args:
        handler: the upload it belongs to.
        chunk: its bytes.
        crc: its checksum, as `crc32` writes it.
        last: it is the last one.
    """

    handler: Annotated[str, Parameter("UploadHandler", form_name="uploadHandler")]
    chunk: Annotated[bytes, Parameter("FileChunk", form_name="fileChunk", holds=bytes)] = attrs.field(repr=False)
    crc: Annotated[str, Parameter("ChunkHEXCRC", form_name="chunkHEXCRC")]
    last: Annotated[bool, Parameter("LastChunk", form_name="lastChunk", holds=bool)]

    spec: ClassVar[Spec] = declare("UploadFileChunk", effect=Effect.CREATES, takes_bytes=True)

    @classmethod
    def read(cls, root: Element) -> Received:
        """The checksum of all, if told."""
        return Received(root.get("filehexcrc"))


@attrs.frozen
class Uploaded:
    """A document, or a new version of one, that the server has taken.

    Attributes:
        document_id: the document's number.
        version_id: the version's number.
    """

    document_id: int | None
    version_id: int | None


@operation
class UploadDocumentWithHandler1(InfoRouterOperation[Uploaded]):
    """Make a document of an upload, or a new version of the one that is there. Vendor: ``UploadDocumentWithHandler1``.

    Args:
        path: the document's path.
        handler: the upload; it is used up.
        comment: on the version.
    """

    path: LowerPath
    handler: Annotated[str, Parameter("UploadHandler", form_name="uploadHandler")]
    comment: Annotated[str | None, Parameter("VersionComments", form_name="versionComments")] = None

    spec: ClassVar[Spec] = declare("UploadDocumentWithHandler1", effect=Effect.CREATES)

    @classmethod
    def read(cls, root: Element) -> Uploaded:
        """The two numbers."""
        return Uploaded(number(root.get("DocumentId")), number(root.get("VersionId")))


@operation
class DeleteUploadHandler(InfoRouterOperation[None]):
    """Give an upload up. Vendor: ``DeleteUploadHandler``.

    Args:
        handler: the upload.
    """

    handler: Annotated[str, Parameter("UploadHandler")]

    spec: ClassVar[Spec] = declare("DeleteUploadHandler", effect=Effect.CREATES)


@attrs.frozen(kw_only=True)
class DownloadHandler:
    """Where the chunks of one download come from, and what they will be.

    Attributes:
        handler: its GUID.
        chunk_size: bytes a chunk.
        size: bytes of the document, if told.
        crc: the document's checksum; empty if not told.
        content_type: MIME type.
        version: the version's number.
        name: the name to save it under, where it differs from the document's.
        modified: aware on newer servers, which tell it in UTC.
    """

    handler: str
    chunk_size: int
    size: int | None
    crc: str
    content_type: str
    version: int | None
    name: str
    modified: datetime | None

    @classmethod
    def of(cls, root: Element) -> "DownloadHandler":
        """From the root element."""
        return cls(
            handler=root["downloadhandler"],
            chunk_size=int(root["ChunkSize"]),
            size=number(root.get("Size")),
            crc=root.get("CRC32"),
            content_type=root.get("ContentType"),
            version=number(root.get("VersionNumber")),
            name=root.get("AlterDocumentName"),
            modified=moment(root.get("ModificationDate")),
        )


@operation
class GetDownloadHandler(InfoRouterOperation[DownloadHandler]):
    """Begin the download of a document's published or latest version. Vendor: ``GetDownloadHandler``.

    Args:
        path: the document's path.
        chunk_size: bytes a chunk; the server corrects what it does not like.
    """

    path: Path
    chunk_size: ChunkSize

    spec: ClassVar[Spec] = declare("GetDownloadHandler", ticket=TICKET, effect=Effect.EXPIRES)

    @classmethod
    def read(cls, root: Element) -> DownloadHandler:
        """Handler, size, checksum."""
        return DownloadHandler.of(root)


@operation
class GetDownloadHandlerByVersion(InfoRouterOperation[DownloadHandler]):
    """Begin the download of one version. Vendor: ``GetDownloadHandlerByVersion``.

    Args:
        path: the document's path.
        chunk_size: bytes a chunk; the server corrects what it does not like.
        version: major times 1,000,000 plus minor times 1,000 plus revision.
    """

    path: Path
    chunk_size: ChunkSize
    version: Version

    spec: ClassVar[Spec] = declare("GetDownloadHandlerByVersion", ticket=TICKET, effect=Effect.EXPIRES)

    @classmethod
    def read(cls, root: Element) -> DownloadHandler:
        """Handler, size, checksum."""
        return DownloadHandler.of(root)


@attrs.frozen(kw_only=True)
class Chunk:
    """A part of a document.

    Attributes:
        data: its bytes.
        length: how many the server says they are, if it does.
        file_length: bytes of the whole, if told.
        last: it is the last one.
        crc: its checksum; empty if not told.
    """

    data: bytes = attrs.field(repr=False)
    length: int | None
    file_length: int | None
    last: bool
    crc: str

    @property
    def intact(self) -> bool:
        """Its length and checksum are those that the server tells."""
        return self.length in (None, len(self.data)) and same_crc(self.crc, zlib.crc32(self.data))


@operation
class DownloadFileChunk(InfoRouterOperation[Chunk]):
    """A part of a document. Vendor: ``DownloadFileChunk``.

    Args:
        handler: the download.
        offset: bytes before it.
        size: bytes wanted.
    """

    handler: Annotated[str, Parameter("DownloadHandler")]
    offset: Annotated[int, Parameter("StartOffset", holds=int)]
    size: Annotated[int, Parameter("ChunkSize", holds=int)]

    spec: ClassVar[Spec] = declare("DownloadFileChunk", ticket=TICKET_LOWER)

    @classmethod
    def read(cls, root: Element) -> Chunk:
        """The bytes of the root's text."""
        try:
            data = base64.b64decode(root.text)
        except binascii.Error:
            raise ValueError("the end of its base64") from None
        return Chunk(
            data=data,
            length=number(root.get("chunklength")),
            file_length=number(root.get("filelength")),
            last=root.true("lastchunk"),
            crc=root.get("chunkCRC32"),
        )


@operation
class DeleteDownloadHandler(InfoRouterOperation[None]):
    """End a download. Vendor: ``DeleteDownloadHandler``.

    Args:
        handler: the download.
    """

    handler: Annotated[str, Parameter("DownloadHandler")]

    spec: ClassVar[Spec] = declare("DeleteDownloadHandler", ticket=TICKET_LOWER, effect=Effect.CREATES)


@operation
class DownloadDocument(InfoRouterOperation[bytes]):
    """A small document as bytes, at once; `InfoRouterClient.download` takes any size. Vendor: ``DownloadDocument``.

    Args:
        path: the document's path.
    """

    path: Path

    spec: ClassVar[Spec] = declare("DownloadDocument", answers=Content.BYTES)


@operation
class DownloadDocumentVersion(InfoRouterOperation[bytes]):
    """A version of a small document as bytes. Vendor: ``DownloadDocumentVersion``.

    Args:
        path: the document's path.
        version: major times 1,000,000 plus minor times 1,000 plus revision; 0 for the published or latest one.
    """

    path: Path
    version: Version

    spec: ClassVar[Spec] = declare("DownloadDocumentVersion", answers=Content.BYTES)


@operation
class UploadDocument1(InfoRouterOperation[Uploaded]):
    """Make a small document of bytes, at once; `InfoRouterClient.upload` takes any size. Vendor: ``UploadDocument1``.

    Args:
        path: the document's path.
        content: its bytes.
        comment: on the version.
    """

    path: LowerPath
    content: Annotated[bytes, Parameter("FileContent", form_name="fileContent", holds=bytes)] = attrs.field(repr=False)
    comment: Annotated[str | None, Parameter("VersionComment", form_name="versionComment")] = None

    spec: ClassVar[Spec] = declare("UploadDocument1", effect=Effect.CREATES, takes_bytes=True)

    @classmethod
    def read(cls, root: Element) -> Uploaded:
        """The two numbers."""
        return Uploaded(number(root.get("DocumentId")), number(root.get("VersionId")))
