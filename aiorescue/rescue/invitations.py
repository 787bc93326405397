"""Invitations: a PIN code as a link, or in the text of an e-mail."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import attrs

from aiorescue import errors
from aiorescue.operation import Effect, Family, Operation, Output, Parameter, Repeated, frozen, operation
from aiorescue.rescue.pins import DIGITS, LENS, LONGEST_CUSTOM_FIELDS, is_pin
from aiorescue.rescue.service import SOAP11_SEEN, SOAP12_SEEN, TEXT, declare

#: The two custom fields that a working client sends; more are likely, but were not seen.
TwoFields = Annotated[
    tuple[str, ...],
    Repeated(tuple(Parameter(f"sCField{i}", max_length=n) for i, n in enumerate(LONGEST_CUSTOM_FIELDS[:2]))),
]
PinDigits = Annotated[str, Parameter("iPINCode", "pincode")]


def _two_fields(values: Sequence[str]) -> tuple[str, ...]:
    given: Any = values
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) > len(LONGEST_CUSTOM_FIELDS[:2]):
        raise errors.InvalidRequest("requestInvitationLink: custom_fields must be a list of up to two texts")
    return tuple(values)


def _digits(code: object) -> str:
    """The six digits of a PIN, from a text or a `PinCode`; raises `errors.InvalidRequest` for anything else."""
    text = "" if isinstance(code, int) and not 0 <= code < 10**DIGITS else str(code)
    if not is_pin(text):
        raise errors.InvalidRequest("generateEmailText: pin_code must be six digits, as text")
    return text


@operation(kw_only=True)
class RequestInvitationLink(Operation[str]):
    """Ask for a link that starts a session, with a new PIN code in it. SOAP only. Vendor: ``requestInvitationLink``.

    Known from a client's code; it sends these parameters, and more custom fields are likely.

    Returns:
        The address, such as ``"https://secure.logmeinrescue.com/R?i=2&Code=100500"``.
    """

    node: Annotated[int | None, Parameter("nodeId", holds=int)] = None
    """Id of the technician's node that the link is for; left out, it is not sent."""
    custom_fields: TwoFields = attrs.field(default=(), converter=_two_fields)
    """Up to two texts (64 and 512 characters) that the technician sees."""

    spec = declare(
        "requestInvitationLink",
        SOAP12_SEEN,
        Output("sInvitationLink"),
        words=LENS,
        effect=Effect.EXPIRES,
        family=Family.LINKS,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> str:
        """The link; raises ValueError if it is empty."""
        link = str(values["sInvitationLink"]).strip()
        if not link:
            raise ValueError("the answer is OK but its sInvitationLink is empty")
        return link


@frozen
class EmailText:
    """The parts of an e-mail that invites to a session, for you to send; the service sends none.

    Attributes:
        subject: subject of the e-mail.
        text: text above the link.
        link: address that starts the session.
        signature: text below the link.
    """

    subject: str
    text: str
    link: str
    signature: str


@operation
class GenerateEmailText(Operation[EmailText]):
    """Make the text of an e-mail that invites to a session. Vendor: ``generateEmailText``.

    One call a second: further calls are answered by a plain ``ERROR``, so that they are retried like any other error.
    SOAP is known from the vendor's PHP sample, which is older than auth codes: that SOAP takes an auth code is
    inferred, and so are its status words.
    """

    pin_code: PinDigits = attrs.field(converter=_digits)
    """The PIN: six digits, or a `PinCode`."""

    spec = declare(
        "generateEmailText",
        SOAP11_SEEN | TEXT,  # the prefix is inferred; another one is taken off as well
        Output("sSubject", "SUBJECT"),
        Output("sText", "TEXT"),
        Output("sLink", "LINK"),
        Output("sSignature", "SIGNATURE"),
        words="Error OK NotLoggedIn NotTechnician InvalidPinFormat Invalid_SecretAuthCode User_Deleted_Or_Disabled",
        family=Family.EMAIL_TEXTS,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> EmailText:
        """The parts of the e-mail."""
        return EmailText(*(str(values[name]) for name in ("sSubject", "sText", "sLink", "sSignature")))
