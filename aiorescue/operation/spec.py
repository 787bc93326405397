"""Operations: `Operation`, the base of every operation type, and `Spec`, its declaration beside the parameters.

An operation type is a frozen attrs class whose annotations are the parameters and whose `spec` says the rest: bindings,
status words, outputs, effect, rate family. Methods, codecs, the emulator, the command and the reference in the docs
derive from that declaration. Nothing here knows how bytes look or how they travel.
"""

import enum
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from aiorescue import errors
from aiorescue.operation.field_docs import FIELD_DOCS
from aiorescue.operation.frames import discreet
from aiorescue.operation.frozen import frozen
from aiorescue.operation.outcome import Answer, Outcome
from aiorescue.operation.parameter import Parameter, Slot, Source, sources_of

__all__ = [
    "Binding",
    "Content",
    "Effect",
    "Evidence",
    "Family",
    "Needs",
    "Operation",
    "Output",
    "PageLayout",
    "Service",
    "Spec",
]

R_co = TypeVar("R_co", covariant=True)

_FITS = Parameter.fits  # looked up once, for `map` in the check of every value


class Binding(enum.Enum):
    """The six interfaces through which the services can be called."""

    SOAP11 = "soap11"
    SOAP12 = "soap12"
    HTTP_GET = "http-get"
    HTTP_POST = "http-post"
    TEXT_GET = "text-get"
    TEXT_POST = "text-post"

    # An enum's own is written in Python; every call looks up its codec by binding, in 0.04 µs instead of 0.16.
    __hash__ = object.__hash__

    @property
    def is_get(self) -> bool:
        """Whether parameters travel in the URL."""
        return self in (Binding.HTTP_GET, Binding.TEXT_GET)

    @property
    def without_url(self) -> "Binding":
        """The binding of this interface that sends parameters in the body, never in the URL."""
        return _BODY_TWINS.get(self, self)


_BODY_TWINS = {Binding.HTTP_GET: Binding.HTTP_POST, Binding.TEXT_GET: Binding.TEXT_POST}


class Evidence(enum.IntEnum):
    """How it is known that an operation is offered on a binding; a higher value is better evidence."""

    INFERRED = 1  # by analogy with a sibling operation; not seen
    CLIENT = 2  # seen in the code of a working client
    DOCUMENTED = 3  # documented on a page of the vendor's


class Effect(enum.Enum):
    """What repeating a call would do, which decides whether it is retried after an ambiguous outcome."""

    READ = "reads"
    IDEMPOTENT = "leads to the same state"
    EXPIRES = "issues another one; an unclaimed one expires by itself"
    CREATES = "is carried out twice"


class Needs(enum.Enum):
    """The identity that a call of an operation needs."""

    NOTHING = "no identity: the operation carries its own credentials, if any"
    IDENTITY = "an auth code or a server session; for infoRouter a ticket"
    SESSION = "a server session, as there is no parameter for an auth code or ticket"


class Family(enum.Enum):
    """Rate families: operations that the service counts against one limit, named as in `aiorescue.Pace`."""

    PINS = "pins"
    EMAIL_TEXTS = "email_texts"
    LOGINS = "logins"
    REPORTS = "reports"
    AUTH_CODES = "auth_codes"
    LINKS = "links"

    __hash__ = object.__hash__  # for speed, as in `Binding`


# --- the declaration ------------------------------------------------------------------------------


class Content(enum.Enum):
    """The form of an answer's content, inside the envelope of its binding."""

    XML = "a document or a word"
    BYTES = "bytes: base64 in SOAP, a JSON string of it elsewhere"
    NOTHING = "an empty body"


