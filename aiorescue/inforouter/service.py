"""What the typed operations share: how each is declared, the spellings of the ticket, common parameters."""

from typing import Annotated

from aiorescue.inforouter.answers.envelope import INFOROUTER
from aiorescue.operation import Binding, Content, Effect, Evidence, Needs, Parameter, Spec

BINDINGS = {
    Binding.SOAP11: Evidence.DOCUMENTED,
    Binding.HTTP_GET: Evidence.DOCUMENTED,
    Binding.HTTP_POST: Evidence.DOCUMENTED,
}
#: Methods that take bytes answer HTTP 415 to a GET.
WITH_BYTES = {binding: evidence for binding, evidence in BINDINGS.items() if not binding.is_get}

#: The spelling of the 2019 WSDL. SOAP minds the case: misspelt, the call would run as the anonymous user.
TICKET = Parameter("AuthenticationTicket", secret=True)
#: The same, of a method whose page spells it otherwise.
TICKET_LOWER_IN_FORMS = Parameter("AuthenticationTicket", form_name="authenticationTicket", secret=True)
#: Of a method that the WSDL does not have, and whose page spells it so.
TICKET_LOWER = Parameter("authenticationTicket", secret=True)

Path = Annotated[str, Parameter("Path")]
LowerPath = Annotated[str, Parameter("Path", form_name="path")]


def declare(
    name: str,
    *,
    ticket: Parameter | None = TICKET_LOWER_IN_FORMS,
    effect: Effect = Effect.READ,
    answers: Content = Content.XML,
    takes_bytes: bool = False,
) -> Spec:
    """The declaration of a method; a test compares it with the catalogue."""
    return Spec(
        service=INFOROUTER,
        name=name,
        bindings=WITH_BYTES if takes_bytes else BINDINGS,
        identity=ticket,
        needs=Needs.NOTHING if ticket is None else Needs.IDENTITY,
        effect=effect,
        content=answers,
    )
