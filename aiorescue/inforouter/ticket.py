"""An infoRouter ticket at work: given, or asked for in single flight; shared by all calls."""

from collections.abc import Callable
from typing import Any

import attrs

from aiorescue import errors
from aiorescue.identity.credentials import Login, Ticket
from aiorescue.identity.identity import Lease, Send, login_failed, with_login
from aiorescue.identity.single_flight import SingleFlight
from aiorescue.operation import Needs, Operation, Outcome, OutcomeClass
from aiorescue.pace.pace import Account
from aiorescue.wire import ANONYMOUS, Authorization, Response


class TicketIdentity:
    """An infoRouter ticket: given, or asked for with a login. Shared by all calls.

    Args:
        credentials: a ticket, or name and password.
        name: for messages.
        authenticate: the operation that asks for a ticket; None if there is only the ticket.
        log_out: the operation that ends a given ticket.
        send: sends them.
    """

    def __init__(
        self,
        credentials: Ticket | Login,
        *,
        name: str,
        authenticate: Operation[Any] | None,
        log_out: Callable[[str], Operation[Any]],
        send: Send,
    ) -> None:
        self.name = name
        self.account = Account(credentials.ticket if isinstance(credentials, Ticket) else credentials.email)
        self.credentials = credentials
        self._ticket = credentials.ticket if isinstance(credentials, Ticket) else None
        self._ours = False
        self._authenticate = authenticate
        self._log_out = log_out
        self._ends = log_out("…").spec.name
        self._send = send
        self._flight = SingleFlight()

    def complete(self, operation: Operation[Any]) -> Operation[Any]:
        """Name and password, where they were left out."""
        return with_login(operation, self.credentials if isinstance(self.credentials, Login) else None)

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """The ticket, asked for before if there is none."""
        needs = operation.spec.needs
        own = getattr(operation, "ticket", None)  # LogOut and isValidTicket may bring one
        if needs is Needs.NOTHING:
            return Lease(self._with_old_ticket(operation), ANONYMOUS)
        if needs is Needs.SESSION and own is not None:
            return Lease(operation, ANONYMOUS)
        if self._ticket is None and self._authenticate is None and operation.spec.false_on is errors.NotLoggedIn:
            return Outcome(OutcomeClass.OK, value=False)  # isValidTicket of a ticket that has ended: still no error
        while self._ticket is None:
            failure = await self._sign_on()
            if failure is not None:
                return failure
        if needs is Needs.IDENTITY:
            return Lease(operation, Authorization(code=self._ticket))
        # The vendor's fallback: no ticket as a parameter, so the server takes the cookie.
        return Lease(operation, Authorization(cookie=f"ticket={self._ticket}"))

    def _with_old_ticket(self, operation: Operation[Any]) -> Operation[Any]:
        if self._ticket is not None and getattr(operation, "old_ticket", "") is None:
            return attrs.evolve(operation, old_ticket=self._ticket)  # type: ignore[misc]
        return operation

    async def _sign_on(self) -> Outcome[Any] | None:
        if self._flight.busy:
            shared = await self._flight.join()
            return shared if shared is not None and shared.outcome_class is not OutcomeClass.OK else None
        outcome = await self._flight.lead(self._open)
        return None if outcome.outcome_class is OutcomeClass.OK else outcome

    async def _open(self) -> Outcome[Any]:
        if self._authenticate is None:
            return Outcome(
                OutcomeClass.AUTHENTICATION,
                error=errors.NotLoggedIn,
                detail="the ticket has ended, and there is no Login",
            )
        outcome, _ = await self._send(self.account, self._authenticate, ANONYMOUS)
        if outcome.outcome_class is not OutcomeClass.OK:
            return login_failed(self.name, outcome)
        holder: Any = outcome.value
        self._ticket, self._ours = holder.ticket, True
        return outcome

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Forget a ticket that has ended, unless somebody has put a new one in its place meanwhile."""
        if outcome is None:
            return False
        operation = lease.operation
        if outcome.outcome_class is OutcomeClass.OK and operation.spec.needs is Needs.NOTHING:
            ticket = getattr(outcome.value, "ticket", None)
            if isinstance(ticket, str):
                self._keep(operation, ticket)
                return False
        given = getattr(operation, "ticket", None)
        dead = outcome.error is errors.NotLoggedIn
        says_no = operation.spec.false_on is errors.NotLoggedIn and outcome.value is False  # isValidTicket: no error
        ended = dead or (outcome.outcome_class is OutcomeClass.OK and (operation.spec.name == self._ends or says_no))
        if ended and self._ticket == (
            given or lease.authorization.code or lease.authorization.cookie.partition("=")[2]
        ):
            self._ticket = None
        return dead and given is None and self._authenticate is not None

    def _keep(self, operation: Operation[Any], ticket: str) -> None:
        """A ticket that was asked for explicitly: ours if it was asked for as us, or in place of ours."""
        renewed = getattr(operation, "old_ticket", None)
        if operation == self._authenticate:
            self._ticket, self._ours = ticket, True
        elif renewed is not None and renewed == self._ticket:
            self._ticket = ticket

    async def log_out(self) -> None:
        """End the ticket if we asked for it. One that has ended already ([901]) is no failure."""
        ticket, ours = self._ticket, self._ours
        if ticket is not None and ours:
            self._ticket, self._ours = None, False
            await self._send(self.account, self._log_out(ticket), ANONYMOUS)
