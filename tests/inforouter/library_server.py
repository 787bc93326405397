"""A small infoRouter on a real socket: folders, documents, searches and chunks, answered as in the vendor's samples.

It is written independently of our declarations: over SOAP it requires its own spellings in their case and treats a
misspelt parameter as missing; in forms and queries it ignores case.
"""

import base64
import json
import uuid
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from aiohttp import web

LOWER = {
    "GetCurrentUser",
    "GetLocalizedResources",
    "Rename",
    "DownloadFileChunk",
    "DeleteDownloadHandler",
    "DownloadZipWithHandler",
}
BYTES = {"UploadFileChunk", "UploadDocument1"}
OPEN = {"AuthenticateUser", "ServerInfo", "MaintenanceBeat", "GetAddInPart", "GetLocalizedResources"}


def xml(tag: str, attributes: dict, inner: str = "") -> str:
    return f"<{tag} {' '.join(f'{k}={quoteattr(str(v))}' for k, v in attributes.items())}>{inner}</{tag}>"


def no(error: str, code: str = "") -> str:
    return xml("response", {"success": "false", "error": error, **({"errorCode": code} if code else {})})


DEAD = no("[901] Session expired or Invalid ticket", "4010")


class Library:
    """State and answers of the server; `faults[method]` lists the faults of the next calls of that method."""

    def __init__(self) -> None:
        self.new = True  # 9.x: failures of byte methods come in headers
        self.tickets: dict[str, dict] = {}
        self.folders = {"/Public"}
        self.documents: dict[str, bytes] = {"/Public/a.txt": b"hello"}
        self.uploads: dict[str, bytearray] = {}
        self.downloads: dict[str, bytes] = {}
        self.finished: set[str] = set()
        self.requests: list[tuple[str, str]] = []
        self.parameters: list[dict] = []
        self.faults: defaultdict[str, list[str]] = defaultdict(list)
        self.largest = 0
        self.chunk = 0  # forces this chunk size
        self.discards = False  # keeps no bytes

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.requests)

    # --- the wire ---

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.largest = max(self.largest, request.content_length or 0)
        body = b"" if request.content_type == "multipart/form-data" else await request.read()
        soap = request.path == "/srv.asmx"
        if soap:
            (call,) = ET.fromstring(body)[0]
            method = call.tag.rpartition("}")[2]
            assert request.headers["SOAPAction"] == f'"http://tempuri.org/{method}"'
            p = {e.tag.rpartition("}")[2]: ET.tostring(e[0], "unicode") if len(e) else e.text or "" for e in call}
            binding = "soap"
        else:
            method, binding = request.path.rpartition("/")[2], request.method.lower()
            if request.method == "GET" and method in BYTES:
                return web.Response(status=415)
            p = await self.form(request, body)
            if "" in [p.get(name) for name in ("path", "sortby")]:
                return web.Response(status=400)
        self.requests.append((method, binding))
        self.parameters.append({name: value for name, value in p.items() if isinstance(value, str)})
        fault = self.faults[method].pop(0) if self.faults[method] else ""
        if fault == "drop_before":
            request.transport.close()
        own = "authenticationTicket" if method in LOWER else "AuthenticationTicket"
        ticket = p.get(own if soap else "authenticationticket", "")
        found = self.do(method, p if soap else _Any(p), ticket, fault, request)
        if fault == "drop_after":
            request.transport.close()
        return self.write(method, found, soap=soap)

    async def form(self, request: web.Request, body: bytes) -> dict:
        if request.method == "GET":
            pairs = parse_qsl(request.query_string, keep_blank_values=True)
        elif request.content_type == "multipart/form-data":
            # Not `request.post`: aiohttp 3.12 leaves its temporary file open when the client goes away.
            parts = [(part, bytes(await part.read(decode=True))) async for part in await request.multipart()]
            pairs = [(part.name, data if part.filename else data.decode()) for part, data in parts]
        else:
            pairs = parse_qsl(body.decode(), keep_blank_values=True)
        return {name.lower(): value for name, value in pairs}

    def write(self, method: str, found: str | bytes | tuple, *, soap: bool) -> web.Response:
        headers, status = {}, 200
        if isinstance(found, tuple):  # a byte method's failure: code and text
            code, text = found
            found = b""
            if self.new and not soap:
                headers, status = {"X-InfoRouter-ErrorCode": code, "X-InfoRouter-Error": text}, int(code) // 10
        if isinstance(found, bytes):
            text = base64.b64encode(found).decode()
            if not soap:
                return web.json_response(text=json.dumps(text), headers=headers, status=status)
            found = text
        if soap:
            found = (
                '<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap='
                f'"http://schemas.xmlsoap.org/soap/envelope/">\n  <soap:Body>\n    <{method}Response xmlns='
                f'"http://tempuri.org/">\n      <{method}Result>{found}</{method}Result>\n    </{method}Response>'
                "\n  </soap:Body>\n</soap:Envelope>"
            )
        return web.Response(text=found, content_type="text/xml", charset="utf-8")

    # --- what it does ---

    def do(self, method: str, p: dict, ticket: str, fault: str, request: web.Request) -> str | bytes | tuple:
        if fault == "expire":
            self.tickets.clear()
        cookie = request.cookies.get("ticket", "")
        if method in ("isValidTicket", "LogOut"):
            ticket = ticket or cookie
            if ticket not in self.tickets:
                return DEAD
            if method == "LogOut":
                del self.tickets[ticket]
            return xml("root", {"success": "true"})
        dead = method not in OPEN and ticket not in self.tickets
        if method.startswith(("DownloadDocument", "GetAddInPart")):
            return ("4010", "[901] dead") if dead else self.bytes(method, p)
        if dead:
            return DEAD if ticket else no("[2730]Anonymous users cannot perform this action")
        if fault == "offline":
            return no("The document is offline.", "4230")
        return getattr(self, method)(p, ticket, fault)

    def bytes(self, method: str, p: dict) -> bytes | tuple:
        if method == "GetAddInPart":
            return b"\0"
        return self.documents.get(p["Path"], ("4041", "No such document."))

    def AuthenticateUser(self, p, ticket, fault):  # noqa: N802
        if p["PWD"] != "secret":
            return no("[900] Authentication failed")
        ticket = str(uuid.uuid4())
        self.tickets[ticket] = {}
        return xml("root", {"success": "true", "ticket": ticket, "userid": 42, "username": p["UID"]})

    def GetLocalizedResources(self, p, ticket, fault):  # noqa: N802
        return xml("response", {"success": "true", "ticket": bool(ticket)})

    def MaintenanceBeat(self, p, ticket, fault):  # noqa: N802
        return ""

    def document(self, path: str) -> str:
        size = len(self.documents[path])
        attributes = {"DocumentID": zlib.crc32(path.encode()) % 1000, "Name": path.rpartition("/")[2], "Path": path}
        dates = {"CreationDate": "2026-09-01T10:00:00.000Z", "ModificationDate": "2026-08-21", "CheckoutDate": ""}
        versions = {"VersionNumber": 1000000, "PublishedVersionNumber": 0, "OwnerName": "Zoë <x>"}
        return xml("document", {**attributes, **dates, **versions, "Size": size})

    def folder(self, path: str) -> str:
        return xml("folder", {"FolderID": 7, "ParentID": 1, "Name": path[1:], "Path": path, "CreationDate": ""})

    def inside(self, p: dict) -> str:
        return "".join(self.document(path) for path in self.documents if path.startswith(f"{p['Path']}/"))

    def GetDocument(self, p, ticket, fault):  # noqa: N802
        if p["Path"] not in self.documents:
            return no("[2285]Document not found")
        return xml("response", {"success": "true", "error": ""}, self.document(p["Path"]))

    def GetDocuments(self, p, ticket, fault):  # noqa: N802
        if p["Path"] not in self.folders:
            return no("Target folder cannot be found.", "4041")
        assert {p[f"with{what}"] for what in ("PropertySets", "Security", "Owner", "Versions")} <= {"true", "false"}
        return xml("response", {"success": "TRUE", "error": ""}, self.inside(p))

    def GetFoldersAndDocuments(self, p, ticket, fault):  # noqa: N802
        folders = "".join(self.folder(path) for path in self.folders)
        return xml("root", {"success": "true"}, folders + self.inside(p))

    def GetFolders(self, p, ticket, fault):  # noqa: N802
        old = '<folder id="7" name="Public" createdate="2026-02-03" owner="Ann"/>'
        return xml("response", {"success": "true"}, self.folder("/Public") + old)

    def GetFolder(self, p, ticket, fault):  # noqa: N802
        return xml("response", {"success": "true"}, self.folder(p["Path"]))

    def CreateFolder(self, p, ticket, fault):  # noqa: N802
        if p["Path"] in self.folders:
            return no("Folder exists.", "4090")
        self.folders.add(p["Path"])
        return xml("response", {"success": "true", "FolderId": 8, "FolderName": p["Path"].rpartition("/")[2]})

    def Rename(self, p, ticket, fault):  # noqa: N802
        self.documents[f"/Public/{p['NewName']}"] = self.documents.pop(p["Path"])
        return xml("response", {"success": "true", "error": ""})

    def DeleteDocument(self, p, ticket, fault):  # noqa: N802
        del self.documents[p["Path"]]
        return xml("root", {"success": "true"})

    def Copy(self, p, ticket, fault):  # noqa: N802
        log = "<log><item>a.txt</item><error>Checked out.</error></log>"
        return xml("Response", {"success": fault or "false", "error": "[log]"}, log)

    Move = DownloadZipWithHandler = Copy

    def SetFolderRules(self, p, ticket, fault):  # noqa: N802
        return xml("response", {"success": "true", "rules": p["xmlRules"]})

    def Search(self, p, ticket, fault):  # noqa: N802
        self.tickets[ticket]["found"] = [
            path for path in self.documents if ET.fromstring(p["xmlcriteria"]).text in path
        ]
        self.tickets[ticket]["at"] = 0
        return xml("response", {"success": "true", "count": len(self.tickets[ticket]["found"])})

    def GetNextSearchPage(self, p, ticket, fault):  # noqa: N802
        held = self.tickets[ticket]
        if "found" not in held:
            return no("The Query has been expired.", "4000")
        begin, held["at"] = held["at"], held["at"] + 2
        page = held["found"][begin : begin + 2]
        attributes = {"FirstPage": begin == 0, "LastPage": held["at"] >= len(held["found"])}
        rows = "".join(self.document(path) for path in page)
        return xml("root", {"success": "true", **attributes, "from": begin + 1, "to": begin + len(page)}, rows)

    # --- chunks ---

    def CreateUploadHandler(self, p, ticket, fault):  # noqa: N802
        handler = str(uuid.uuid4())
        self.uploads[handler] = bytearray()
        size = self.chunk or min(max(int(p["PreferedChunkSize"]), 262144), 33554432)
        return xml("response", {"success": "true", "error": "", "UploadHandler": handler, "ChunkSize": size})

    def UploadFileChunk(self, p, ticket, fault):  # noqa: N802
        data = p["FileChunk"]
        data = data if isinstance(data, bytes) else base64.b64decode(data, validate=True)
        held = self.uploads.get(p["UploadHandler"])
        if held is None or p["UploadHandler"] in self.finished:
            return xml("root", {"success": "false", "errorCode": "4000", "error": "The upload handler is none."})
        if fault == "tryagain" or p["ChunkHEXCRC"] != f"{zlib.crc32(data):X}":
            return xml("root", {"success": "true", "tryagain": "true"})
        if fault == "tryagain_false":
            return xml("root", {"success": "false", "error": "checksum", "tryagain": "true"})
        held += b"" if self.discards else data
        told = {}
        if p["LastChunk"] == "true":
            self.finished.add(p["UploadHandler"])
        if p["LastChunk"] == "true" and not self.discards:
            told = {"filehexcrc": "1" if fault == "other_bytes" else f"{zlib.crc32(held):X}"}
        return xml("root", {"success": "true", "tryagain": "false", **told})

    def UploadDocumentWithHandler1(self, p, ticket, fault):  # noqa: N802
        self.finished.remove(p["UploadHandler"])
        self.documents[p["Path"]] = bytes(self.uploads.pop(p["UploadHandler"]))
        return xml("root", {"success": "true", "DocumentId": 5, "VersionId": 6})

    def UploadDocument1(self, p, ticket, fault):  # noqa: N802
        data = p["FileContent"]
        self.documents[p["Path"]] = data if isinstance(data, bytes) else base64.b64decode(data)
        return xml("root", {"success": "true", "DocumentId": 5, "VersionId": 6})

    def DeleteUploadHandler(self, p, ticket, fault):  # noqa: N802
        return xml("response", {"success": str(bool(self.uploads.pop(p["UploadHandler"], b"x"))).lower(), "error": ""})

    def GetDownloadHandler(self, p, ticket, fault):  # noqa: N802
        if p["Path"] not in self.documents:
            return no("No such document.", "4041")
        handler, data = str(uuid.uuid4()), self.documents[p["Path"]]
        self.downloads[handler] = data
        told = {
            "Size": len(data),
            "CRC32": f"{zlib.crc32(data):X}",
            "ContentType": "text/plain",
            "VersionNumber": 1000000,
        }
        size = self.chunk or int(p["PreferedChunkSize"])
        return xml("response", {"success": "true", **told, "ChunkSize": size, "downloadhandler": handler})

    GetDownloadHandlerByVersion = GetDownloadHandler

    def DownloadFileChunk(self, p, ticket, fault):  # noqa: N802
        data, begin, size = self.downloads[p["DownloadHandler"]], int(p["StartOffset"]), int(p["ChunkSize"])
        part = data[begin : begin + size]
        told = {"filelength": len(data), "chunklength": len(part), "lastchunk": str(begin + size >= len(data)).lower()}
        crc = f"{zlib.crc32(part):x}"
        if fault == "damage":
            part = part[:-1] + b"?"
        text = f"\n  {base64.b64encode(part).decode()}\n"
        return xml("response", {"success": "true", **told, "chunkCRC32": crc}, text)

    def DeleteDownloadHandler(self, p, ticket, fault):  # noqa: N802
        del self.downloads[p["DownloadHandler"]]
        return xml("response", {"success": "true", "error": ""})


class _Any(dict):
    """Fields by name in any case."""

    def __getitem__(self, name: str):
        return super().__getitem__(name.lower())


@asynccontextmanager
async def serve() -> AsyncIterator[Library]:
    """A small infoRouter on a free port, which is its `url`."""
    served = Library()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        await runner.cleanup()
