"""Results of uploads and downloads: the handlers that chunks are sent to or come from, chunks, new documents."""

import zlib
from datetime import datetime

import attrs

from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.values import moment, number
from aiorescue.operation import frozen
from aiorescue.wire.binary import from_base64
from aiorescue.wire.numbers import whole_number


def is_crc(text: str, crc: int) -> bool:
    """Whether a checksum is the one that the server wrote in hexadecimal; True if it wrote none that can be read."""
    try:
        return not text.strip() or int(text, 16) == crc
    except ValueError:
        return True


@frozen
class UploadHandler:
    """What the chunks of one upload are sent to.

    Attributes:
        handler: GUID of the upload.
        chunk_size: bytes in every chunk but the last, as the server decided.
    """

    handler: str
    chunk_size: int

    @classmethod
    def of(cls, root: Element) -> "UploadHandler":
        """Read the handler from the attributes of the root element."""
        return cls(root["UploadHandler"], whole_number(root["ChunkSize"]))


@frozen
class Received:
    """The server's receipt for an uploaded chunk.

    Attributes:
        file_crc: CRC-32 of the whole file in hexadecimal, sent by newer servers with the last chunk; else empty.
    """

    file_crc: str

    @classmethod
    def of(cls, root: Element) -> "Received":
        """Read the receipt from the attributes of the root element."""
        return cls(root.get("filehexcrc"))


@frozen
class Uploaded:
    """A document, or a new version of one, that the server has stored.

    Attributes:
        document_id: number of the document; None if the server does not send it.
        version_id: number of the version; None if the server does not send it.
    """

    document_id: int | None
    version_id: int | None

    @classmethod
    def of(cls, root: Element) -> "Uploaded":
        """Read the document's and the version's number from the attributes of the root element."""
        return cls(number(root.get("DocumentId")), number(root.get("VersionId")))


@frozen(kw_only=True)
class DownloadHandler:
    """What the chunks of one download come from, and the document that they make up.

    Attributes:
        handler: GUID of the download.
        chunk_size: bytes in a chunk.
        size: bytes in the document; None if the server does not send it.
        crc: CRC-32 of the document in hexadecimal; empty if the server does not send it.
        content_type: MIME type of the document.
        version: major times 1,000,000 plus minor times 1,000 plus revision.
        name: file name to save the document under, where it differs from the document's name.
        modified: time of the last change; aware on newer servers, which send it in UTC.
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
        """Read the handler and the document's properties from the attributes of the root element."""
        return cls(
            handler=root["downloadhandler"],
            chunk_size=whole_number(root["ChunkSize"]),
            size=number(root.get("Size")),
            crc=root.get("CRC32"),
            content_type=root.get("ContentType"),
            version=number(root.get("VersionNumber")),
            name=root.get("AlterDocumentName"),
            modified=moment(root.get("ModificationDate")),
        )


@frozen(kw_only=True)
class Chunk:
    """A part of a downloaded document.

    Attributes:
        data: bytes of the part.
        length: number of these bytes as the server counts them; None if it does not send it.
        file_length: bytes in the whole document; None if the server does not send it.
        last: True for the last part of the document.
        crc: CRC-32 of the part in hexadecimal; empty if the server does not send it.
    """

    data: bytes = attrs.field(repr=False)
    length: int | None
    file_length: int | None
    last: bool
    crc: str

    @classmethod
    def of(cls, root: Element) -> "Chunk":
        """Read the part from the root element, whose text is base64. Raises ValueError for base64 that is cut short."""
        try:
            data = from_base64(root.text)
        except ValueError:
            raise ValueError("the base64 of the chunk is cut short") from None
        return cls(
            data=data,
            length=number(root.get("chunklength")),
            file_length=number(root.get("filelength")),
            last=root.true("lastchunk"),
            crc=root.get("chunkCRC32"),
        )

    @property
    def intact(self) -> bool:
        """Whether the bytes have the length and the checksum that the server sent with them."""
        return self.length in (None, len(self.data)) and is_crc(self.crc, zlib.crc32(self.data))
