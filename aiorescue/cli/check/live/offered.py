"""Bindings that are only inferred, tried with an auth code that is wrong on purpose, so that nothing is carried out.

An operation that the service offers refuses the code with a status word. One that it does not offer is an HTTP error or
a SOAP fault.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final

from aiorescue import AuthCode, RescueClient, RetryPolicy, errors
from aiorescue.cli import credentials
from aiorescue.cli.check.live.answers import is_declared, shown, word_of
from aiorescue.cli.check.live.description import Described
from aiorescue.cli.check.live.result import Check, Comparison
from aiorescue.cli.status import Status, status_of
from aiorescue.events import AttemptEnded, Event
from aiorescue.operation import Binding, Evidence, Operation, Parameter
from aiorescue.rescue import OPERATIONS

#: An auth code that no one has.
_WRONG: Final = "aiorescue-verify-wrong-on-purpose"


class Offered:
    """Asks of each inferred binding that the description does not settle whether the service has it.

    Attributes:
        trouble: the exit status that the service asks for, if it went away.

    Args:
        base_url: scheme and host of the service.
        described: operations of the service description; empty if the service has none.
    """

    def __init__(self, base_url: str, described: Mapping[str, Described]) -> None:
        self.trouble = Status.OK
        self._base_url = base_url
        self._described = described
        self._http_status: int | None = None

    async def checks(self) -> AsyncIterator[Check]:
        """Ask, and yield a check for each binding. The two ways to call a text page are one."""
        async with RescueClient(
            AuthCode(_WRONG),
            base_url=self._base_url,
            **credentials.route(self._base_url),
            pace=None,
            refused_for=0.0,
            retry=RetryPolicy(attempts=1),
            on_event=self._listen,
        ) as client:
            for operation, binding in self._inferred():
                if self.trouble is not Status.OK:
                    return
                yield await self._one(client, operation, binding)

    def _inferred(self) -> Iterator[tuple[type[Operation[Any]], Binding]]:
        for name, operation in OPERATIONS.items():
            bindings = operation.spec.bindings
            for binding, evidence in bindings.items():
                is_tried_by_post = binding is Binding.TEXT_GET and Binding.TEXT_POST in bindings
                if evidence is not Evidence.INFERRED or is_tried_by_post:
                    continue
                described = self._described.get(name)
                if operation.spec.identity is not None and (described is None or binding not in described.bindings):
                    yield operation, binding

    def _listen(self, event: Event) -> None:
        if isinstance(event, AttemptEnded):
            self._http_status = event.http_status

    async def _one(self, client: RescueClient, operation: type[Operation[Any]], binding: Binding) -> Check:
        spec = operation.spec
        name = f"{spec.name} over {binding.value} (inferred)"
        on_page = binding in (Binding.TEXT_GET, Binding.TEXT_POST)
        given = {
            slot.parameter.page_key if on_page else slot.parameter.soap: _harmless(slot.parameter)
            for slot in operation.slots
        }
        try:
            answer = await client.raw(spec.name, {key: value for key, value in given.items() if key}, binding=binding)
        except (errors.ConnectionFailed, errors.RequestTimeout) as problem:
            self.trouble = status_of(problem)
            return Check(name, Comparison.NOT_TRIED, type(problem).__name__)
        except errors.InvalidRequest:
            return Check(name, Comparison.NOT_TRIED, "this binding cannot carry the request")
        except errors.RescueError as problem:
            if not problem.status:
                return Check(name, Comparison.DIFFERS, "is not offered" + _with_status(self._http_status))
            word = word_of(problem)
        else:
            word = shown(answer.status)
            if word.removeprefix(spec.prefix).upper() == "OK":
                return Check(name, Comparison.DIFFERS, f"a wrong auth code is answered with {word}")
        if is_declared(spec, word):
            return Check(name, Comparison.AS_DECLARED, f"is offered: a wrong auth code is answered with {word}")
        return Check(name, Comparison.DIFFERS, f"is offered, and answers {word}, which is not declared")


def _with_status(http_status: int | None) -> str:
    return "" if http_status is None else f" (HTTP {http_status})"


def _harmless(parameter: Parameter) -> str | int | bool:
    """A value that a parameter can have."""
    if parameter.choices:
        return str(parameter.choices[0])
    return False if parameter.holds is bool else 0 if parameter.holds is int else ""
