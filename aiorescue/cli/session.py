"""`aiorescue session`: start and close sessions."""

import sys
from typing import Annotated, Any

import typer

from aiorescue.cli import say
from aiorescue.cli.call import perform
from aiorescue.cli.options import BindingOption, JsonOption
from aiorescue.cli.status import Status
from aiorescue.operation import Operation
from aiorescue.rescue import CloseSession, StartSession

app = typer.Typer(help="Start and close sessions; needs an administrator.", rich_markup_mode="rich")
SessionArgument = Annotated[int, typer.Argument(metavar="SESSION", help="The session's id.")]


@app.command()
def start(
    session: SessionArgument,
    *,
    node: Annotated[int, typer.Option(help="The id of the technician's node that takes it.")],
    binding: BindingOption = None,
    as_json: JsonOption = False,
) -> Status:
    """Start a waiting session."""
    operation = StartSession(session=session, node=node)
    return _report(operation, perform(operation, binding), f"session {session} is started", as_json=as_json)


@app.command()
def close(session: SessionArgument, *, binding: BindingOption = None, as_json: JsonOption = False) -> Status:
    """Close a session."""
    operation = CloseSession(session=session)
    return _report(operation, perform(operation, binding), f"session {session} is closed", as_json=as_json)


def _report(operation: Operation[Any], result: None, words: str, *, as_json: bool) -> Status:
    if as_json:
        say.answer({"operation": operation.spec.name, "result": result})
    else:
        sys.stdout.write(f"{words}\n")
    return Status.OK
