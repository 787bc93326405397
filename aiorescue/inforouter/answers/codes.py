"""infoRouter's error codes, and what follows from each. Only numbers count: texts are in the session's language."""

from collections.abc import Mapping

from aiorescue import errors
from aiorescue.operation import OutcomeClass, Verdict

_AUTH, _FINAL = OutcomeClass.AUTHENTICATION, OutcomeClass.FINAL

#: Codes in brackets at the beginning of `error`, as the vendor prints them.
BRACKET_CODES: Mapping[int, Verdict] = {
    900: Verdict(_AUTH, errors.AuthenticationError, "wrong user name or password, or the account is disabled"),
    901: Verdict(_AUTH, errors.NotLoggedIn, "the session has expired or the ticket is invalid"),
    902: Verdict(_AUTH, errors.AuthenticationError, "this account may not be issued tickets"),
    347: Verdict(_AUTH, errors.AuthenticationError, "the user behind the ticket was deleted"),
    # The client has sent a ticket, so a new one would be refused as well: this is not NotLoggedIn.
    2730: Verdict(_AUTH, errors.AuthenticationError, "anonymous users may not do this: no ticket reached the method"),
    921: Verdict(_FINAL, errors.PermissionDenied, "insufficient rights"),
    1573: Verdict(_FINAL, errors.PermissionDenied, "for system administrators only"),
    2840: Verdict(_FINAL, errors.PermissionDenied, "an administrator role is missing"),
    3167: Verdict(_FINAL, errors.PermissionDenied, "not the owner of the saved search"),
    115: Verdict(_FINAL, errors.NotFound, "no such library"),
    2285: Verdict(_FINAL, errors.NotFound, "no such document"),
    3169: Verdict(_FINAL, errors.NotFound, "no such saved search"),
    903: Verdict(_FINAL, errors.InvalidParameter, "a required parameter is empty"),
    499: Verdict(_FINAL, errors.InvalidParameter, "no items or recipients"),
    2301: Verdict(_FINAL, errors.InvalidParameter, "malformed e-mail address"),
    2494: Verdict(_FINAL, errors.InvalidParameter, "invalid tag text"),
    2767: Verdict(_FINAL, errors.PreconditionFailed, "the password has to be confirmed: use DeleteUser1"),
    933: Verdict(_FINAL, errors.PreconditionFailed, "sending e-mail is disabled"),
    1510: Verdict(_FINAL, errors.PreconditionFailed, "the library is archived already"),
    1521: Verdict(_FINAL, errors.PreconditionFailed, "the library is not archived"),
    1524: Verdict(_FINAL, errors.PreconditionFailed, "documents of the library are checked out"),
    2842: Verdict(_FINAL, errors.PreconditionFailed, "the default search page is protected"),
    503: Verdict(_FINAL, errors.ServiceError, "the AI service failed"),
}

#: Values of the errorCode attribute of 9.x servers, as the vendor's pages have them.
ERROR_CODES: Mapping[int, Verdict] = {
    4000: Verdict(
        _FINAL, errors.InvalidParameter, "a bad value or a wrong state, or a search or handler that has ended"
    ),
    4010: Verdict(_AUTH, errors.NotLoggedIn, "the ticket has expired or is unknown"),
    4030: Verdict(_FINAL, errors.PermissionDenied, "refused"),
    4041: Verdict(_FINAL, errors.NotFound, "missing or not visible"),
    4090: Verdict(_FINAL, errors.PreconditionFailed, "the name is in use"),
    4170: Verdict(_FINAL, errors.PreconditionFailed, "the object is in use"),
    4200: Verdict(_FINAL, errors.PermissionDenied, "an administrator role is missing"),
    4230: Verdict(OutcomeClass.TRANSIENT, errors.ServiceError, "the document is offline; try later"),
    5000: Verdict(_FINAL, errors.ServiceError, "the server could not complete it"),
    5030: Verdict(_FINAL, errors.ServiceError, "the AI service failed"),
}

#: Any other errorCode, by its HTTP status: it is that status times ten plus a digit.
_BY_STATUS: Mapping[int, Verdict] = {
    400: Verdict(_FINAL, errors.InvalidParameter),
    401: Verdict(_AUTH, errors.AuthenticationError),
    403: Verdict(_FINAL, errors.PermissionDenied),
    404: Verdict(_FINAL, errors.NotFound),
    409: Verdict(_FINAL, errors.PreconditionFailed),
}
_OTHER = Verdict(_FINAL, errors.ServiceError)


def bracketed(code: int) -> Verdict:
    """The verdict on a code in brackets; a code that is in no table is an `errors.ServiceError` that quotes it."""
    return BRACKET_CODES.get(code, _OTHER)


def numbered(code: int) -> Verdict:
    """The verdict on an errorCode; a value that is in no table counts as the HTTP status that it begins with."""
    return ERROR_CODES.get(code) or _BY_STATUS.get(code // 10, _OTHER)
