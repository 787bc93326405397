"""Answers of every operation on every binding, changed in many ways: each is a value or one of our exceptions.

`run` makes the changes at random, from a seed. `python -m tests.soak.decoders` is one worker of the soak's part
"decoders". Where `atheris` is installed (``pip install atheris``; there are wheels for Linux), half of its answers come
from that coverage-guided fuzzer, which keeps what reaches new branches of a decoder and changes it further. Without it,
all answers are made at random.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import attrs

from aiorescue import Binding, errors, inforouter, rescue
from aiorescue.call.reader import AnswerReader
from aiorescue.call.spool import Spool
from aiorescue.clock import SystemClock
from aiorescue.identity.cookies import Cookies
from aiorescue.inforouter.service import InfoRouterOperation
from aiorescue.operation import Content, Operation, Outcome, OutcomeClass, Output, PageLayout
from aiorescue.rescue.answers import records
from aiorescue.rescue.report_request import StreamReportV2
from aiorescue.rescue.service import RESCUE
from aiorescue.wire import Authorization, Response, codec
from tests.lab import mutations
from tests.soak import structure, witness
from tests.support import EXAMPLES

KNOWN = Authorization(code="s3cr3t-c0de", cookie="ASP.NET_SessionId=c00kie")
FOLDERS = Path(__file__).parents[1] / "rescue/samples", Path(__file__).parents[1] / "inforouter/samples"
#: Shares of the answers that are changed in their structure, and that come in another encoding.
_STRUCTURED, _RECODED = 0.5, 0.2
_TEXTS = {Binding.TEXT_GET, Binding.TEXT_POST}
_SOAPS = {Binding.SOAP11, Binding.SOAP12}
_ENVELOPE = '<soap:Envelope xmlns:soap="{}"><soap:Body><{} xmlns="{}">{}</{}></soap:Body></soap:Envelope>'
_SPACES = {
    Binding.SOAP11: "http://schemas.xmlsoap.org/soap/envelope/",
    Binding.SOAP12: "http://www.w3.org/2003/05/soap-envelope",
}
#: What infoRouter's operations read, in one root element.
_ROOT = (
    '<response success="true" error="" FolderID="1" FolderName="a" DocumentId="1" VersionId="1" UserID="1" ticket="t"'
    ' UploadHandler="h" downloadhandler="h" ChunkSize="1000" Size="3" CRC32="0" chunklength="3" lastchunk="true">{}'
    "</response>"
)
_INSIDE = ("YWJj", '<folder FolderID="1" Name="a"/><document DocumentID="1" Name="b"/>', '<document DocumentID="1"/>')


@attrs.frozen
class Good:
    """A good answer.

    Attributes:
        operation: the operation that it answers.
        binding: the binding of the request.
        body: the body.
        streamed: it comes from a temporary file.
    """

    operation: Operation[Any]
    binding: Binding
    body: bytes
    streamed: bool = False


def _filled(kind: type[Operation[Any]]) -> Operation[Any]:
    """An operation with a value in each field that needs one."""
    examples = {str: "a", int: 1, bool: True, bytes: b"abc"}
    holds = {slot.name: slot.parameter.holds for slot in kind.slots}
    needed = [field.name for field in attrs.fields(kind) if field.default is attrs.NOTHING]
    return kind(**{name: examples[holds[name]] for name in needed})


def _kinds(base: type[Any]) -> Iterator[type[Operation[Any]]]:
    for kind in base.__subclasses__():
        yield from _kinds(kind)
        # attrs puts a class in the place of the one that is declared, which lives until it is collected as garbage.
        if "spec" in vars(kind) and attrs.has(kind) and kind.__module__.startswith("aiorescue.inforouter"):
            yield kind


#: A value of each operation of both services by its wire name.
OPERATIONS: dict[str, Operation[Any]] = {
    **EXAMPLES,
    **{kind.spec.name: _filled(kind) for kind in _kinds(InfoRouterOperation) if kind is not inforouter.Invocation},
}


_DAYS, _TIMES = "BEGIN:1/2/2024 9:00:00 AM\nEND:1/31/2024", "BEGIN:9:00:00\nEND:5:30 PM"
_TABLE = "Start Time|Session ID|Name|\n2/16/2012 9:00 AM|1|a|\n2/16/2012 9:00 AM|2|b|\n"


def _element(output: Output) -> str:
    inside = _TABLE if output.soap == "sReport" else "123456"
    if output.record is not None:
        fields = (f for f, _ in records.wire_fields(output.record) if f.soap)
        inside = "".join(f"<{f.soap}>{'<string>1</string>' if f.array else 1}</{f.soap}>" for f in fields)
    if output.item:
        inside = f"<{output.item}>{inside}</{output.item}>" * 2
    return f"<{output.soap}>{inside}</{output.soap}>"


def _page(operation: Operation[Any]) -> Iterator[str]:
    spec = operation.spec
    layout, record = spec.page_layout, spec.outputs[0].record if spec.outputs else None
    if layout is PageLayout.ADDRESS:
        yield "OK:https://example.com/a"
    if layout is PageLayout.WORD:
        yield "TRUE"
    elif layout is PageLayout.TABLE and record is not None:
        keys = records.page_keys(record)
        yield f"OK\n\n{'|'.join(keys)}|\n{'1|' * len(keys)}\n{'1|' * len(keys)}\n"
    elif layout in (PageLayout.VALUE, PageLayout.BODY):
        yield from (f"OK\n\n{value}\n" for value in (_TABLE, "60", "XML", _DAYS, _TIMES))
    else:
        keys = records.page_keys(record) if record is not None else [output.page_key for output in spec.outputs]
        block = "".join(f"{key}:{'123456' if key == 'PINCODE' else 1}\n" for key in keys if key)
        yield f"OK\n\n{block}\n{block if layout is PageLayout.BLOCKS else ''}"


def _made(operation: Operation[Any], binding: Binding) -> Iterator[str]:
    """Answers that say OK, put together from what the operation declares."""
    spec = operation.spec
    if binding in _TEXTS:
        yield from _page(operation)
        return
    result = f"{spec.prefix}OK"
    roots = [_ROOT.format(inside) for inside in _INSIDE] if spec.service is not RESCUE else [result]
    if spec.content is Content.BYTES:
        roots.append("YWJj" if binding in _SOAPS else "<base64Binary>YWJj</base64Binary>")
    for root in roots:
        outputs = "".join(map(_element, spec.outputs))
        inside = f"<{spec.name}Result>{root}</{spec.name}Result>{outputs}"
        if binding in _SOAPS:
            name = f"{spec.name}Response"
            yield _ENVELOPE.format(_SPACES[binding], name, spec.service.namespace, inside, name)
        else:
            yield (
                root
                if spec.service is not RESCUE
                else f'<{spec.root} xmlns="{spec.service.namespace}">{root}</{spec.root}>'
            )


def _fit(operation: Operation[Any], binding: Binding, body: str) -> bytes:
    """A document in an envelope where its binding has one."""
    spec = operation.spec
    if binding in _SOAPS and "Envelope" not in body:
        name = f"{spec.name}Response"
        inside = f"<{spec.name}Result>{body.partition('?>')[2] or body}</{spec.name}Result>"
        body = _ENVELOPE.format(_SPACES[binding], name, spec.service.namespace, inside, name)
    return body.encode()


def good_answers() -> list[Good]:
    """An answer of each operation on each binding, and all samples on the bindings of their operations."""
    found = [
        Good(operation, binding, body.encode())
        for operation in OPERATIONS.values()
        for binding in operation.spec.bindings
        for body in _made(operation, binding)
    ]
    for path in sorted(FOLDERS[0].glob("*.txt")):
        operation = OPERATIONS[path.name.partition(".")[0]]
        found += [Good(operation, binding, path.read_bytes()) for binding in operation.spec.bindings]
    for one in json.loads((FOLDERS[1] / "manifest.json").read_text("utf-8"))["files"]:
        path, operation = FOLDERS[1] / one["file"], OPERATIONS.get(one["method"], OPERATIONS["GetDocument"])
        if path.suffix == ".xml":
            body = path.read_text("utf-8")
            found += [Good(operation, binding, _fit(operation, binding, body)) for binding in operation.spec.bindings]
    streamed = StreamReportV2(1)
    found += [
        Good(streamed, one.binding, one.body, streamed=True)
        for one in found
        if isinstance(one.operation, rescue.GetReportV2) and one.binding in _TEXTS
    ]
    return found


def check(good: Good, response: Response) -> Outcome[Any]:
    """Decode an answer, and use all of its value. Raises AssertionError, or what a decoder should not have raised."""
    reader = reader_of(good)
    if good.streamed:
        response.stream = Spool("utf-8")
        response.stream.write(response.body)
    outcome = reader.read(good.operation, KNOWN, response)
    if outcome.outcome_class is OutcomeClass.OK:
        _use(outcome.value)
        foreign = witness.missing(outcome.value, response)
        assert not foreign, f"the answer does not hold {foreign}"
    else:
        assert issubclass(outcome.error, errors.RescueError)
        assert outcome.error is not errors.RescueError
        shown = f"{outcome.word} {outcome.detail} {outcome.quote}"
        assert KNOWN.code not in shown
        assert len(shown) < 1_500
        assert "cannot be read (" not in outcome.detail, f"a decoder stumbles: {outcome.detail}"
    cookies = Cookies("https://host/API/", SystemClock())
    cookies.update(response.cookies, response.headers.get("Date"))
    assert cookies.header.isprintable()
    return outcome


def reader_of(good: Good) -> AnswerReader:
    """A new reader of the answers to an operation on its binding."""
    return AnswerReader(codec(type(good.operation), good.binding), good.binding)


def check_learned(good: Good, response: Response) -> None:
    """Decode an answer by what was learned from a good one: it must mean what it means to a reader that knows none."""
    taught, fresh = reader_of(good), reader_of(good)
    taught.read(good.operation, KNOWN, Response(200, good.body))
    known, parsed = (reader.read(good.operation, KNOWN, response) for reader in (taught, fresh))
    if taught.learned is not None:
        assert (known.outcome_class, known.error, known.word) == (parsed.outcome_class, parsed.error, parsed.word)
        assert known.value == parsed.value


def _use(value: Any) -> None:
    """Look at all that a value holds."""
    if isinstance(value, rescue.Report | rescue.Hierarchy):
        repr(list(value))
    elif hasattr(value, "batch"):
        try:
            while value.batch():
                pass
        except ValueError:
            pass  # becomes a ProtocolError where the rows are read
        finally:
            value.close()
    else:
        repr(value)


def run(count: int, seed: int, answers: list[Good]) -> dict[str, int]:
    """Decode changed answers.

    Args:
        count: how many.
        seed: of all choices.
        answers: those that are changed.

    Returns:
        How many were of which outcome, by the name of the error, or "OK".
    """
    random, tally = Random(seed), dict[str, int]()
    for _ in range(count):
        good = random.choice(answers)
        body, headers = good.body, mutations.headers(random)
        if random.random() < _STRUCTURED:
            body = structure.changed(body, random.choice(answers).body, random)
        else:
            body = mutations.mutated(body, random)
        if random.random() < _RECODED:
            body, named = structure.recoded(body, random)
            headers |= named
        response = Response(random.choice(mutations.STATUSES), body, headers)
        try:
            outcome = check(good, response)
            if not good.streamed:
                check_learned(good, response)
        except BaseException as problem:
            problem.add_note(f"{type(good.operation).__name__} {good.binding} {response.status} {response.headers}")
            problem.add_note(repr(body[:800]))
            raise
        name = "OK" if outcome.outcome_class is OutcomeClass.OK else outcome.error.__name__
        tally[name] = tally.get(name, 0) + 1
    return tally


def fuzz(count: int, seed: int, answers: list[Good], folder: Path) -> None:
    """Decode answers of the coverage-guided fuzzer; ends the process, with status 0 if nothing was found.

    Args:
        count: how many.
        seed: of all choices.
        answers: those that it begins with.
        folder: takes these answers, and what was found.
    """
    import atheris  # noqa: PLC0415 - it has no wheel for every Python

    def one_input(data: bytes) -> None:
        good = answers[int.from_bytes(data[:2], "big") % len(answers)]
        check(good, Response(200, data[2:]))

    corpus = folder / f"corpus-{seed}"
    corpus.mkdir()
    for number, good in enumerate(answers):
        (corpus / str(number)).write_bytes(number.to_bytes(2, "big") + good.body[:20_000])
    atheris.instrument_all()
    options = [f"-runs={count}", f"-seed={seed % 2**31 + 1}", "-max_len=20000", "-rss_limit_mb=4096", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/", str(corpus)], one_input)
    atheris.Fuzz()


def main() -> None:
    """One worker: so many answers at random, and as many of the fuzzer where it is installed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.decoders")
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, required=True, help="for files of the fuzzer")
    options = parser.parse_args()
    answers = good_answers()
    try:
        import atheris  # noqa: F401, PLC0415 - as above
    except ImportError:
        print("  no atheris: all answers are made at random", flush=True)
        print(f"  {run(options.answers, options.seed, answers)}", flush=True)
        return
    print(f"  {run(options.answers // 2, options.seed, answers)}", flush=True)
    fuzz(options.answers // 2, options.seed, answers, options.folder)


if __name__ == "__main__":
    main()
