"""Status words: the class, exception and explanation of every word that Rescue is known to answer with.

A word that is not in the table is an `errors.ServiceError` that quotes the word, never a guess.
"""

import enum
import re
from collections.abc import Iterable, Mapping

import attrs

from aiorescue import errors
from aiorescue.operation.frozen import frozen


class OutcomeClass(enum.Enum):
    """The class of an outcome, which decides what a call does next."""

    OK = "ok"
    TRANSIENT = "transient"  # may succeed next time: retried
    THROTTLED = "throttled"  # calls come too fast: the pacer slows down and the call waits for its next turn
    AUTHENTICATION = "authentication"  # raised at once, after exactly one request
    FINAL = "final"  # raised at once for any other reason


# The members as names of this module, for the code that each call passes through (`case status.OK`): in Python 3.11
# looking up a member in its enum takes ten times as long as looking up a name in a module.
OK, TRANSIENT, THROTTLED, AUTHENTICATION, FINAL = OutcomeClass


@frozen
class Verdict:
    """What a status word means.

    Attributes:
        outcome_class: class of an outcome with that word.
        error: exception type to raise for the word.
        hint: what the word means and what may help, for the exception's message.
        everywhere: any operation may say it, whether its declaration lists it or not.
        ambiguous: the service may have carried out the call before it said so.
    """

    outcome_class: OutcomeClass
    error: type[errors.RescueError] = errors.RescueError
    hint: str = ""
    everywhere: bool = False
    ambiguous: bool = False


#: Classes whose words any operation may say. Not every page that lists an operation's words was seen, but each names
#: the words for a failed login and a failed service. Any other word counts only where it is declared.
_EVERYWHERE = (TRANSIENT, THROTTLED, AUTHENTICATION)


def _verdicts() -> dict[str, Verdict]:
    auth, not_in, wrong = errors.AuthenticationError, errors.NotLoggedIn, errors.InvalidParameter
    refused, final = AUTHENTICATION, FINAL
    table = {
        "OK": Verdict(OK, everywhere=True),
        "TRUE": Verdict(OK),
        "FALSE": Verdict(OK),
        # It covers timeouts of the service's own, which come after it has begun.
        "ERROR": Verdict(TRANSIENT, errors.ServiceError, "an unspecified error, such as a timeout", ambiguous=True),
        "POLLRATEEXCEEDED": Verdict(THROTTLED, errors.RateLimited, "calls come faster than allowed"),
        "INVALID": Verdict(refused, auth, "wrong e-mail address or password"),
        "NOTLOGGEDIN": Verdict(refused, not_in, "log in, or pass an auth code"),
        "NOTLOGGEDINASADMIN": Verdict(refused, not_in, "an administrator has to be logged in"),
        "INVALID_SECRETAUTHCODE": Verdict(refused, auth, "the auth code is wrong or was replaced by a newer one"),
        "USER_IS_DELETED": Verdict(refused, auth, "the user is deleted"),
        "USER_DELETED_OR_DISABLED": Verdict(refused, auth, "the user is deleted or disabled"),
        "LIMITREACHED": Verdict(refused, auth, "more than ten logins in three minutes; wait three minutes"),
        "GLOBALIPRESTRICTED": Verdict(refused, auth, "the account does not allow logins from this address"),
        "NOTTECHNICIAN": Verdict(final, errors.PermissionDenied, "the user holds no technician licence"),
        "NOACCESSTOLENS": Verdict(final, errors.PermissionDenied, "the user may not use Rescue Lens"),
        "NOTECHCONSOLERUNNING": Verdict(
            final, errors.NoTechConsoleRunning, "start the Technician Console or pass no_tech_console=True"
        ),
        "OUTOFPINCODES": Verdict(final, errors.OutOfPinCodes, "the account has no PIN codes left"),
        "ACTIONFAILED": Verdict(
            final, errors.ActionFailed, "mostly the technician is offline or the session has ended"
        ),
        "INVALIDPASSWORD": Verdict(refused, auth, "wrong single sign-on password"),
        "INVALIDCOMPANYID": Verdict(refused, auth, "no such company"),
        "INVALIDSSOID": Verdict(refused, auth, "no such single sign-on id"),
        "MISSINGPARAMETERS": Verdict(final, wrong, "a parameter is missing or empty"),
        "INVALIDPINFORMAT": Verdict(final, wrong, "a PIN code has six digits"),
        "INVALIDFORMAT": Verdict(final, wrong, "the service cannot read the date"),
        "INVALIDDATERANGE": Verdict(final, wrong, "the end lies before the begin"),
        "INVALID_EMAILANDNODEIDBOTHSPECIFIED": Verdict(final, wrong, "pass a node or an e-mail address, not both"),
        "INVALID_MOVE": Verdict(final, wrong, "the node cannot be moved there"),
        "INVALID_ASSIGN": Verdict(final, wrong, "the channel cannot be assigned to that node"),
        "INVALID_DEASSIGN": Verdict(final, wrong, "the channel cannot be taken from that node"),
        "INVALID_DELETE": Verdict(
            final, errors.PermissionDenied, "too few rights, or an administrator who would delete himself"
        ),
        "NOTSUPPORTED": Verdict(final, errors.PreconditionFailed, "the report area has no such variant"),
    }
    return {
        word: attrs.evolve(found, everywhere=found.everywhere or found.outcome_class in _EVERYWHERE)
        for word, found in table.items()
    }


