"""What the `.asmx` pages say about themselves: WSDL, discovery, and the pages that a browser shows.

Everything is generated from the declarations, in the layout of ASP.NET's own generator.
"""

import html
from collections.abc import Iterator

from aiorescue.emulator import soap, writing
from aiorescue.emulator.http import FORM_TYPE
from aiorescue.emulator.site import Shape, Site
from aiorescue.operation import Content, Output, Parameter
from aiorescue.rescue.answers.nodes import Group
from aiorescue.rescue.answers.records import Columns, Field

_DOCUMENT = '<s:complexType mixed="true"><s:sequence><s:any /></s:sequence></s:complexType>'
_PERMISSIONS = "ArrayOfNODE_PERMISSIONS"
#: Types of the schema by the type of what is read from a text that is as good a number as a truth.
_READ, _ANY = {int: "s:int", bool: "s:boolean"}, "1"
_HTTP = {"HttpGet": "GET", "HttpPost": "POST"}
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def _stem(site: Site) -> str:
    """Name of the service, which is that of its page: API, srv."""
    return site.service.asmx.rpartition("/")[2].removesuffix(".asmx")


def _result_type(shape: Shape) -> str:
    return shape.spec.root or f"{shape.name}Ret"


def _element(name: str, type_: str, *, most: str = "1") -> str:
    # For .NET, a value type is never absent.
    least = 1 if type_ in ("s:int", "s:boolean", "s:dateTime") else 0
    return f'<s:element minOccurs="{least}" maxOccurs="{most}" name="{name}" type="{type_}" />'


def _parameter(each: Parameter) -> str:
    if each.raw_xml:
        return f'<s:element minOccurs="0" maxOccurs="1" name="{each.soap}">{_DOCUMENT}</s:element>'
    if each.choices and each.soap[:1] == "e":
        values = "".join(f'<s:enumeration value="{choice}" />' for choice in map(str, each.choices))
        restriction = f'<s:simpleType><s:restriction base="s:string">{values}</s:restriction></s:simpleType>'
        return f'<s:element minOccurs="1" maxOccurs="1" name="{each.soap}">{restriction}</s:element>'
    return _element(each.soap, writing.xsd(each.soap, each.holds))


def _output(each: Output) -> str:
    if each.record is None:
        return _element(each.soap, writing.xsd(each.soap, each.holds))
    return _element(each.soap, f"tns:{_record_type(each)}")


def _record_type(each: Output) -> str:
    """Name of the type of a structure or of an array of structures."""
    return f"ArrayOf{each.item}" if each.item else each.record.__name__.upper() if each.record else ""


def _structures(shapes: list[Shape]) -> Iterator[str]:
    """The types of all records of these operations, each once."""
    found: dict[str, Output] = {}
    for shape in shapes:
        for each in shape.spec.outputs:
            if each.record is not None:
                found.setdefault(_record_type(each), each)
    for name, each in found.items():
        if each.item:
            item = _element(each.item, f"tns:{each.item}", most="unbounded")
            yield f'<s:complexType name="{name}"><s:sequence>{item}</s:sequence></s:complexType>'
        fields = "".join(_fields(each))
        yield f'<s:complexType name="{each.item or name}"><s:sequence>{fields}</s:sequence></s:complexType>'
    if any(each.record is Group for each in found.values()):
        name = _element("NODE_PERMISSIONS", "s:string", most="unbounded")
        yield f'<s:complexType name="{_PERMISSIONS}"><s:sequence>{name}</s:sequence></s:complexType>'


def _fields(each: Output) -> Iterator[str]:
    for name, mark in writing.soap_marks(each.record or Group):
        fields = mark.fields if isinstance(mark, Columns) else (mark,)
        for field in fields:
            if name == "permissions":
                yield _element(field.soap, f"tns:{_PERMISSIONS}")
            elif field.soap:
                # Not every version has every field, so none is called required.
                yield _element(field.soap, _type_of(field)).replace('minOccurs="1"', 'minOccurs="0"')


def _type_of(field: Field) -> str:
    try:
        return _READ.get(type(field.read(_ANY)), "s:string")
    except ValueError:  # it reads moments
        return "s:string"


def _complex(name: str, inner: str) -> str:
    content = f"<s:complexType><s:sequence>{inner}</s:sequence></s:complexType>" if inner else "<s:complexType />"
    return f'<s:element name="{name}">{content}</s:element>'


