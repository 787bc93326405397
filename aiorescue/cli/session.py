"""`aiorescue session`: start and close sessions."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from aiorescue.cli.call import Called, perform
from aiorescue.cli.options import BindingOption, JsonOption
from aiorescue.operation import frozen
from aiorescue.rescue import CloseSession, StartSession

SessionArgument = Annotated[int, typer.Argument(metavar="SESSION", help="The session's id.")]


@frozen
class SessionChanged(Called):
    """A session that was started or closed.

    Attributes:
        sentence: sentence for people that says what was done.
    """

    sentence: str

    @property
    def is_notice(self) -> bool:
        """Whether the result only says what can be seen elsewhere: in the exit status."""
        return True

    def for_people(self) -> Iterable[str]:
        """Yield the sentence; the operation has no result to show."""
        return [self.sentence]

    def for_programs(self) -> Any:
        """The operation's name and result, in the form of ``aiorescue call``."""
        return {"operation": self.operation, "result": self.result}


def start(
    session: SessionArgument,
    *,
    node: Annotated[int, typer.Option(help="The id of the technician's node that takes it.")],
    binding: BindingOption = None,
    as_json: JsonOption = False,  # noqa: ARG001 - read where the result is printed
) -> SessionChanged:
    """Start a waiting session for a technician, as an administrator."""
    operation = StartSession(session=session, node=node)
    result = perform(operation, binding)
    return SessionChanged(operation.spec.name, result, f"session {session} is started")


def close(
    session: SessionArgument,
    *,
    binding: BindingOption = None,
    as_json: JsonOption = False,  # noqa: ARG001 - read where the result is printed
) -> SessionChanged:
    """Close a session, as an administrator."""
    operation = CloseSession(session=session)
    result = perform(operation, binding)
    return SessionChanged(operation.spec.name, result, f"session {session} is closed")
