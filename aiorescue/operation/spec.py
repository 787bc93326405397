"""What an operation *is*: parameters, status words, outputs, effect, rate family, bindings.

Data and types only; nothing here knows how bytes look or how they travel. An operation is a frozen
attrs class whose annotations carry the wire names; everything else derives from that declaration.
"""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import attrs

from aiorescue import errors
from aiorescue.operation.frames import discreet
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
    "operation",
]

R = TypeVar("R")

_FITS = Parameter.fits


class Binding(enum.Enum):
    """The six ways in which the services can be spoken to."""

    SOAP11 = "soap11"
    SOAP12 = "soap12"
    HTTP_GET = "http-get"
    HTTP_POST = "http-post"
    TEXT_GET = "text-get"
    TEXT_POST = "text-post"

    __hash__ = object.__hash__  # that of an enum is written in Python, and there is a look-up in every call

    @property
    def is_get(self) -> bool:
        """Whether parameters travel in the URL."""
        return self in (Binding.HTTP_GET, Binding.TEXT_GET)

    @property
    def without_url(self) -> "Binding":
        """The same interface with the parameters in the body."""
        return _BODY_TWINS.get(self, self)


_BODY_TWINS = {Binding.HTTP_GET: Binding.HTTP_POST, Binding.TEXT_GET: Binding.TEXT_POST}


class Evidence(enum.IntEnum):
    """How we know that an operation answers on a binding; the higher the better."""

    INFERRED = 1  # by analogy with a sibling; nobody has shown it
    CLIENT = 2  # in the code of a working client
    DOCUMENTED = 3  # on a page of the vendor's


class Effect(enum.Enum):
    """What a repetition would do; decides what may be retried when the outcome is unknown."""

    READ = "reads"
    IDEMPOTENT = "the same again"
    EXPIRES = "issues something that merely expires if nobody claims it"
    CREATES = "does it twice"


class Needs(enum.Enum):
    """As whom an operation is called."""

    NOTHING = "nobody: it carries its own credentials, if any"
    IDENTITY = "an auth code or a logged-in session; for infoRouter a ticket"
    SESSION = "the session itself: there is no parameter for it"


class Family(enum.Enum):
    """Operations that the service counts against one limit; the names are those of `Pace`."""

    PINS = "pins"
    EMAIL_TEXTS = "email_texts"
    LOGINS = "logins"
    REPORTS = "reports"
    AUTH_CODES = "auth_codes"
    LINKS = "links"

    __hash__ = object.__hash__  # as of `Binding`


# --- the declaration ------------------------------------------------------------------------------


class Content(enum.Enum):
    """What an operation answers with, inside whatever its binding wraps around it."""

    XML = "a document or a word"
    BYTES = "bytes: base64 in SOAP, a JSON string of it elsewhere"
    NOTHING = "an empty body"


