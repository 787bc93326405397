"""infoRouter as a service, and what the typed operations share: their base classes, how one is declared, parameters."""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, TypeVar

from aiorescue import errors
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.envelope import refusal, understand
from aiorescue.operation import Binding, Content, Effect, Evidence, Family, Needs, Operation, Parameter, Service, Spec

R_co = TypeVar("R_co", covariant=True)

INFOROUTER = Service(
    name="infoRouter",
    namespace="http://tempuri.org/",
    asmx="/srv.asmx",
    understand=understand,
    refusal=refusal,
    hints={
        400: "which is its answer to a required text that is empty",
        415: "which is its answer to bytes by GET",
    },
    answers_as_elements=True,
    omits_absent=True,
    identity_first=True,
    validates_requests=False,
)

BINDINGS = {
    Binding.SOAP11: Evidence.DOCUMENTED,
    Binding.HTTP_GET: Evidence.DOCUMENTED,
    Binding.HTTP_POST: Evidence.DOCUMENTED,
}
#: Bindings of methods that take bytes: the service answers a GET of them with HTTP 415.
WITH_BYTES = {binding: evidence for binding, evidence in BINDINGS.items() if not binding.is_get}

#: The ticket as the WSDL of 2019 spells it. SOAP minds the case: misspelt, the call would run as the anonymous user.
TICKET = Parameter("AuthenticationTicket", secret=True)
#: The ticket of a method that is in the WSDL of 2019, but whose page spells it otherwise for forms and queries.
TICKET_LOWER_IN_FORMS = Parameter("AuthenticationTicket", form_name="authenticationTicket", secret=True)
#: The ticket of a method that is not in the WSDL of 2019; this is its page's spelling.
TICKET_LOWER = Parameter("authenticationTicket", secret=True)

Path = Annotated[str, Parameter("Path")]
LowerPath = Annotated[str, Parameter("Path", form_name="path")]


class InfoRouterOperation(Operation[R_co]):
    """An operation of infoRouter: a value that says what to call, and a reader of the answer's root element."""

    __slots__ = ()

    #: True if a success that failed for some items is a result whose `log` names them; False if it is an error.
    partial_is_success: ClassVar[bool] = False

    @classmethod
    def read(cls, root: Element) -> R_co:
        """Read the result of a success; None unless the operation says otherwise.

        Raises:
            KeyError: the answer lacks an attribute or element.
            ValueError: the answer has a value that cannot be read.
        """
        return None  # type: ignore[return-value]  # R_co is None for the operations that do not override this


class BringsTicket(InfoRouterOperation[R_co]):
    """An operation that may carry a ticket as an ordinary parameter, and is then called with that ticket."""

    __slots__ = ()

    @property
    @abstractmethod
    def ticket(self) -> str | None:
        """The ticket that the operation carries; None if it is called with the client's own."""


def own_ticket(operation: Operation[Any]) -> str | None:
    """The ticket that an operation carries as an ordinary parameter; None if it carries none."""
    return operation.ticket if isinstance(operation, BringsTicket) else None


def declare(
    name: str,
    *,
    ticket: Parameter | None = TICKET_LOWER_IN_FORMS,
    needs: Needs | None = None,
    effect: Effect = Effect.READ,
    content: Content = Content.XML,
    takes_bytes: bool = False,
    family: Family | None = None,
    own_credentials: tuple[str, str] | None = None,
    false_on: type[errors.RescueError] | None = None,
    secret_answer: bool = False,
) -> Spec:
    """Declare an infoRouter method: only what its name and the service do not say already.

    A test compares each declaration with the method's record in the catalogue, except those of ticket operations, which
    bring tickets and credentials in a way of their own.

    Args:
        name: the vendor's name of the method.
        ticket: parameter for the client's ticket, in the method's spelling; None for a method that takes none.
        needs: identity that a call needs; left out, the ticket if the method takes one, else nothing.
        effect: what a repetition of the call would do.
        content: what the method answers with.
        takes_bytes: True if a parameter holds bytes; the method is then not offered over GET.
        family: rate family of the method; None if it has no limit.
        own_credentials: fields for user name and password, which the client's `aiorescue.Login` fills if left out.
        false_on: error that means the result False.
        secret_answer: True if the answer holds a secret.
    """
    if needs is None:
        needs = Needs.NOTHING if ticket is None else Needs.IDENTITY
    return Spec(
        service=INFOROUTER,
        name=name,
        bindings=WITH_BYTES if takes_bytes else BINDINGS,
        identity=ticket,
        needs=needs,
        effect=effect,
        content=content,
        family=family,
        own_credentials=own_credentials,
        false_on=false_on,
        secret_answer=secret_answer,
    )
