"""One call that keeps the service's answer, and the answer compared with what is declared."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from aiorescue import RescueClient, errors
from aiorescue.cli.check.live import redacted
from aiorescue.cli.check.live.result import Check, Comparison
from aiorescue.operation import Answer, Binding, Operation, Outcome, Output, PageLayout, Spec, frozen
from aiorescue.rescue.answers.records import children, content, page_keys, wire_fields

#: What may be quoted of an unexpected answer: a status word, but no text of the account.
_WORD = re.compile(r"\w{1,80}", re.ASCII)
_KEY = re.compile(r"^[ \t]*([A-Za-z_]\w*)[ \t]*:", re.MULTILINE | re.ASCII)
#: Characters of a text page that are evidence.
_LONGEST: Final = 8_000
#: Operations whose answers hold what customers wrote, so that not even the keys of a page are shown.
_OF_CUSTOMERS = ("getSession", "getChat", "getNote", "getReport")


@frozen
class TriedCall:
    """What became of a call whose answer was kept.

    Attributes:
        answer: the service's answer, taken apart; None if no answer came that could be.
        value: the result of a good answer.
        problem: why there is no result; None if there is one.
    """

    answer: Answer | None
    value: Any = None
    problem: errors.RescueError | None = None


async def try_call(client: RescueClient, operation: Operation[Any], binding: Binding) -> TriedCall:
    """Make a call and keep the answer, good or bad."""
    kept: list[Answer] = []
    try:
        value = await client.call(_keeping(operation, kept), binding=binding)
    except errors.RescueError as problem:
        return TriedCall(kept[-1] if kept else None, None, problem)
    return TriedCall(kept[-1] if kept else None, value)


def _keeping(operation: Operation[Any], kept: list[Answer]) -> Operation[Any]:
    """The operation as a value of a type that keeps each answer before it is understood."""
    own = type(operation)

    def understand(_: type[Operation[Any]], answer: Answer) -> Outcome[Any]:
        kept.append(answer)
        return own.spec.service.understand(own, answer)

    spec = attrs.evolve(own.spec, service=attrs.evolve(own.spec.service, understand=understand))
    namespace = {"__slots__": (), "spec": spec, "__module__": own.__module__}
    keeping: type[Operation[Any]] = type(own.__name__, (own,), namespace)
    return keeping(**{field.name: getattr(operation, field.name) for field in attrs.fields(own)})


def name_of(spec: Spec, binding: Binding) -> str:
    """The name of a check of an operation on a binding, in messages."""
    return f"{spec.name} over {binding.value}"


def word_of(problem: errors.RescueError) -> str:
    """The part of an error that may be shown: the service's status word, else the type of the error."""
    return shown(problem.status or "", type(problem).__name__)


def shown(word: str, otherwise: str = "something that is no word") -> str:
    """A status word if it looks like one; anything else may be a text of the account, and is not shown."""
    return word if _WORD.fullmatch(word) else otherwise


def is_declared(spec: Spec, word: str) -> bool:
    """Whether a status word is one of an operation's, in the spelling of any binding."""
    plain = word.removeprefix(spec.prefix).upper()
    return plain in {each.upper() for each in (*spec.words, *spec.page_words)}


def compared(spec: Spec, binding: Binding, tried: TriedCall) -> Check:
    """Compare the answer to a call with the declaration of the operation."""
    name, problem = name_of(spec, binding), tried.problem
    evidence = None if tried.answer is None else evidence_of(spec, binding, tried.answer)
    if problem is not None and not isinstance(problem, errors.ProtocolError):
        word = word_of(problem)
        if _WORD.fullmatch(problem.status or "") is None:
            is_gone = isinstance(problem, errors.ServiceFault)
            found = "the service does not know the request" if is_gone else word
            return Check(name, Comparison.DIFFERS if is_gone else Comparison.NOT_TRIED, found)
        if not is_declared(spec, word):
            return Check(name, Comparison.DIFFERS, f"answers {word}, which is not declared", evidence)
        return Check(name, Comparison.NOT_TRIED, f"the service answers {word}", evidence)
    if tried.answer is None:
        return Check(name, Comparison.DIFFERS, "answers with something that is no answer of this service")
    differences = [*_differences(spec, tried.answer)]
    if problem is not None:
        differences.append("the answer cannot be read as it is declared")
    if differences:
        return Check(name, Comparison.DIFFERS, "; ".join(differences), evidence)
    return Check(name, Comparison.AS_DECLARED, "the answer reads as it is declared", evidence)


def _differences(spec: Spec, answer: Answer) -> Iterator[str]:
    if answer.from_page:
        yield from _of_page(spec, answer.body)
        return
    declared = {output.soap: output for output in spec.outputs}
    found = children(answer.fields)
    if more := sorted(found.keys() - declared.keys()):
        yield f"elements that are not declared: {', '.join(more)}"
    if fewer := [name for name, output in declared.items() if not output.optional and name not in found]:
        yield f"elements that are missing: {', '.join(fewer)}"
    for name, output in declared.items():
        if output.record is not None and name in found:
            yield from _of_records(output, content(found[name]))


def _of_records(output: Output, held: Any) -> Iterator[str]:
    """Elements of a record, or of the records in a list, that are not declared."""
    if not isinstance(held, Mapping):
        return
    records: list[Any] = [held]
    if output.item:
        records = [one for items in held.values() for one in (items if isinstance(items, list) else [items])]
    declared = {field.soap for field, _ in wire_fields(output.record or Output)}
    found = {name for one in records if isinstance(one, Mapping) for name in children(one)}
    if more := sorted(found - declared):
        yield f"elements of {output.soap} that are not declared: {', '.join(more)}"


def _of_page(spec: Spec, body: str) -> Iterator[str]:
    if spec.page_layout not in (PageLayout.KEYS, PageLayout.BLOCKS) or spec.name.startswith(_OF_CUSTOMERS):
        return
    keys = {output.page_key for output in spec.outputs if output.record is None}
    for output in spec.outputs:
        keys |= set(page_keys(output.record)) if output.record is not None else set()
    declared = {key.casefold() for key in keys if key}
    found = dict.fromkeys(found[1] for found in _KEY.finditer(body))
    if more := [key for key in found if key.casefold() not in declared]:
        yield f"keys that are not declared: {', '.join(more)}"
    plain = {output.page_key for output in spec.outputs if output.record is None and not output.optional}
    if fewer := sorted(key for key in plain if key and key.casefold() not in {each.casefold() for each in found}):
        yield f"keys that are missing: {', '.join(fewer)}"


def evidence_of(spec: Spec, binding: Binding, answer: Answer) -> Mapping[str, Any]:
    """An answer without any value of the account, from which a fixture can be made."""
    known = redacted.vocabulary(spec)
    evidence = {
        "operation": spec.name,
        "binding": binding.value,
        "result": redacted.tree(answer.result, known),
    }
    if answer.from_page:
        return evidence | {"body": redacted.text(_shortened(answer.body), known)}
    return evidence | {"fields": redacted.tree(dict(answer.fields), known)}


def _shortened(body: str) -> str:
    """The beginning of a long text page, up to the end of a line; nothing of a long document, which cannot be cut."""
    if len(body) <= _LONGEST:
        return body
    return "" if body.lstrip().startswith("<") else body[: body.rfind("\n", 0, _LONGEST) + 1]