def _schema(shape: Shape) -> Iterator[str]:
    """Elements and types of one operation: request, answer and status words."""
    name, result = shape.name, f"{shape.name}Result"
    yield _complex(name, "".join(map(_parameter, shape.parameters)))
    outputs = "".join(map(_output, shape.spec.outputs))
    if not shape.spec.words:
        document = f'<s:element minOccurs="0" maxOccurs="1" name="{result}">{_DOCUMENT}</s:element>'
        bytes_ = _element(result, "s:base64Binary")
        yield _complex(f"{name}Response", bytes_ if shape.spec.content is Content.BYTES else document)
        return
    result_type = _result_type(shape)
    answer = f'<s:element minOccurs="1" maxOccurs="1" name="{result}" type="tns:{result_type}" />{outputs}'
    yield _complex(f"{name}Response", answer)
    words = "".join(f'<s:enumeration value="{shape.spec.prefix}{word}" />' for word in shape.spec.words)
    yield f'<s:simpleType name="{result_type}"><s:restriction base="s:string">{words}</s:restriction></s:simpleType>'
    if shape.over_forms:
        yield f'<s:element name="{result_type}" type="tns:{result_type}" />'


def _messages(shape: Shape) -> Iterator[str]:
    name = shape.name
    for way, element in (("In", name), ("Out", f"{name}Response")):
        part = f'<wsdl:part name="parameters" element="tns:{element}" />'
        yield f'<wsdl:message name="{name}Soap{way}">{part}</wsdl:message>'
    if not shape.over_forms:
        return
    inputs = "".join(f'<wsdl:part name="{each.soap}" type="s:string" />' for each in shape.parameters)
    body = f' element="tns:{_result_type(shape)}"' if shape.spec.words else ""
    for port in _HTTP:
        yield f'<wsdl:message name="{name}{port}In">{inputs}</wsdl:message>'
        yield f'<wsdl:message name="{name}{port}Out"><wsdl:part name="Body"{body} /></wsdl:message>'


def _port_type(stem: str, port: str, shapes: list[Shape]) -> str:
    operations = "".join(
        f'<wsdl:operation name="{shape.name}"><wsdl:input message="tns:{shape.name}{port}In" />'
        f'<wsdl:output message="tns:{shape.name}{port}Out" /></wsdl:operation>'
        for shape in shapes
    )
    return f'<wsdl:portType name="{stem}{port}">{operations}</wsdl:portType>'


def _soap_binding(stem: str, port: str, prefix: str, shapes: list[Shape]) -> str:
    use = f'<{prefix}:body use="literal" />'
    operations = "".join(
        f'<wsdl:operation name="{shape.name}">'
        f'<{prefix}:operation soapAction="{shape.service.action(shape.name)}" style="document" />'
        f"<wsdl:input>{use}</wsdl:input><wsdl:output>{use}</wsdl:output></wsdl:operation>"
        for shape in shapes
    )
    transport = f'<{prefix}:binding transport="http://schemas.xmlsoap.org/soap/http" />'
    return f'<wsdl:binding name="{stem}{port}" type="tns:{stem}Soap">{transport}{operations}</wsdl:binding>'


def _http_binding(stem: str, port: str, shapes: list[Shape]) -> str:
    inputs = "<http:urlEncoded />" if port == "HttpGet" else f'<mime:content type="{FORM_TYPE}" />'
    operations = "".join(
        f'<wsdl:operation name="{shape.name}"><http:operation location="/{shape.name}" />'
        f'<wsdl:input>{inputs}</wsdl:input><wsdl:output><mime:mimeXml part="Body" /></wsdl:output></wsdl:operation>'
        for shape in shapes
    )
    verb = f'<http:binding verb="{_HTTP[port]}" />'
    return f'<wsdl:binding name="{stem}{port}" type="tns:{stem}{port}">{verb}{operations}</wsdl:binding>'


def wsdl(site: Site, url: str) -> bytes:
    """WSDL of a service at the given address."""
    stem, namespace = _stem(site), site.service.namespace
    shapes = [shape for shape in site.shapes.values() if shape.over_soap]
    forms = [shape for shape in shapes if shape.over_forms]
    schema = "".join(part for shape in shapes for part in _schema(shape)) + "".join(_structures(shapes))
    addresses = {"Soap": "soap", "Soap12": "soap12", "HttpGet": "http", "HttpPost": "http"}
    parts = [
        _DECLARATION,
        (
            '<wsdl:definitions xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/"'
            f' xmlns:http="http://schemas.xmlsoap.org/wsdl/http/" xmlns:tns="{namespace}"'
            ' xmlns:mime="http://schemas.xmlsoap.org/wsdl/mime/" xmlns:s="http://www.w3.org/2001/XMLSchema"'
            ' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"'
            f' targetNamespace="{namespace}" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/">'
        ),
        (
            f'<wsdl:types><s:schema elementFormDefault="qualified" targetNamespace="{namespace}">{schema}</s:schema>'
            "</wsdl:types>"
        ),
        *(part for shape in shapes for part in _messages(shape)),
        _port_type(stem, "Soap", shapes),
        *(_port_type(stem, port, forms) for port in _HTTP),
        _soap_binding(stem, "Soap", "soap", shapes),
        _soap_binding(stem, "Soap12", "soap12", shapes),
        *(_http_binding(stem, port, forms) for port in _HTTP),
        f'<wsdl:service name="{stem}">',
        *(
            f'<wsdl:port name="{stem}{port}" binding="tns:{stem}{port}">'
            f'<{prefix}:address location="{html.escape(url)}" /></wsdl:port>'
            for port, prefix in addresses.items()
        ),
        "</wsdl:service></wsdl:definitions>",
    ]
    return "".join(parts).encode()


