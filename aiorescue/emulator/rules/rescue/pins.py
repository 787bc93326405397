"""PIN codes: how fast they are issued, how many there are, and how they reach the customer."""

from collections.abc import Callable

from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.call import Limits, ReceivedCall, Result, Rules, handles, ok
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.emulator.rules.rescue.ledger import Ledger
from aiorescue.rescue.pins import is_pin

_LINK = "https://secure.logmeinrescue.com/R?i=2&Code="


class Pins(Rules):
    """PIN codes, invitation links and e-mail texts.

    Attributes:
        ledger: the last PINs that were issued, in order.

    Args:
        access: tells which user calls.
        clock: the emulator's clock, in seconds.
        limits: rates and stock; the stock is counted down here.
        ledger: an empty ledger; None makes one of the usual size.
    """

    def __init__(
        self, access: Access, clock: Callable[[], float], limits: Limits, ledger: Ledger | None = None
    ) -> None:
        self._access, self._clock, self._limits = access, clock, limits
        self.ledger = Ledger() if ledger is None else ledger
        self._last: dict[tuple[str, str], float] = {}

    @handles(
        *("requestPINCode", "requestPINCodeV2", "requestPINCodeV3"),
        *("requestLensPINCode", "requestLensPINCodeV2", "requestLensPINCodeV3", "requestLensPINCodeV4"),
    )
    def request_pin(self, call: ReceivedCall) -> Result:
        """Issue a PIN; with a phone number in the request, also report that it was sent by SMS."""
        user = self._access.user(call)
        refusal = self._refusal(user, call)
        if refusal:
            return Result(refusal)
        pin = self._issue(user, call)
        if call.name == "requestPINCode":  # the only version whose PIN is a number
            return ok(iPINCode=pin)
        sms = {"SMS_RESULT": "sendInvitationForMobileSession_OK"} if call.values.get("phone_number") else {}
        return ok(sPINCode=pin, **sms)

    def _issue(self, user: EmulatedUser, call: ReceivedCall) -> str:
        values = call.values
        return self.ledger.issue(
            call.name,
            user.email,
            tracking=values.get("tracking", ""),
            custom_fields=values["custom_fields"],
            no_tech_console=values.get("no_tech_console", False),
            time=self._clock(),
            node=values.get("node"),
        )

    def _refusal(self, user: EmulatedUser, call: ReceivedCall, interval: str = "pins") -> str:
        """Status word that refuses a PIN; empty if one is granted, which is then taken from the stock."""
        if not user.technician:
            return "NotTechnician"
        if not user.lens and call.name.startswith("requestLens"):
            return "NoAccessToLens"
        if not user.console and not call.values.get("no_tech_console"):
            return "NoTechConsoleRunning"
        limits, now = self._limits, self._clock()
        if self._too_soon(interval, user, now, limits.pin_rate):
            return "PollRateExceeded"
        if limits.pins_left is not None:
            if limits.pins_left <= 0:
                return "OutOfPINCodes"
            limits.pins_left -= 1
        self._last[interval, user.email] = now
        return ""

    def _too_soon(self, interval: str, user: EmulatedUser, now: float, rate: float | None) -> bool:
        if rate is None:
            return False
        too_soon = now - self._last.get((interval, user.email), float("-inf")) < 1 / rate
        if too_soon and self._limits.count_rejected:
            self._last[interval, user.email] = now
        return too_soon

    # --- invitations ------------------------------------------------------------------------------

    @handles("requestInvitationLink")
    def request_link(self, call: ReceivedCall) -> Result:
        """Issue a PIN within a web address; links are limited apart from other PINs, at the rate of PINs."""
        user = self._access.user(call)
        refusal = self._refusal(user, call, "links")
        return Result(refusal) if refusal else ok(sInvitationLink=f"{_LINK}{self._issue(user, call)}")

    @handles("generateEmailText")
    def email_text(self, call: ReceivedCall) -> Result:
        """Answer with the text of an e-mail for a PIN; the service does not check whether the PIN was issued."""
        user = self._access.user(call)
        if not user.technician:
            return Result("NotTechnician")
        pin = call.values["pin_code"]
        if not is_pin(pin):
            return Result("InvalidPinFormat")
        now = self._clock()
        if self._too_soon("texts", user, now, self._limits.email_text_rate):
            return Result("Error")  # the service has no status word for a rejection of this operation
        self._last["texts", user.email] = now
        return ok(
            sSubject="Connection email link",
            sText="Please click the link below to request a live support session:",
            sLink=f"{_LINK}{pin}",
            sSignature="Best Regards, Support Team",
        )
