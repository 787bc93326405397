"""Operations on their way to the emulator by the client's codecs, and what of an answer is structure."""

from xml.etree import ElementTree as ET

from aiorescue.operation import Binding
from aiorescue.wire import Authorization, codec
from tests.emulator.sockets import exchange

#: What the file names of the samples call the interfaces.
INTERFACES = {
    "soap11": Binding.SOAP11,
    "soap12": Binding.SOAP12,
    "http": Binding.HTTP_POST,
    "aspx": Binding.TEXT_POST,
}


async def ask(service, operation, binding, code="fixedtech0000", *, replace=("", "")):
    """The emulator's answer; in the body that is sent one text is replaced, for what the client would refuse."""
    request = codec(type(operation), binding).encode(operation, Authorization(code))
    body = (request.body or b"").decode().replace(*replace).encode() if replace[0] else request.body or b""
    path = f"{request.path}?{request.query}" if request.query else request.path
    return await exchange(service.url, request.method, path, dict(request.headers), body)


def structure(text):
    """What is left of an answer without its values: names in order, the status word, the form of a text."""
    if text.lstrip().startswith("<"):
        return _element(ET.fromstring(text))
    word, _, body = text.partition("\n\n")
    if not body:
        return word.partition("https://")[0]  # an address stands right behind the word
    if body.startswith("<"):
        return word, _element(ET.fromstring(body))
    head = body.partition("\n")[0]
    if head.endswith("|"):
        return word, head, body.endswith("|\n")
    blocks = body.rstrip("\n").split("\n\n")
    return word, [line.partition(":")[0] for line in blocks[0].split("\n")], len(body) - len(body.rstrip("\n"))


def _element(element):
    """Name, attributes and children; of children that are alike one stands for all."""
    children = []
    for child in element:
        found = _element(child)
        if found not in children:
            children.append(found)
    return _local(element), tuple(element.attrib), tuple(children)


def _local(element):
    name = element.tag.rpartition("}")[2]
    # A result that is a word is a part of the structure.
    text = (element.text or "").strip()
    return f"{name}={text}" if name.endswith(("Result", "Ret")) and text else name


def answer_root(text):
    """infoRouter's element within whatever is around it; its name says nothing."""
    root = ET.fromstring(text)
    inner = next((each for each in root.iter() if "success" in each.attrib), root)
    return _element(inner)[1:]
