"""Why TLS failed, in words that say what to do about it."""

from errno import ECONNRESET
from ssl import SSLCertVerificationError, SSLError

_CLIENT_CERTIFICATE = "the server may demand a client certificate: ssl= takes an ssl.SSLContext that has loaded one"
#: Why a TLS connection failed that the server ended without a reason.
TLS_ENDED = f"TLS was ended by the server before an answer; {_CLIENT_CERTIFICATE}"
#: OpenSSL's numbers for certificates whose authority is not trusted.
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)


def _refuses_client(problem: SSLError) -> bool:
    """Whether the server refused the client's certificate, or wants one, by the reason that OpenSSL gives."""
    alert = problem.reason or ""
    return "ALERT" in alert and any(word in alert for word in ("CERTIFICATE", "HANDSHAKE_FAILURE", "UNKNOWN_CA"))


def explain_tls(problem: SSLError) -> str:
    """Say why TLS failed, and what to do about it."""
    why = f"TLS failed: {problem.reason or type(problem).__name__}"
    if isinstance(problem, SSLCertVerificationError):
        why += f" ({problem.verify_message})"
        if problem.verify_code in _UNKNOWN_AUTHORITY:
            why += "; ssl= takes an ssl.SSLContext that trusts a private authority"
    elif _refuses_client(problem):
        why += f"; {_CLIENT_CERTIFICATE}"
    return why


class TLSBrokenError(ConnectionResetError):
    """TLS failed on a connection that was open already.

    Args:
        problem: what OpenSSL found; None where the server ended the connection without a reason.

    Attributes:
        refuses_client: the server does not accept the client's certificate, or wants one.
    """

    def __init__(self, problem: SSLError | None) -> None:
        super().__init__(ECONNRESET, TLS_ENDED if problem is None else explain_tls(problem))
        self.refuses_client = problem is not None and _refuses_client(problem)
