"""infoRouter's answers: one XML document whose root says whether it worked.

The root's name varies (`root`, `response`, `Response`) and so does the case of `success`; a failure is a
bracketed code at the start of `error`, or an `errorCode` attribute on newer servers.
"""

import re
from collections.abc import Mapping
from typing import Any

from aiorescue import errors
from aiorescue.operation import Answer, Kind, Operation, Outcome, Service, Verdict

_CODE = re.compile(r"\[(\d+)\]\s*")

_AUTH, _FINAL = Kind.AUTHENTICATION, Kind.FINAL

#: The bracket codes that the vendor prints, by what follows from them (facts.md, 9.1).
BRACKET_CODES: Mapping[int, Verdict] = {
    900: Verdict(_AUTH, errors.AuthenticationError, "wrong user name or password, or the account is disabled"),
    901: Verdict(_AUTH, errors.NotLoggedIn, "the session has expired or the ticket is invalid"),
    902: Verdict(_AUTH, errors.AuthenticationError, "this account may not be issued tickets"),
    347: Verdict(_AUTH, errors.AuthenticationError, "the user behind the ticket was deleted"),
    2730: Verdict(_AUTH, errors.NotLoggedIn, "anonymous users may not do this: no ticket reached the method"),
    921: Verdict(_FINAL, errors.PermissionDenied, "insufficient rights"),
    1573: Verdict(_FINAL, errors.PermissionDenied, "for system administrators only"),
    2840: Verdict(_FINAL, errors.PermissionDenied, "an administrator role is missing"),
    3167: Verdict(_FINAL, errors.PermissionDenied, "not the owner of the saved search"),
    903: Verdict(_FINAL, errors.InvalidParameter, "a required parameter is empty"),
    499: Verdict(_FINAL, errors.InvalidParameter, "no items or recipients"),
    2301: Verdict(_FINAL, errors.InvalidParameter, "malformed e-mail address"),
    2494: Verdict(_FINAL, errors.InvalidParameter, "invalid tag text"),
}

#: The errorCode attribute of 9.x servers: HTTP status times ten plus a digit (facts.md, 9.2).
ERROR_CODES: Mapping[int, Verdict] = {
    4000: Verdict(_FINAL, errors.InvalidParameter, "a bad value or a wrong state"),
    4010: Verdict(_AUTH, errors.NotLoggedIn, "the ticket has expired or is unknown"),
    4030: Verdict(_FINAL, errors.PermissionDenied, "refused"),
    4041: Verdict(_FINAL, errors.InvalidParameter, "missing or not visible"),
    4200: Verdict(_FINAL, errors.PermissionDenied, "an administrator role is missing"),
}
_OTHER = Verdict(_FINAL, errors.ServiceError)


def understand(operation: type[Operation[Any]], answer: Answer) -> Outcome[Any]:
    """Read the root element and, if it says success, its attributes."""
    root = _root(answer.result)
    if root is None:
        return Outcome(_FINAL, error=errors.ProtocolError, detail="the answer holds no success attribute")
    if str(root.get("@success", "")).lower() == "true":
        try:
            return Outcome(Kind.OK, value=operation.result(root))
        except (KeyError, ValueError) as problem:
            return Outcome(_FINAL, error=errors.ProtocolError, detail=f"the answer lacks {problem}")
    refusal = failure(root)
    if operation.spec.no is not None and issubclass(refusal.error, operation.spec.no):
        return Outcome(Kind.OK, value=False, word=refusal.word)
    return refusal


def failure(root: Mapping[str, Any]) -> Outcome[Any]:
    """The outcome of an answer that says no."""
    text = str(root.get("@error") or "")
    bracket = _CODE.match(text)
    number = str(root.get("@errorCode") or root.get("@errorcode") or "")
    if bracket is not None:
        found, word = BRACKET_CODES.get(int(bracket[1]), _OTHER), f"[{bracket[1]}]"
    else:
        found = ERROR_CODES.get(int(number), _OTHER) if number.isdecimal() else _OTHER
        word = number or text
    detail = text[bracket.end() :] if bracket is not None else text
    return Outcome(found.kind, word=word, error=found.error, detail=detail or found.hint)


def _root(result: Any) -> Mapping[str, Any] | None:
    """The element with the verdict: the result itself (forms), or its only child (SOAP)."""
    if not isinstance(result, Mapping):
        return None
    if "@success" in result or "@error" in result:
        return result
    inner = [value for name, value in result.items() if not name.startswith("@")]
    return _root(inner[0]) if len(inner) == 1 else None


INFOROUTER = Service(name="infoRouter", namespace="http://tempuri.org/", asmx="/srv.asmx", understand=understand)
