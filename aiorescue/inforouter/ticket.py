"""`TicketIdentity`: an infoRouter ticket at work in a client, given or asked for, and shared by all calls.

The ticket travels as a parameter where a method declares one; `IsValidTicket` and `LogOut` have it in a cookie. A
ticket that the service declares dead is forgotten, and the next call asks for a new one if there is a login. However
many calls need a ticket at the same time, one of them asks for it and the others wait (single flight).
"""

from typing import Any

import attrs

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.identity.credentials import Login, Ticket
from aiorescue.identity.identity import (
    IdentityObserver,
    Lease,
    Send,
    StandingIdentity,
    given_credentials,
    login_failed,
    with_login,
)
from aiorescue.identity.single_flight import SingleFlight
from aiorescue.identity.standing import SetAside, Standing, heed, heed_login, set_aside
from aiorescue.inforouter.answers.tickets import TicketHolder
from aiorescue.inforouter.authentication import AuthenticateUser, IsValidTicket, LogOut, RenewTicket
from aiorescue.inforouter.service import own_ticket
from aiorescue.operation import Needs, Operation, Outcome, OutcomeClass
from aiorescue.pace.pace import PacedAccount
from aiorescue.wire import ANONYMOUS, Authorization, Response

_COOKIE = "ticket="
_NO_TICKET = "[2730]"