@frozen(kw_only=True)
class Service:
    """One of the two web services: its addresses, and its habits on the wire.

    Attributes:
        name: name of the service, for messages.
        namespace: XML namespace of its elements.
        asmx: path of its ASMX page.
        understand: makes the outcome of an answer.
        refusal: makes the outcome of an answer's headers, or None if they say nothing and the body is to be read; None
            for a service that says nothing in headers.
        hints: explanations of HTTP statuses that mean something special here, for messages.
        answers_as_elements: True to hand XML documents to `understand` as `xml.etree` elements, which keep names and
            order.
        omits_absent: True if a parameter without a value is not sent; otherwise a text is sent empty.
        identity_first: True if the ticket precedes the other parameters; otherwise the auth code follows them.
        keeps_answers: True if values hold parts of the answer's mappings, which must then not be taken apart.
        validates_requests: True if the service refuses markup in forms and queries (ASP.NET's request validation).
    """

    name: str
    namespace: str
    asmx: str
    understand: "Callable[[type[Operation[Any]], Answer], Outcome[Any]]"
    refusal: "Callable[[type[Operation[Any]], Mapping[str, str]], Outcome[Any] | None] | None" = None
    hints: Mapping[int, str] = attrs.field(factory=dict)
    answers_as_elements: bool = False
    omits_absent: bool = False
    identity_first: bool = False
    keeps_answers: bool = False
    validates_requests: bool = True

    def action(self, operation: str) -> str:
        """The SOAPAction of an operation, by the vendor's name."""
        return f"{self.namespace.rstrip('/')}/{operation}"


class PageLayout(enum.Enum):
    """How a text page writes the outputs below or behind its OK."""

    KEYS = "lines of KEY:value"
    BLOCKS = "one block of KEY:value lines for each record, separated by blank lines"
    TABLE = "a header line and rows, each cell closed by the delimiter; or an XML form of that table"
    VALUE = "the text below the status word is one value"
    BODY = (
        "the text below or right behind the status word (OK:1) is one value; or an XML document without a status word"
    )
    WORD = "the status word itself is the value"
    ADDRESS = "an address right behind the status word (OK:https://…)"


@frozen
class Output:
    """One value that an OK brings along.

    Attributes:
        soap: name of its element over SOAP, and of the output everywhere else.
        page_key: key on the text page; empty if the page has no keys, or lacks the output.
        holds: type of the element's text.
        record: class of the records that a structure or list holds; None for a plain value.
        item: name of the element of one record in a list; empty if there is no list.
        optional: True if an OK may lack the output.
    """

    soap: str
    page_key: str = ""
    holds: type[str] | type[int] | type[bool] = str
    record: type[Any] | None = None
    item: str = ""
    optional: bool = False


@frozen(kw_only=True)
class Spec:
    """The declaration of an operation beside its parameters.

    Attributes:
        service: service that offers the operation.
        name: the vendor's name, which is also the name of its SOAP element and the end of its SOAPAction.
        bindings: bindings that it is offered on, each with the evidence for that.
        prefix: what precedes its status words in SOAP and ASMX answers.
        root: root element of its answers over ASMX forms.
        page: path of its text page; empty if it has none.
        page_layout: how the text page writes the outputs.
        words: status words of the operation in SOAP's spelling; the text page writes them in capitals.
        page_words: status words that only the text page knows.
        outputs: values that an OK brings along.
        identity: parameter for the auth code or ticket; None if it takes neither.
        needs: identity that a call needs.
        effect: what repeating a call would do.
        family: rate family; None if it has no limit.
        own_credentials: fields for name and password; the client's `aiorescue.Login` fills those left out.
        false_on: error that means the result False (isValidTicket); None if every error is raised.
        secret_answer: True if the answer holds a secret and is never quoted.
        content: form of the answer's content.
        streamed: True if the text page's answer may be too long for memory.
    """

    service: Service
    name: str
    bindings: Mapping[Binding, Evidence]
    prefix: str = ""
    root: str = ""
    page: str = ""
    page_layout: PageLayout = PageLayout.KEYS
    words: tuple[str, ...] = ()
    page_words: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    identity: Parameter | None = None
    needs: Needs = Needs.IDENTITY
    effect: Effect = Effect.READ
    family: Family | None = None
    own_credentials: tuple[str, str] | None = None
    false_on: type[errors.RescueError] | None = None
    secret_answer: bool = False
    content: Content = Content.XML
    streamed: bool = False

    def choose(self, preferred: Binding) -> Binding:
        """The preferred binding if the operation is offered on it, else `best`."""
        return preferred if preferred in self.bindings else self.best

    @property
    def best(self) -> Binding:
        """The binding with the best evidence; among equals SOAP 1.1 first, and a body before a URL."""
        ranked = [b for b in Binding if b in self.bindings and not b.is_get] or list(self.bindings)
        return max(ranked, key=lambda b: self.bindings[b])

    def require(self, binding: Binding) -> Binding:
        """The given binding; raises `errors.UnsupportedBinding` if the operation is not offered on it."""
        if binding in self.bindings:
            return binding
        offered = ", ".join(b.name for b in Binding if b in self.bindings)
        raise errors.UnsupportedBinding(
            f"{self.name} is not offered over {binding.name}; use one of: {offered}", operation=self.name
        )