def disco(site: Site, url: str) -> bytes:
    """Discovery document of a service at the given address."""
    stem, namespace, where = _stem(site), site.service.namespace, html.escape(url)
    ports = "".join(
        f'  <soap address="{where}" xmlns:q{index}="{namespace}" binding="q{index}:{stem}{port}"'
        ' xmlns="http://schemas.xmlsoap.org/disco/soap/" />\n'
        for index, port in enumerate(("Soap", "Soap12"), 1)
    )
    return (
        f'{_DECLARATION}<discovery xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.xmlsoap.org/disco/">\n'
        f'  <contractRef ref="{where}?wsdl" docRef="{where}" xmlns="http://schemas.xmlsoap.org/disco/scl/" />\n'
        f"{ports}</discovery>"
    ).encode()


# --- for browsers ---------------------------------------------------------------------------------


def index_page(site: Site) -> bytes:
    """Page with the list of operations."""
    page = site.service.asmx.rpartition("/")[2]
    links = "".join(
        f'<li><a href="{page}?op={name}">{name}</a></li>\n' for name, shape in site.shapes.items() if shape.over_soap
    )
    return _html(_stem(site), f'<p><a href="{page}?WSDL">Service Description</a></p>\n<ul>\n{links}</ul>\n')


def operation_page(shape: Shape) -> bytes:
    """Page of one operation, with a sample for each of its interfaces."""
    samples = [("SOAP 1.1", _soap_sample(shape, soap.SOAP11)), ("SOAP 1.2", _soap_sample(shape, soap.SOAP12))]
    if shape.over_forms:
        query = "&".join(f"{each.soap}=string" for each in shape.parameters)
        target = f"{shape.service.asmx}/{shape.name}"
        get = f"GET {target}?{query} HTTP/1.1"
        post = f"POST {target} HTTP/1.1\nContent-Type: {FORM_TYPE}\nContent-Length: length\n\n{query}"
        samples += [("HTTP GET", get), ("HTTP POST", post)]
    words = " or ".join(f"{shape.spec.prefix}{word}" for word in shape.spec.words)
    blocks = "".join(f"<h3>{title}</h3>\n<pre>{html.escape(text)}</pre>\n" for title, text in samples)
    return _html(shape.name, f"<p>Answers: {html.escape(words or 'an XML document')}</p>\n{_form(shape)}{blocks}")


def _form(shape: Shape) -> str:
    """Form that invokes an operation, as ASP.NET shows it to browsers on the server's machine."""
    if not shape.over_forms:
        return "<p>The test form is only available for methods with primitive types as parameters.</p>\n"
    rows = "".join(
        f'<tr><td><label for="{name}">{name}:</label></td><td><input id="{name}" name="{name}" size="50" type="'
        f'{"password" if each.secret else "text"}"></td></tr>\n'
        for each in shape.parameters
        for name in [html.escape(each.form_name or each.soap)]
    )
    target = f"{shape.service.asmx}/{shape.name}"
    return (
        f'<h3>Test</h3>\n<form target="_blank" action="{target}" method="POST"><table>\n{rows}</table>'
        '<input type="submit" value="Invoke" class="button"></form>\n'
    )


def _soap_sample(shape: Shape, version: soap.SoapVersion) -> str:
    name, namespace = shape.name, shape.service.namespace

    def field(each: Parameter) -> str:
        return f"      <{each.soap}>{writing.xsd(each.soap, each.holds).removeprefix('s:')}</{each.soap}>\n"

    head = f"POST {shape.service.asmx} HTTP/1.1\nContent-Type: {version.content_type}\n"
    if version is soap.SOAP11:
        head += f'SOAPAction: "{shape.service.action(name)}"\n'
    fields = "".join(map(field, shape.parameters))
    return (
        f"{head}Content-Length: length\n\n"
        f'{_DECLARATION}<soap:Envelope xmlns:soap="{version.namespace}">\n  <soap:Body>\n'
        f'    <{name} xmlns="{namespace}">\n{fields}    </{name}>\n  </soap:Body>\n</soap:Envelope>'
    )


def _html(title: str, body: str) -> bytes:
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n{body}</body></html>\n"
    ).encode()
