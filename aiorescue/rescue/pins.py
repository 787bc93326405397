"""PIN codes, which a customer types to start a session. Links and e-mail texts with one are in `invitations`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import attrs

from aiorescue import errors
from aiorescue.operation import (
    Binding,
    Effect,
    Evidence,
    Family,
    Operation,
    Output,
    Parameter,
    Repeated,
    Spec,
    frozen,
    operation,
)
from aiorescue.rescue.service import SOAP, SOAP11_SEEN, SOAP12_SEEN, TEXT, TEXT_INFERRED, declare

#: Lengths as the user guide prints them for requestPINCode.
LONGEST_CUSTOM_FIELDS = (64, 512, 512, 256, 64, 64)

CustomFields = Annotated[
    tuple[str, ...],
    Repeated(tuple(Parameter(f"sCField{i}", f"cfield{i}", max_length=n) for i, n in enumerate(LONGEST_CUSTOM_FIELDS))),
]
Tracking = Annotated[str, Parameter("sTracking0", "tracking0", max_length=64)]
NoTechConsole = Annotated[bool, Parameter("bNoTechConsole", "notechconsole", bool)]
Node = Annotated[int | None, Parameter("nodeId", "NodeId", int)]
PhoneNumber = Annotated[str, Parameter("sPhoneNumber", "PhoneNumber")]
Language = Annotated[str, Parameter("sLangCode", "LangCode", choices=("", "de", "en", "es", "fr", "nl", "pt-br"))]

DIGITS = 6

PIN = (
    "Error OK NotLoggedIn NotTechnician NoTechConsoleRunning OutOfPINCodes PollRateExceeded "
    "User_Is_Deleted Invalid_SecretAuthCode User_Deleted_Or_Disabled"
)
LENS = f"{PIN} NoAccessToLens"


def is_pin(text: str) -> bool:
    """Whether a text is six digits, as every PIN is."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


@frozen
class PinCode:
    """A PIN code, which a customer types to start a session.

    Attributes:
        code: always six digits, always text (``"012345"``).
        possibly_orphaned: number of earlier attempts at this request that broke without an answer; each may have
            left a PIN that was issued but never received, and that expires by itself.
    """

    code: str
    possibly_orphaned: int = 0

    def __str__(self) -> str:
        return self.code


@frozen
class SentPinCode(PinCode):
    """A PIN code that the service has sent to a telephone.

    Attributes:
        sms_result: the service's word on the SMS (``"sendInvitationForMobileSession_OK"`` is the only word that is
            documented); empty if the answer has none.
    """

    sms_result: str = ""


def _six_fields(values: Sequence[str]) -> tuple[str, ...]:
    if type(values) is not list and type(values) is not tuple:
        if isinstance(values, str):
            # A string is a sequence of strings, too: "Jane" would become four fields.
            raise errors.InvalidRequest(f'custom_fields must be a list of texts; write ["{values[:20]}"]')
        if not isinstance(values, Sequence):
            raise errors.InvalidRequest(f"custom_fields must be a list of texts, not {type(values).__name__}")
    texts = tuple(values)
    if len(texts) > len(LONGEST_CUSTOM_FIELDS):
        raise errors.InvalidRequest(f"custom_fields has {len(texts)} texts, but the service takes six")
    return texts


@operation(kw_only=True)
class PinRequest(Operation[PinCode]):
    """The parameters of every request for a PIN code."""

    custom_fields: CustomFields = attrs.field(default=(), converter=_six_fields)
    """Up to six texts (64, 512, 512, 256, 64 and 64 characters) that the technician sees."""
    tracking: Tracking = ""
    """Text of up to 64 characters that ties the session to a ticket; the service hands it back."""
    no_tech_console: NoTechConsole = False
    """True if no Technician Console need be running."""

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> PinCode:
        """The PIN with its leading zeros, which version 1 loses: over SOAP it sends a number."""
        value = values["sPINCode"] if "sPINCode" in values else values["iPINCode"]
        code = f"{value:0{DIGITS}}" if isinstance(value, int) else value.strip()
        if not is_pin(code):
            raise ValueError("the answer is OK but its PIN is not six digits")
        return PinCode(code)

    def with_orphans(self, result: PinCode, count: int) -> PinCode:
        """The PIN with the number of earlier attempts that may have been carried out without a good answer."""
        return attrs.evolve(result, possibly_orphaned=count)