class TicketIdentity(StandingIdentity):
    """The identity of an infoRouter client: a ticket, given or asked for with a user name and a password.

    Args:
        credentials: a ticket, or user name and password.
        send: function that sends a login or logout once, at its pace.
        standing: the memory of a refusal.
        explicit: the memory of a refused login that the program called itself.
        clock: the client's clock.
        observer: receives logins, logouts and refusals.

    Attributes:
        name: login name, or "ticket"; for messages.
        account: key of the identity's pace.
        credentials: the credentials that it was made with.
    """

    def __init__(
        self,
        credentials: Ticket | Login,
        send: Send,
        *,
        standing: Standing,
        explicit: Standing,
        clock: Clock,
        observer: IdentityObserver,
    ) -> None:
        self.credentials = credentials
        self._send = send
        self._no_explicit = explicit
        self._clock = clock
        self._events = observer
        self._flight = SingleFlight()
        self._ticket: str | None
        self._issued_here = False  # the ticket was asked for by this identity, which therefore ends it
        self._authenticate: AuthenticateUser | None
        if isinstance(credentials, Login):
            super().__init__(credentials.email, PacedAccount(credentials.email), standing, observer)
            self._ticket = None
            self._authenticate = AuthenticateUser(credentials.email, credentials.password)
        else:
            super().__init__("ticket", PacedAccount(credentials.ticket), standing, observer)
            self._ticket = credentials.ticket
            self._authenticate = None

    @property
    def can_log_in(self) -> bool:
        """Whether the identity can ask for a ticket: it has a user name and a password."""
        return self._authenticate is not None

    def refusal(self, operation: Operation[Any]) -> SetAside | None:
        """The outcome of a call that need not be sent, because the credentials have been refused; else None."""
        if self._standing.refused is None:
            return None
        given = given_credentials(operation)
        if given is not None:
            # An explicit login is sent although calls were refused: the password may have been corrected. Refused
            # itself, it is not sent again either, unless it has other credentials.
            return self._no_explicit.outcome() if given in ((None, None), self._own_credentials()) else None
        without_ours = operation.spec.needs is Needs.NOTHING or own_ticket(operation) is not None
        return None if without_ours or self._ends_ticket(operation) else self._standing.outcome()

    def _own_credentials(self) -> tuple[str, str] | None:
        return (self.credentials.email, self.credentials.password) if isinstance(self.credentials, Login) else None

    def _ends_ticket(self, operation: Operation[Any]) -> bool:
        return operation.spec.name == LogOut.spec.name  # by name: the catalogue's LogOut ends the ticket, too

    def complete(self, operation: Operation[Any]) -> Operation[Any]:
        """The operation with the login's user name and password, where it takes them and they were left out."""
        return with_login(operation, self.credentials if isinstance(self.credentials, Login) else None)

    def needs_login(self, operation: Operation[Any]) -> bool:
        """Whether a call that began now would have to wait for a login: there is no ticket, and it needs one."""
        brings_its_own = operation.spec.needs is Needs.NOTHING or own_ticket(operation) is not None
        return self._ticket is None and self.can_log_in and not brings_its_own and not self._ends_ticket(operation)

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """The operation and the ticket to send it with, after a login if there is no ticket yet.

        Returns:
            The lease; the outcome of a login that failed; or, of a check of a ticket that is known to have ended, the
            outcome False. A logout without a ticket to end has nothing to do: it is OK without a request.
        """
        if (refused := self.refusal(operation)) is not None:
            return refused
        needs = operation.spec.needs
        if needs is Needs.NOTHING:
            return Lease(self._with_old_ticket(operation), ANONYMOUS)
        if needs is Needs.SESSION and own_ticket(operation) is not None:
            return Lease(operation, ANONYMOUS)
        if self._ticket is None and not self.can_log_in and isinstance(operation, IsValidTicket):
            return Outcome(OutcomeClass.OK, value=False)
        if self._ticket is None and self.can_log_in and self._ends_ticket(operation):
            return Outcome(OutcomeClass.OK)
        while self._ticket is None:
            failure = await self._log_in()
            if failure is not None:
                return failure
        if needs is Needs.IDENTITY:
            return Lease(operation, Authorization(code=self._ticket))
        # The vendor's fallback: without a ticket among the parameters, the server takes the cookie.
        return Lease(operation, Authorization(cookie=f"{_COOKIE}{self._ticket}"))

    def _with_old_ticket(self, operation: Operation[Any]) -> Operation[Any]:
        if isinstance(operation, RenewTicket) and operation.old_ticket is None and self._ticket is not None:
            return attrs.evolve(operation, old_ticket=self._ticket)
        return operation

    async def _log_in(self) -> Outcome[Any] | None:
        """Ask for a ticket, or wait for the call that is asking for one. The outcome if that failed, else None."""
        if self._flight.busy:
            outcome = await self._flight.join()
            if outcome is not None and outcome.outcome_class is OutcomeClass.AUTHENTICATION:
                outcome = set_aside(outcome)
        else:
            outcome = await self._flight.lead(self._ask_for_ticket)
        # No outcome: the call that was asking has been cancelled.
        return None if outcome is None or outcome.outcome_class is OutcomeClass.OK else outcome

    async def _ask_for_ticket(self) -> Outcome[Any]:
        if self._authenticate is None:
            return Outcome(
                OutcomeClass.AUTHENTICATION,
                error=errors.NotLoggedIn,
                detail="the ticket has ended, and there is no Login to ask for another",
            )
        if (refused := self._standing.outcome()) is not None:
            return refused  # by a call that waited together with this one
        began = self._clock.time()
        outcome, _ = await self._send(self.account, self._authenticate, ANONYMOUS)
        self._events.logged_in(self.name, self._clock.time() - began, outcome)
        heed_login(self._standing, outcome)
        if outcome.outcome_class is not OutcomeClass.OK:
            return login_failed(self.name, outcome)
        issued: Any = outcome.value
        self._ticket, self._issued_here = issued.ticket, True
        return outcome

    def is_current(self, lease: Lease) -> bool:
        """Whether a request that waited with a lease may still go out with it: its ticket is the present one."""
        authorization = lease.authorization
        return authorization is ANONYMOUS or self._ticket == _ticket_of(authorization)

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Learn from an attempt that is over: keep a ticket that it brought, forget one that has ended.

        Returns:
            True if the ticket has ended and a repetition of the call would go out with a new one.
        """
        if outcome is None:
            return False
        operation = lease.operation
        self._heed(lease, outcome)
        succeeded = outcome.outcome_class is OutcomeClass.OK
        if succeeded and operation.spec.needs is Needs.NOTHING and isinstance(outcome.value, TicketHolder):
            self._keep(operation, outcome.value.ticket)
            return False
        dead = outcome.error is errors.NotLoggedIn
        found_dead = isinstance(operation, IsValidTicket) and outcome.value is False
        ended_it = succeeded and self._ends_ticket(operation)
        # A ticket that took the place of the dead one in the meantime stays.
        if (dead or found_dead or ended_it) and self._ticket == _sent_ticket(lease):
            self._ticket = None
        return dead and own_ticket(operation) is None and self.can_log_in

    def _heed(self, lease: Lease, outcome: Outcome[Any]) -> None:
        """Remember a refusal of this identity's credentials, or a login with them."""
        given = given_credentials(lease.operation)
        if given is not None:
            if given == self._own_credentials():
                heed_login(self._standing, outcome)
                heed_login(self._no_explicit, outcome)
        # No ticket reached the method ([2730]): that says nothing of the credentials.
        elif lease.authorization is not ANONYMOUS and not (outcome.word or "").startswith(_NO_TICKET):
            heed(self._standing, outcome)

    def _keep(self, operation: Operation[Any], ticket: str) -> None:
        """Use the ticket of an explicit login with this identity's credentials, or of a renewal of its ticket."""
        renewed = operation.old_ticket if isinstance(operation, RenewTicket) else None
        if operation == self._authenticate:
            self._ticket, self._issued_here = ticket, True
        elif renewed is not None and renewed == self._ticket:
            self._ticket = ticket

    async def log_out(self) -> None:
        """End the ticket if this identity asked for it. The answer [901], that it has ended already, is no failure."""
        ticket, issued_here = self._ticket, self._issued_here
        if ticket is not None and issued_here:
            self._ticket, self._issued_here = None, False
            await self._send(self.account, LogOut(ticket), ANONYMOUS)
            self._events.logged_out(self.name)


def _sent_ticket(lease: Lease) -> str:
    """The ticket that an attempt was sent with, wherever it travelled."""
    return own_ticket(lease.operation) or _ticket_of(lease.authorization)


def _ticket_of(authorization: Authorization) -> str:
    return authorization.code or authorization.cookie.removeprefix(_COOKIE)