@attrs.frozen(kw_only=True)
class Service:
    """One of the two web services.

    Attributes:
        name: for messages.
        namespace: of its elements.
        asmx: path of the .asmx page.
        understand: the meaning of its answers.
        refusal: the meaning of an answer's headers; None if they say nothing, and the answer is read.
        hints: what an HTTP status means here, for messages.
        answers_as_elements: its documents are handed to `understand` as elements of `xml.etree`, in order and with
            their names.
        omits_absent: a parameter without a value is not sent; else a text is sent empty.
        identity_first: the ticket stands before the other parameters, not after them.
        validates_requests: refuses markup in forms and queries (ASP.NET's request validation).
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
    validates_requests: bool = True

    def action(self, operation: str) -> str:
        """The SOAPAction of an operation."""
        return f"{self.namespace.rstrip('/')}/{operation}"


class PageLayout(enum.Enum):
    """How a text page writes what its OK brings along."""

    KEYS = "lines of KEY:value"
    BLOCKS = "one block of KEY:value lines a record, parted by blank lines"
    TABLE = "a header line and rows, each cell closed by the delimiter; or the XML form of that"
    VALUE = "all that follows the word is one value"
    BODY = "the same; it may stand right behind the word, as in OK:1, or be an XML document without one"
    WORD = "the word itself is the value"
    ADDRESS = "an address right behind the word, as in OK:https://…"


@attrs.frozen
class Output:
    """One value in the answer.

    Attributes:
        soap: its element.
        page_key: its key on the text page.
        holds: what the element holds.
        record: the class with the fields of a structure.
        item: the element of one record, where there is a list of them.
        optional: not every answer brings it.
    """

    soap: str
    page_key: str = ""
    holds: type[str] | type[int] | type[bool] = str
    record: type[Any] | None = None
    item: str = ""
    optional: bool = False


@attrs.frozen(kw_only=True)
class Spec:
    """All that must be known of an operation beyond its parameters.

    Attributes:
        name: the vendor's name; it is also the element and the end of the SOAPAction.
        bindings: where it answers, and how we know.
        prefix: what stands before its status words in SOAP and ASMX answers.
        root: the root element of its ASMX GET and POST answers.
        page: the path of its text page.
        page_layout: how that page writes the outputs.
        words: its status words in the SOAP spelling; the text page has them in capitals.
        page_words: words that only the text page knows.
        outputs: what an OK brings along.
        identity: the parameter that takes the auth code or ticket.
        own_credentials: the fields for name and password; left out, the caller's `Login` fills them.
        false_on: the refusal that is this operation's way to answer False (isValidTicket).
        secret_answer: the answer holds a secret, so it is never quoted.
        content: what it answers with.
        streamed: its text page's answer may be too long for the memory.
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
        """The client's preferred binding if offered, else the best that is known for the operation."""
        return preferred if preferred in self.bindings else self.best

    @property
    def best(self) -> Binding:
        """The binding with the best evidence; bodies before URLs, SOAP 1.1 before the rest."""
        ranked = [b for b in Binding if b in self.bindings and not b.is_get] or list(self.bindings)
        return max(ranked, key=lambda b: self.bindings[b])

    def require(self, binding: Binding) -> Binding:
        """The binding itself if offered. Raises `errors.UnsupportedBinding`."""
        if binding in self.bindings:
            return binding
        offered = ", ".join(b.name for b in Binding if b in self.bindings)
        raise errors.UnsupportedBinding(
            f"{self.name} is not offered over {binding.name}; use one of: {offered}", operation=self.name
        )


if TYPE_CHECKING:
    from attrs import frozen as operation
else:
    #: `attrs.frozen` for operations. Their comparison and repr are inherited: generating them for each would take half
    #: of the time that it takes to import them all.
    operation = partial(attrs.frozen, eq=False, repr=False)


class Operation(Generic[R]):
    """The base of all operations: a value that says what to ask.

    Subclasses are frozen attrs classes. Their `spec` is the declaration; their annotated fields are the parameters.
    """

    __slots__ = ()
    spec: ClassVar[Spec]
    sources: ClassVar[tuple[Source, ...]] = ()
    slots: ClassVar[tuple[Slot, ...]] = ()

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        cls.__init__ = discreet(cls.__init__)  # type: ignore[method-assign]  # a refused value may be a password
        cls.takes(sources_of(cls))

    @classmethod
    def takes(cls, sources: Iterable[Source]) -> None:
        """Declare where the parameters get their values from."""
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
        """Slots whose number only the value knows: those of a list of records."""
        return ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash((type(self), _values(self)))

    def __repr__(self) -> str:
        shown = (f"{one.name}={getattr(self, one.name)!r}" for one in _fields(self) if one.repr)
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def secrets(self) -> list[str]:
        """The values that must not be shown."""
        slots = (*self.slots, *self.more_slots())
        values = (slot.get(self) for slot in slots if slot.parameter.secret)
        return [str(value) for value in values if value and isinstance(value, str | int) and value is not True]

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> R:
        """The typed result of an OK, from the outputs by their SOAP names: the value of the only one, or None."""
        outputs = cls.spec.outputs
        return values[outputs[0].soap] if outputs else None  # type: ignore[return-value]  # R is None then

    def with_orphans(self, result: R, count: int) -> R:
        """The result, told how many earlier attempts may have been carried out unseen."""
        return result


def _values(operation: object) -> tuple[Any, ...]:
    return tuple(getattr(operation, field.name) for field in _fields(operation))


def _fields(operation: Any) -> "Sequence[attrs.Attribute[Any]]":
    fields: Sequence[attrs.Attribute[Any]] = attrs.fields(type(operation))
    return fields
