# ruff: noqa: INP001 - a script, not a package
"""The page `docs/status-words.md`, made from the tables of words and codes; `docs/generate.py` writes it."""

from collections.abc import Iterator, Mapping

from aiorescue.inforouter.answers.codes import BRACKET_CODES, ERROR_CODES
from aiorescue.operation import VERDICTS, OutcomeClass, Verdict
from aiorescue.rescue.catalogue import OPERATIONS

_HEAD = """# Status words

<!-- Generated from the declarations by `docs/generate.py`; do not edit. -->

Both services put their failures inside HTTP 200, as words. This page lists every word that aiorescue knows, the
exception that it becomes, and what to do. SOAP and the ASMX forms write a word in mixed case behind a prefix
(`requestPINCode_NotLoggedIn`), the text pages in capitals (`NOTLOGGEDIN`). `error.status` is the word as it came.

A word that is not here is an `errors.ServiceError` that quotes it.

| class | what happens | what to do |
|---|---|---|
| ok | the call returns its result | |
| transient | tried again, with growing pauses, within `RetryPolicy` | if it is raised all the same: try again later |
| throttled | the pace becomes slower, and the call waits for its next turn | [share the pace](how-to/workers.md) |
| authentication | raised at once, after exactly one request | have a person look at the credentials; do not repeat |
| final | raised at once | correct what the word names |
"""
#: Operations that are named for a word; behind that only their number is given.
_NAMED = 2


def _operations(word: str) -> str:
    names = [
        name
        for name, operation in OPERATIONS.items()
        if word in {one.upper() for one in (*operation.spec.words, *operation.spec.page_words)}
    ]
    if len(names) == len(OPERATIONS):
        return "all"
    shown = ", ".join(f"`{name}`" for name in names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _verdict(verdict: Verdict) -> str:
    error = "" if verdict.outcome_class is OutcomeClass.OK else f"<br>`{verdict.error.__name__}`"
    return f"{verdict.outcome_class.value}{error} | {verdict.hint}"


def _words() -> Iterator[str]:
    yield "\n## LogMeIn Rescue\n"
    yield "| word | class, exception | what it means | operations |"
    yield "|---|---|---|---|"
    for word, verdict in VERDICTS.items():
        yield f"| `{word}` | {_verdict(verdict)} | {_operations(word)} |"
    yield "| `INVALIDPARAM_…` | final<br>`InvalidParameter` | the service refuses the value of that parameter | many |"


def _codes(title: str, codes: Mapping[int, Verdict], form: str) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield "| code | class, exception | what it means |"
    yield "|---|---|---|"
    for code, verdict in codes.items():
        yield f"| `{form.format(code)}` | {_verdict(verdict)} |"


def page() -> str:
    """The page."""
    lines = [
        _HEAD.rstrip(),
        *_words(),
        *_codes("infoRouter: codes in brackets", BRACKET_CODES, "[{}]"),
        *_codes("infoRouter 9: the errorCode attribute", ERROR_CODES, "{}"),
    ]
    return "\n".join(lines) + "\n"
