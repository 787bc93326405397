"""`InfoRouterClient`: infoRouter's ticket methods as awaitables."""

from typing import Any

from aiorescue import errors
from aiorescue.call.client import MAX_CONNECTIONS, TIMEOUT, ServiceClient, awaits
from aiorescue.call.clock import Clock
from aiorescue.call.identity import Identity, Login, NobodyIdentity, Ticket
from aiorescue.call.pace import Pace
from aiorescue.call.retry import RetryPolicy
from aiorescue.call.ticket import TicketIdentity
from aiorescue.call.transport import ClientSession
from aiorescue.inforouter import authentication
from aiorescue.operation import Binding, Operation

#: infoRouter documents no limits; between logins the server may wait by itself.
_NO_LIMITS = Pace(pins=None, email_texts=None, reports=None, logins=None)


class InfoRouterClient(ServiceClient):
    """A client of infoRouter's web service.

    Args:
        credentials: ``Login(user, password)`` or a ``Ticket``. None is enough to authenticate explicitly; the
            client then calls as that user.
        base_url: where the application is, with its virtual directory if it has one.
        binding: ``SOAP11``, ``HTTP_POST`` or ``HTTP_GET``.
        timeout: seconds for one request.
        retry: how long a call keeps trying.
        max_connections: requests under way at once.
        http: your own session; its pool and settings are used, and it is never closed.
        relogin: when the service says that a ticket has ended, authenticate once and repeat the call once.
        allow_plain_http: take ``http://`` for any host.
        clock: time, for tests.

    Raises:
        errors.InvalidRequest: an argument cannot be used.
    """

    def __init__(
        self,
        credentials: Login | Ticket | None = None,
        *,
        base_url: str,
        binding: Binding = Binding.SOAP11,
        timeout: float = TIMEOUT,
        retry: RetryPolicy = RetryPolicy(),
        max_connections: int = MAX_CONNECTIONS,
        http: ClientSession | None = None,
        relogin: bool = False,
        allow_plain_http: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            base_url=base_url,
            binding=binding,
            timeout=timeout,
            retry=retry,
            pace=_NO_LIMITS,
            max_connections=max_connections,
            http=http,
            relogin=relogin,
            allow_plain_http=allow_plain_http,
            clock=clock,
        )
        if credentials is not None and not isinstance(credentials, Login | Ticket):
            raise errors.InvalidRequest(f"credentials must be Login(…) or Ticket(…), not {type(credentials).__name__}")
        self._identities = [NobodyIdentity() if credentials is None else self._identity(credentials)]

    def _identity(self, credentials: Login | Ticket) -> Identity:
        return TicketIdentity(
            credentials,
            name=credentials.email if isinstance(credentials, Login) else "ticket",
            authenticate=authentication.AuthenticateUser(credentials.email, credentials.password)
            if isinstance(credentials, Login)
            else None,
            log_out=authentication.LogOut,
            send=self._caller.send,
        )

    def _choose(self, operation: Operation[Any]) -> Identity:
        nobody = isinstance(self._identities[0], NobodyIdentity)
        if (
            nobody
            and isinstance(operation, authentication.AuthenticateUser)
            and operation.user is not None
            and operation.password is not None
        ):
            # A client without credentials becomes the one who authenticates.
            self._identities = [self._identity(Login(operation.user, operation.password))]
        return super()._choose(operation)

    authenticate_user = awaits(authentication.AuthenticateUser)
    renew_ticket = awaits(authentication.RenewTicket)
    is_valid_ticket = awaits(authentication.IsValidTicket)
    log_out = awaits(authentication.LogOut)