#: What may stand before the underscore of a prefix that was not declared: the name of another operation, which has a
#: capital inside, as no word before an underscore has; behind the declared prefix, a version.
_OPERATION, _VERSION = r"(?:[a-z]+|[A-Z][a-z]+)[A-Z]\w*|(?i:login|logout)", r"[Vv][0-9]+"

#: The verdict on each known status word, in the text pages' capitals. SOAP writes the words in mixed case.
VERDICTS: Mapping[str, Verdict] = _verdicts()
_INVALID_PARAMETER = Verdict(
    FINAL, errors.InvalidParameter, "the service refuses the value of a parameter", everywhere=True
)
#: The verdict on an unknown word; what the service has done before it answered is unknown, too.
_UNKNOWN = Verdict(FINAL, errors.ServiceError, "a word that this version does not know", ambiguous=True)
_UNEXPECTED = attrs.evolve(_UNKNOWN, hint="a word that this operation is not known to answer with")


def verdict(word: str, prefix: str | None = None, declared: Iterable[str] = ()) -> Verdict:
    """The verdict on a status word in any case.

    SOAP's words carry a prefix. The service's choice of prefixes is irregular (later versions of an operation keep that
    of the first), so the name of another operation is taken off up to its underscore, or a version behind the declared
    prefix. Anything else before an underscore is a part of the word. A text page writes words without prefixes, so
    ``Not_OK`` on it is an unknown word and not an OK.

    Args:
        word: status word as the service wrote it.
        prefix: prefix that the operation declares over SOAP; None for a word of a text page.
        declared: words that the operation may answer with; without any, all words of the table hold.
    """
    bare = word[len(prefix) :] if prefix and word.lower().startswith(prefix.lower()) else word
    before, _, behind = bare.partition("_")
    is_prefix = prefix is not None and re.fullmatch(_OPERATION if bare == word else _VERSION, before, re.ASCII)
    for known in (bare, behind) if is_prefix else (bare,):
        found = _known(known)
        if found is not None:
            holds = found.everywhere or not declared or known.upper() in map(str.upper, declared)
            return found if holds else _UNEXPECTED
    return _UNKNOWN


def _known(word: str) -> Verdict | None:
    capitals = word.upper()
    found = VERDICTS.get(capitals)
    if found is None and capitals.startswith("INVALIDPARAM_"):
        return _INVALID_PARAMETER
    return found
