"""`RescueClient`: the operations of LogMeIn Rescue as awaitables."""

from collections.abc import Sequence
from typing import Any, Final

from aiorescue import errors
from aiorescue.call.client import MAX_CONNECTIONS, TIMEOUT, ServiceClient, awaits
from aiorescue.call.clock import Clock
from aiorescue.call.identity import AuthCode, CodeIdentity, Identity, Login, NobodyIdentity
from aiorescue.call.pace import Pace, PaceSetting
from aiorescue.call.retry import RetryPolicy
from aiorescue.call.session import SessionIdentity
from aiorescue.call.transport import ClientSession
from aiorescue.operation import Binding, Operation
from aiorescue.rescue import authentication, pins, sessions

BASE_URL = "https://secure.logmeinrescue.com"
#: Server sessions of one login: the service allows ten logins in three minutes.
SESSIONS: Final = 4


class RescueClient(ServiceClient):
    """A client of LogMeIn Rescue.

    Args:
        credentials: an `AuthCode`, a `Login`, or a sequence of them: then each call goes out as the one that is
            free soonest. None is enough to log in explicitly (`login`), or to ask for an auth code.
        base_url: the host; paths are added. ``http://`` is refused for a host that is not loopback.
        binding: preferred binding; an operation that lacks it uses the best that is documented for it.
        timeout: seconds for one request.
        retry: how long a call keeps trying.
        pace: how fast the service may be called; ``"auto"`` finds out how fast PINs are handed out, None does
            not pace.
        max_connections: requests under way at once.
        http: your own session; its pool and settings are used, and it is never closed.
        sessions: server sessions that one `Login` may hold; calls in flight have one each.
        relogin: when the service says that a session has ended, log in once and repeat the call once.
        allow_plain_http: take ``http://`` for any host.
        clock: time, for tests.

    Raises:
        errors.InvalidRequest: an argument cannot be used.
    """

    def __init__(
        self,
        credentials: AuthCode | Login | Sequence[AuthCode | Login] | None = None,
        *,
        base_url: str = BASE_URL,
        binding: Binding = Binding.SOAP11,
        timeout: float = TIMEOUT,
        retry: RetryPolicy = RetryPolicy(),
        pace: PaceSetting = Pace(),
        max_connections: int = MAX_CONNECTIONS,
        http: ClientSession | None = None,
        sessions: int = SESSIONS,
        relogin: bool = False,
        allow_plain_http: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            base_url=base_url,
            binding=binding,
            timeout=timeout,
            retry=retry,
            pace=pace,
            max_connections=max_connections,
            http=http,
            relogin=relogin,
            allow_plain_http=allow_plain_http,
            clock=clock,
        )
        if sessions < 1:
            raise errors.InvalidRequest("sessions must be at least 1")
        self._sessions = sessions
        given = _sequence(credentials)
        self._identities = [self._identity(one, number) for number, one in enumerate(given, 1)] or [NobodyIdentity()]

    def _identity(self, credentials: AuthCode | Login, number: int) -> Identity:
        if isinstance(credentials, AuthCode):
            return CodeIdentity(credentials, f"auth code {number}")
        return SessionIdentity(
            credentials,
            login=authentication.Login(credentials.email, credentials.password),
            logout=authentication.Logout(),
            sessions=self._sessions,
            send=self._caller.send,
            clock=self._clock,
        )

    def _choose(self, operation: Operation[Any]) -> Identity:
        if isinstance(operation, authentication.Login):
            return self._who_logs_in(operation)
        return super()._choose(operation)

    def _who_logs_in(self, operation: authentication.Login) -> Identity:
        """The identity whose session an explicit login opens."""
        logins = [identity for identity in self._identities if isinstance(identity, SessionIdentity)]
        if operation.email is None or operation.password is None:
            return logins[0] if logins else self._identities[0]
        wanted = Login(operation.email, operation.password)
        for identity in logins:
            if identity.credentials == wanted:
                return identity
        if not isinstance(self._identities[0], NobodyIdentity) or isinstance(self._identities[0], CodeIdentity):
            raise errors.InvalidRequest(
                "login: this client already calls as somebody else; use a client of its own for each caller",
                operation=operation.spec.name,
            )
        # A client without credentials becomes the one who logs in.
        self._identities = [self._identity(wanted, 1)]
        return self._identities[0]

    # --- authentication ---
    login = awaits(authentication.Login)
    logout = awaits(authentication.Logout)
    request_auth_code = awaits(authentication.RequestAuthCode)
    # --- PIN codes ---
    request_pin_code = awaits(pins.RequestPinCode)
    request_pin_code_v3 = awaits(pins.RequestPinCodeV3)
    request_lens_pin_code_v2 = awaits(pins.RequestLensPinCodeV2)
    # --- sessions ---
    start_session = awaits(sessions.StartSession)
    close_session = awaits(sessions.CloseSession)


def _sequence(credentials: AuthCode | Login | Sequence[AuthCode | Login] | None) -> Sequence[AuthCode | Login]:
    if credentials is None:
        return ()
    given = credentials if isinstance(credentials, Sequence) else [credentials]
    for one in given:
        if not isinstance(one, AuthCode | Login):
            # Its value may be a secret, so only its type is shown.
            raise errors.InvalidRequest(f"credentials must be AuthCode(…) or Login(…), not {type(one).__name__}")
    if len(set(given)) != len(given):
        raise errors.InvalidRequest("credentials name the same caller twice; each needs a pace of its own")
    return given
