"""Whatever a server sends, an answer has an outcome: a value, a refusal, or a `ProtocolError`."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aiorescue import Binding, errors, inforouter
from aiorescue.call.reader import AnswerReader
from aiorescue.operation import Operation, Outcome, OutcomeClass
from aiorescue.wire import Authorization, Response, codec
from tests.lab import mutations
from tests.rescue.decoding import BINDINGS
from tests.support import EXAMPLES

TESTS = Path(__file__).parent.parent
KNOWN = Authorization(code="s3cr3t-c0de", cookie="ASP.NET_SessionId=c00kie")
DOCUMENTS = {
    operation.spec.name: operation
    for operation in (
        *(inforouter.AuthenticateUser("me", "pw"), inforouter.RenewTicket("me", "pw"), inforouter.IsValidTicket("t")),
        *(inforouter.LogOut("t"), inforouter.ServerInfo(), inforouter.GetCurrentUser(), inforouter.GetDocument("/a")),
        *(inforouter.GetFolders("/a"), inforouter.GetDocuments("/a"), inforouter.GetFoldersAndDocuments("/a")),
        *(inforouter.CreateFolder("/a"), inforouter.Copy("/a", "/b"), inforouter.DownloadDocument("/a")),
    )
}


def samples() -> Iterator[tuple[Operation[Any], Binding, bytes]]:
    """Every sample answer of both services, on each binding of its operation."""
    folder = TESTS / "inforouter/samples"
    methods = {one["file"]: one["method"] for one in json.loads((folder / "manifest.json").read_text("utf-8"))["files"]}
    found = [(EXAMPLES[path.name.partition(".")[0]], path) for path in (TESTS / "rescue/samples").glob("*.txt")]
    found += [
        (DOCUMENTS[methods[path.name]], path) for path in folder.glob("*response*") if methods[path.name] in DOCUMENTS
    ]
    for operation, path in sorted(found, key=lambda one: one[1].name):
        own = [
            binding
            for part, binding in (*BINDINGS.items(), ("response", Binding.HTTP_POST))
            if f".{part}." in path.name and binding in operation.spec.bindings
        ]
        for binding in (*operation.spec.bindings, *own * 5):  # mostly what was an answer on that binding
            yield operation, binding, path.read_bytes()


SAMPLES = list(samples())


def check(reader: AnswerReader, operation: Operation[Any], response: Response) -> Outcome[Any]:
    outcome = reader.read(operation, KNOWN, response)
    if outcome.outcome_class is not OutcomeClass.OK:
        assert issubclass(outcome.error, errors.RescueError)
        assert outcome.error is not errors.RescueError
        assert KNOWN.code not in f"{outcome.word} {outcome.detail} {outcome.quote}"
        assert len(outcome.detail) + len(outcome.quote) + len(outcome.word or "") < 1_500
    assert all(cookie.partition(";")[0].strip().isprintable() for cookie in response.cookies)
    return outcome


def fuzz(seed: int, rounds: int) -> None:
    random = Random(seed)
    for _ in range(rounds):
        operation, binding, body = random.choice(SAMPLES)
        response = Response(
            random.choice(mutations.STATUSES), mutations.mutated(body, random), mutations.headers(random)
        )
        check(AnswerReader(codec(type(operation), binding), binding), operation, response)


@pytest.mark.parametrize("seed", range(8))
def test_a_mutated_answer_has_an_outcome(seed: int):
    fuzz(seed, 500)


def test_there_are_samples_of_every_binding_and_both_services():
    assert len(SAMPLES) > 300
    assert {binding for _, binding, _ in SAMPLES} == set(Binding)
    assert {operation.spec.service.name for operation, _, _ in SAMPLES} == {"LogMeIn Rescue", "infoRouter"}
