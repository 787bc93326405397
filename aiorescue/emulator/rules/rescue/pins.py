"""PIN codes: issued at a rate, from a stock, and how they reach the customer."""

from typing import TYPE_CHECKING

import attrs

from aiorescue.emulator.people import User
from aiorescue.emulator.rules.call import Call, Room, Said, answers
from aiorescue.rescue.invitations import EmailText

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

# 7919 is coprime to a million, so the PINs repeat only after a million; the first ones are those of the captures.
FIRST_PIN, PIN_STEP, PINS = 12345, 7919, 1_000_000
#: PINs between the first ones of two emulators whose seeds are neighbours.
PINS_PER_SEED = 1000

_PLACE = "https://secure.logmeinrescue.com/R?i=2&Code="
_DIGITS = 6


@attrs.frozen
class LedgerEntry:
    """A PIN that was issued. `time` is the emulator's clock, `number` counts from 1, `node` is whom it is for."""

    number: int
    pin: str
    operation: str
    user: str
    tracking: str
    custom_fields: tuple[str, ...]
    no_tech_console: bool
    time: float
    node: int | None = None


class Pins(Room):
    """The ledger, and the intervals."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        self.ledger: list[LedgerEntry] = []
        self._last: dict[tuple[str, str], float] = {}

    @answers(
        *("requestPINCode", "requestPINCodeV2", "requestPINCodeV3"),
        *("requestLensPINCode", "requestLensPINCodeV2", "requestLensPINCodeV3", "requestLensPINCodeV4"),
    )
    def request_pin(self, call: Call) -> Said:
        """Issue a PIN, and send it by SMS where that was asked for."""
        user = self.state.access.caller(call)
        refusal = self._refusal(user, call)
        if refusal:
            return Said(refusal)
        pin = self._issue(user, call).pin
        if call.values.get("phone_number"):
            return Said("OK", (pin, "sendInvitationForMobileSession_OK"))
        return Said("OK", (pin,))

    def _issue(self, user: User, call: Call) -> LedgerEntry:
        number, values = len(self.ledger) + 1, call.values
        place = PINS_PER_SEED * self.state.seed + number - 1
        entry = LedgerEntry(
            number=number,
            pin=f"{(FIRST_PIN + PIN_STEP * place) % PINS:06d}",
            operation=call.operation.spec.name,
            user=user.email,
            tracking=values.get("tracking", ""),
            custom_fields=values["custom_fields"],
            no_tech_console=values.get("no_tech_console", False),
            time=self.state.clock(),
            node=values.get("node") or None,
        )
        self.ledger.append(entry)
        return entry

    def _refusal(self, user: User, call: Call, kind: str = "pins") -> str:
        """Why there is no PIN; empty if there is one, which is then taken from the stock."""
        if not user.technician:
            return "NotTechnician"
        if not user.lens and call.operation.spec.name.startswith("requestLens"):
            return "NoAccessToLens"
        if not user.console and not call.values.get("no_tech_console"):
            return "NoTechConsoleRunning"
        limits, now = self.state.limits, self.state.clock()
        if self._too_soon(kind, user, now, limits.pin_rate):
            return "PollRateExceeded"
        if limits.pins_left is not None:
            if limits.pins_left <= 0:
                return "OutOfPINCodes"
            limits.pins_left -= 1
        self._last[kind, user.email] = now
        return ""

    def _too_soon(self, kind: str, user: User, now: float, rate: float | None) -> bool:
        if rate is None:
            return False
        too_soon = now - self._last.get((kind, user.email), float("-inf")) < 1 / rate
        if too_soon and self.state.limits.count_rejected:
            self._last[kind, user.email] = now
        return too_soon

    # --- invitations ------------------------------------------------------------------------------

    @answers("requestInvitationLink")
    def request_link(self, call: Call) -> Said:
        """Issue a PIN within a link; links have an interval of their own."""
        user = self.state.access.caller(call)
        refusal = self._refusal(user, call, "links")
        return Said(refusal) if refusal else Said("OK", (f"{_PLACE}{self._issue(user, call).pin}",))

    @answers("generateEmailText")
    def email_text(self, call: Call) -> Said:
        """The text of an e-mail; whether the PIN was ever issued is not looked at."""
        user = self.state.access.caller(call)
        if not user.technician:
            return Said("NotTechnician")
        pin = call.values["pin_code"]
        if call.fields is None:
            pin = pin.strip().zfill(_DIGITS)  # a number over SOAP, which has lost its zeros
        if len(pin) != _DIGITS or not (pin.isascii() and pin.isdigit()):
            return Said("InvalidPinFormat")
        now = self.state.clock()
        if self._too_soon("texts", user, now, self.state.limits.email_text_rate):
            return Said("Error")  # the service has no word for it here
        self._last["texts", user.email] = now
        text = EmailText(
            subject="Connection email link",
            text="Please click the link below to request a live support session:",
            link=f"{_PLACE}{pin}",
            signature="Best Regards, Support Team",
        )
        return Said("OK", attrs.astuple(text))