@frozen
class Operation(Generic[R_co]):
    """Base of all operation types; an operation is a value that says what to call, with its parameters.

    Subclasses are frozen attrs classes. Their annotated fields are the parameters, and `spec` declares the rest.

    Attributes:
        spec: declaration of the operation type.
        sources: fields that fill parameters, in the order of the wire.
        slots: one entry for each parameter, in the order of the wire.
    """

    spec: ClassVar[Spec]
    sources: ClassVar[tuple[Source, ...]] = ()
    slots: ClassVar[tuple[Slot, ...]] = ()

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        if "__init__" in vars(cls):  # its own, as it has fields of its own
            cls.__init__ = discreet(cls.__init__)  # type: ignore[method-assign]  # a refused value may be a password
        cls.takes(sources_of(cls))
        cls.__doc__ = _with_fields(cls.__doc__, FIELD_DOCS.get(f"{cls.__module__}.{cls.__name__}", ""))

    @classmethod
    def takes(cls, sources: Iterable[Source]) -> None:
        """Set the sources of an operation type, from which its slots follow."""
        cls.sources = tuple(sources)
        cls.slots = tuple(slot for source in cls.sources for slot in source.slots())

    def __attrs_post_init__(self) -> None:
        for source in self.sources:
            value, parameters = source.get(self), source.parameters
            if not (all(map(_FITS, parameters, value)) if source.several else parameters[0].fits(value)):
                self._check(source.slots())
        if more := self.more_slots():
            self._check(more)

    def _check(self, slots: Iterable[Slot]) -> None:
        for slot in slots:
            slot.parameter.check(slot.name, slot.get(self), self.spec.name)

    def more_slots(self) -> Sequence[Slot]:
        """More slots than its type has, for an operation whose number of parameters depends on its value."""
        return ()

    @property
    def secrets(self) -> list[str]:
        """Values that must not appear in any message."""
        slots = (*self.slots, *self.more_slots())
        values = (slot.get(self) for slot in slots if slot.parameter.secret)
        return [str(value) for value in values if value and isinstance(value, str | int) and value is not True]

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> R_co:
        """Make the result of an OK: by default the value of the only output, or None if there is none.

        Args:
            values: outputs by their SOAP names.

        Raises:
            ValueError: an output cannot be read.
        """
        outputs = cls.spec.outputs
        return values[outputs[0].soap] if outputs else None  # type: ignore[return-value]  # what R_co says is declared

    def with_orphans(self, result: Any, count: int) -> R_co:
        """Add to a result the number of earlier attempts that may have been carried out without an answer."""
        return result  # type: ignore[no-any-return]  # `Any`, as R_co cannot be the type of a parameter


#: What the compiler leaves before each line of a docstring but the first: since Python 3.13 nothing.
_INDENT = "" if sys.version_info >= (3, 13) else "    "


def _with_fields(doc: str | None, fields: str) -> str | None:
    """The docstring of an operation type with an ``Args:`` section, before ``Returns:`` if it has that."""
    if not doc or not fields:
        return doc
    head, returns, rest = doc.partition(f"\n\n{_INDENT}Returns:")
    section = fields.replace("\n", f"\n{_INDENT}    ")
    return f"{head.rstrip()}\n\n{_INDENT}Args:\n{_INDENT}    {section}{returns}{rest}"
