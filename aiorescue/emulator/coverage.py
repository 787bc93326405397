"""The page `docs/coverage.md`, which lists what the emulator answers; made from the declarations and the rules.

`docs/generate.py` writes it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from aiorescue import inforouter, rescue
from aiorescue.emulator.state import ANSWERED
from aiorescue.operation import Binding, Evidence, Operation

Operations = Mapping[str, type[Operation[Any]]]

_HEAD = """# What the emulator answers

Written by `docs/generate.py`; a test compares. *The rules* is the file under `aiorescue/emulator/rules/` that answers.
A binding in parentheses is inferred: the service was not seen on it.
"""
_NAMES = {
    Binding.SOAP11: "SOAP 1.1",
    Binding.SOAP12: "SOAP 1.2",
    Binding.HTTP_GET: "GET",
    Binding.HTTP_POST: "POST",
    Binding.TEXT_GET: "text GET",
    Binding.TEXT_POST: "text POST",
}


def unanswered(operations: Operations) -> list[str]:
    """The names of operations that have no rule, and are refused."""
    return sorted(name for name in operations if name not in ANSWERED)


def _bindings(operation: type[Operation[Any]]) -> str:
    known = operation.spec.bindings
    shown = (
        f"({_NAMES[each]})" if known[each] is Evidence.INFERRED else _NAMES[each] for each in Binding if each in known
    )
    return ", ".join(shown)


def _rules(name: str) -> str:
    return ANSWERED[name][0].__module__.rpartition(".")[2] if name in ANSWERED else "refused"


def _table(operations: Operations) -> Iterator[str]:
    yield "| operation | bindings | the rules |"
    yield "|---|---|---|"
    for name, operation in operations.items():
        yield f"| {name} | {_bindings(operation)} | {_rules(name)} |"


def page() -> str:
    """The text of the page: which operations of each service have a rule, and which are refused."""
    typed: Operations = {**inforouter.OPERATIONS, **inforouter.TYPED}
    untyped = [name for name in inforouter.METHODS if name not in typed]
    answered = [name for name in untyped if name in ANSWERED]
    refused = [name for name in untyped if name not in ANSWERED]
    missing = unanswered(rescue.OPERATIONS)
    summary = f"Refused with `Error`: {', '.join(missing)}." if missing else "All of them are answered."
    lines = [
        _HEAD,
        f"## LogMeIn Rescue: {len(rescue.OPERATIONS) - len(missing)} of {len(rescue.OPERATIONS)} declared operations\n",
        f"{summary} What is not declared has no page and no method, as on the service.\n",
        *_table(rescue.OPERATIONS),
        f"\n## infoRouter: {len(typed) + len(answered)} of {len(inforouter.METHODS)} methods\n",
        "SOAP 1.2 is answered, too, as the recorded server did. These have types of their own:\n",
        *_table(typed),
        f"\nBy their name in the catalogue alone: {', '.join(f'`{name}`' for name in answered)}.\n",
        f'The other {len(refused)} methods of the catalogue look at the ticket and then refuse: `success="false"` with',
        '`error="SystemError: … is not emulated."` and `errorCode="5000"`; those that answer with bytes say so in the',
        "headers. A name that is not in the catalogue is an HTTP 500 in forms and a fault over SOAP.",
    ]
    return "\n".join(lines) + "\n"
