"""Invitations: how a PIN code reaches the customer, as a link or as the text of an e-mail."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import attrs

from aiorescue import errors
from aiorescue.operation import Effect, Family, Operation, Output, Parameter, Repeated, operation
from aiorescue.rescue.pins import DIGITS, LONGEST_CUSTOM_FIELDS, WORDS
from aiorescue.rescue.service import SOAP11_SEEN, SOAP12_SEEN, TEXT, declare

#: The two that a working client sends; more are likely, but nobody has shown them.
TwoFields = Annotated[
    tuple[str, ...],
    Repeated(tuple(Parameter(f"sCField{i}", max_length=n) for i, n in enumerate(LONGEST_CUSTOM_FIELDS[:2]))),
]
PinDigits = Annotated[str, Parameter("iPINCode", "pincode")]


def _two_fields(values: Sequence[str]) -> tuple[str, ...]:
    if isinstance(values, str) or not hasattr(values, "__len__") or len(values) > len(LONGEST_CUSTOM_FIELDS[:2]):
        raise errors.InvalidRequest("requestInvitationLink: custom_fields must be a list of up to two texts")
    return tuple(values)


def _digits(code: object) -> str:
    """The PIN as six digits; the value of `PinCode` will do."""
    text = str(code)
    if len(text) != DIGITS or not (text.isascii() and text.isdigit()):
        raise errors.InvalidRequest("generateEmailText: pin_code must be six digits, as text")
    return text


@operation(kw_only=True)
class RequestInvitationLink(Operation[str]):
    """Ask for a link that starts a session, with a new PIN code in it. SOAP only. Vendor: ``requestInvitationLink``.

    Known from a client's code; it sends these parameters, and more custom fields are likely.

    Args:
        node: id of the technician's node the link is for; left out, it is not sent.
        custom_fields: up to two texts (64 and 512 characters) that the technician sees.

    Returns:
        The address, such as ``"https://secure.logmeinrescue.com/R?i=2&Code=100500"``.
    """

    node: Annotated[int | None, Parameter("nodeId", holds=int)] = None
    custom_fields: TwoFields = attrs.field(default=(), converter=_two_fields)

    spec = declare(
        "requestInvitationLink",
        SOAP12_SEEN,
        words=f"{WORDS} NoAccessToLens",
        outputs=(Output("sInvitationLink"),),
        effect=Effect.EXPIRES,
        family=Family.LINKS,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> str:
        """The link."""
        link = str(values["sInvitationLink"]).strip()
        if not link:
            raise ValueError("the answer is OK but its sInvitationLink is empty")
        return link


@attrs.frozen
class EmailText:
    """An invitation to send by e-mail; the service itself sends nothing.

    Attributes:
        subject: of the e-mail.
        text: what stands above the link.
        link: the address that starts the session.
        signature: what stands below the link.
    """

    subject: str
    text: str
    link: str
    signature: str


@operation
class GenerateEmailText(Operation[EmailText]):
    """Make the text of an e-mail that invites to a session. Vendor: ``generateEmailText``.

    One call a second: the excess answers plain ``ERROR``, so that it is tried again like any other error. SOAP is
    known from the vendor's PHP sample, which is older than auth codes: that one is taken there is inferred, and so are
    its words.

    Args:
        pin_code: six digits, or a `PinCode`.
    """

    pin_code: PinDigits = attrs.field(converter=_digits)

    # The prefix is inferred; another one is taken off as well
    spec = declare(
        "generateEmailText",
        SOAP11_SEEN | TEXT,
        words="Error OK NotLoggedIn NotTechnician InvalidPinFormat Invalid_SecretAuthCode User_Deleted_Or_Disabled",
        outputs=(
            Output("sSubject", "SUBJECT"),
            Output("sText", "TEXT"),
            Output("sLink", "LINK"),
            Output("sSignature", "SIGNATURE"),
        ),
        family=Family.EMAIL_TEXTS,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> EmailText:
        """The parts of the e-mail."""
        return EmailText(*(str(values[name]) for name in ("sSubject", "sText", "sLink", "sSignature")))
