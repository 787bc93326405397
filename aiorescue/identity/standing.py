"""Standing: what a client remembers of a refusal of credentials, so that they are not sent again and again."""

from collections.abc import Callable
from typing import Any

import attrs

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.operation import Outcome, OutcomeClass
from aiorescue.operation.number import is_number

#: Seconds for which refused credentials are not sent again, unless a client is given another time.
REFUSED_FOR = 300.0
#: How status words end that are about a limit on logins, and not about the credentials.
_LIMIT = "LIMITREACHED"
#: Seconds without a login after the service has said that there were too many.
_LIMIT_PAUSE = 20.0
#: Attributes of the error of a call whose credentials had been refused to an earlier one.
_KNOWN = {"refused_before": True}


def checked_refused_for(seconds: float | None) -> float:
    """The time for which refused credentials are set aside, in seconds; None stands for ever.

    Raises:
        errors.InvalidRequest: the time is negative, or not a number.
    """
    if seconds is None:
        return float("inf")
    if not is_number(seconds) or seconds < 0:
        raise errors.InvalidRequest(f"refused_for must be seconds from 0 on, or None for ever, not {seconds!r}")
    return float(seconds)


def refuses_credentials(outcome: Outcome[Any]) -> bool:
    """Whether the service refuses the credentials; neither an ended session nor a login too many is that."""
    return outcome.error is errors.AuthenticationError and not is_login_limit(outcome)


def is_login_limit(outcome: Outcome[Any]) -> bool:
    """Whether a login was refused because there were too many, so that a later one will pass."""
    return outcome.error is errors.AuthenticationError and says_login_limit(outcome.word)


def says_login_limit(word: str | None) -> bool:
    """Whether a status word says that there were too many logins. Text pages spell it in another case than XML."""
    return (word or "").upper().endswith(_LIMIT)


@attrs.define
class SetAside(Outcome[Any]):
    """The outcome of a call that was not sent because the service had refused the credentials shortly before."""


def set_aside(refused: Outcome[Any], seconds: float | None = None) -> SetAside:
    """The outcome of a call that is not sent because of an earlier refusal.

    Args:
        refused: the outcome that was refused.
        seconds: time after which the credentials will be sent again; None if that is not known.
    """
    when = "" if seconds is None else ", and it is not tried again" if seconds == float("inf") else _again(seconds)
    detail = f"{refused.detail or refused.quote or 'refused'} (not sent: the service refused this before{when})"
    return SetAside(OutcomeClass.AUTHENTICATION, word=refused.word, error=refused.error, detail=detail, more=_KNOWN)


def _again(seconds: float) -> str:
    return f", and it is tried again in {seconds:.0f} s at the earliest"


class Standing:
    """The memory of a refusal.

    Args:
        clock: the client's clock.
        refused_for: seconds for which a refusal is remembered.
    """

    def __init__(self, clock: Clock, refused_for: float) -> None:
        self._clock = clock
        self._refused_for = refused_for
        self._refused: Outcome[Any] | None = None
        self._until = 0.0
        #: Called after each refusal.
        self.when_refused: Callable[[], None] | None = None

    @property
    def refused(self) -> Outcome[Any] | None:
        """The outcome that was refused, as long as it is remembered; else None."""
        if self._refused is not None and self._clock.time() >= self._until:
            self._refused = None
        return self._refused

    @property
    def until(self) -> float | None:
        """The moment in seconds of the clock until which the refusal is remembered; None without one."""
        return None if self.refused is None else self._until

    @property
    def seconds(self) -> float:
        """Seconds for which the refusal is remembered from now on."""
        return max(0.0, self._until - self._clock.time())

    def refuse(self, outcome: Outcome[Any], seconds: float | None = None) -> None:
        """Remember a refusal, for a time of its own or that of the client."""
        self._refused = outcome
        self._until = self._clock.time() + (self._refused_for if seconds is None else seconds)
        if self.when_refused is not None:
            self.when_refused()

    def accept(self) -> None:
        """Forget the refusal: the service has taken the credentials."""
        self._refused = None

    def outcome(self) -> SetAside | None:
        """The outcome of a call that is not sent because of the remembered refusal; None without one."""
        if self._refused is None:  # each attempt looks here, and a property would cost it as much as the rest
            return None
        refused = self.refused
        return None if refused is None else set_aside(refused, self.seconds)


def heed(standing: Standing, outcome: Outcome[Any]) -> None:
    """Remember in a standing what an outcome says of the credentials, if it is a refusal of them or of more logins."""
    if refuses_credentials(outcome):
        known = standing.refused
        if known is not None and refuses_credentials(known):
            outcome.more = _KNOWN  # it was sent before the refusal of another call had come
        else:
            standing.refuse(outcome)
    elif is_login_limit(outcome):
        standing.refuse(outcome, _LIMIT_PAUSE)


def heed_login(standing: Standing, outcome: Outcome[Any]) -> None:
    """Remember in a standing what became of a login: its refusal, or that the service takes the credentials again."""
    heed(standing, outcome)
    if outcome.outcome_class is OutcomeClass.OK:
        standing.accept()