_TEXT_PIN = Output("sPINCode", "PINCODE")
_SMS_RESULT = Output("SMS_RESULT", "SMS_RESULT", optional=True)


def _declare(
    name: str, bindings: Mapping[Binding, Evidence], *outputs: Output, words: str = PIN, prefix: str | None = None
) -> Spec:
    """Declare an operation that issues a PIN code, which expires if it is not used."""
    return declare(name, bindings, *outputs, words=words, prefix=prefix, effect=Effect.EXPIRES, family=Family.PINS)


@operation
class RequestPinCode(PinRequest):
    """Ask for a PIN code. Over SOAP the service sends a number. Vendor: ``requestPINCode``."""

    spec = _declare("requestPINCode", SOAP11_SEEN | TEXT, Output("iPINCode", "PINCODE", int))


@operation
class RequestPinCodeV2(PinRequest):
    """Ask for a PIN code for a session on the servers in the EU. Vendor: ``requestPINCodeV2`` (``requestPINCode_v2``).

    Only the text page is known; its path follows from the page's title (inferred).
    """

    spec = _declare("requestPINCodeV2", TEXT_INFERRED, _TEXT_PIN)


@operation(kw_only=True)
class RequestPinCodeV3(PinRequest):
    """Ask for a PIN code for a technician's node. Vendor: ``requestPINCodeV3`` (``requestPINCode_v3``).

    Over SOAP only custom fields 0 and 1, the auth code and the node were seen on the wire; the other
    fields are sent under the names of the sibling operations (inferred).
    """

    node: Node = None
    """Id of the technician's node that the PIN is for; left out, it is not sent."""

    spec = _declare(
        "requestPINCodeV3",
        SOAP12_SEEN | TEXT_INFERRED,  # the page is documented, its path is not
        _TEXT_PIN,
        words=LENS,
    )


# --- Rescue Lens ----------------------------------------------------------------------------------


@operation
class RequestLensPinCode(PinRequest):
    """Ask for a Rescue Lens PIN code. Vendor: ``requestLensPINCode``.

    Only the text page is known; its path follows from the page's title (inferred).
    """

    spec = _declare("requestLensPINCode", TEXT_INFERRED, _TEXT_PIN)


@operation
class RequestLensPinCodeV2(PinRequest):
    """Ask for a Rescue Lens PIN code. SOAP only. Vendor: ``requestLensPINCodeV2``."""

    spec = _declare("requestLensPINCodeV2", SOAP, Output("sPINCode"), words=LENS, prefix="requestPINCode_")


@operation(kw_only=True)
class LensInvitation(PinRequest):
    """The parameters of every request for a PIN code that the service sends by SMS; the result is a `SentPinCode`."""

    phone_number: PhoneNumber = ""
    """Telephone number that the invitation is sent to."""
    language: Language = ""
    """Language of the invitation: ``de``, ``en`` (the service's default), ``es``, ``fr``, ``nl`` or ``pt-br``."""

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> SentPinCode:
        """The PIN, and the service's word on the SMS."""
        return SentPinCode(super().result(values).code, sms_result=values.get("SMS_RESULT", ""))


@operation
class RequestLensPinCodeV3(LensInvitation):
    """Ask for a Rescue Lens PIN code, and have it sent by SMS. Vendor: ``requestLensPINCodeV3`` (``…_v3``).

    The SOAP answer was not read on the vendor's page; that the PIN comes as ``sPINCode`` is inferred from version 2,
    and the text page's path from its title. The auth code goes last, as with all operations, where the vendor's page
    has it before the telephone number; ASMX finds elements by their names, in any order.

    Returns:
        A `SentPinCode`.
    """

    spec = _declare(
        "requestLensPINCodeV3",
        SOAP | TEXT_INFERRED,
        _TEXT_PIN,
        _SMS_RESULT,
        words=LENS,
        prefix="requestPINCode_",
    )


@operation(kw_only=True)
class RequestLensPinCodeV4(LensInvitation):
    """Ask for a Rescue Lens PIN code for a technician, sent by SMS. Vendor: ``requestLensPINCodeV4`` (``…_v4``).

    Only the text page is known; its path follows from the page's title (inferred).

    Returns:
        A `SentPinCode`.
    """

    node: Node = None
    """Id of the technician's node that the PIN is for; left out, it is not sent."""

    spec = _declare("requestLensPINCodeV4", TEXT_INFERRED, _TEXT_PIN, _SMS_RESULT)
