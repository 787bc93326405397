"""`aiorescue call`: any declared operation by the vendor's name."""

import asyncio
from typing import Annotated, Any

import attrs
import typer

from aiorescue import Binding, Login, RescueClient
from aiorescue.cli import credentials, say
from aiorescue.cli.options import BindingOption, JsonOption
from aiorescue.cli.parameters import build, operation_named
from aiorescue.cli.status import Status
from aiorescue.operation import Needs, Operation
from aiorescue.rescue import OPERATIONS


def perform(operation: Operation[Any], binding: Binding | None = None) -> Any:
    """Call it with the caller's credentials, and wait for the result."""
    spec = operation.spec
    if binding is not None:
        spec.require(binding)
    callers = credentials.find() if spec.needs is Needs.IDENTITY else [_who_logs_in(operation)]
    if spec.own_credentials is not None:
        # The client fills in those of its caller.
        operation = attrs.evolve(operation, **dict.fromkeys(spec.own_credentials))  # type: ignore[misc]

    async def perform() -> Any:
        async with RescueClient(callers, base_url=credentials.base_url()) as rescue:
            return await rescue.call(operation, binding=binding)

    return asyncio.run(perform())


def _who_logs_in(operation: Operation[Any]) -> Login:
    """Who is named by the operation, or else by the environment."""
    names = operation.spec.own_credentials
    return credentials.login(getattr(operation, names[0]) if names else None)


def call(
    name: Annotated[str, typer.Argument(metavar="OPERATION", help=f"One of {', '.join(OPERATIONS)}.")],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE",
            help="By our names (session=1) or the wire's (iSession=1); custom_fields=… up to six times.",
            show_default=False,
        ),
    ] = None,
    *,
    binding: BindingOption = None,
    as_json: JsonOption = False,  # noqa: ARG001 - the answer is JSON anyway; errors are, too, where this is given
) -> Status:
    """Call any operation by the vendor's name; the result comes as JSON.

    Passwords and auth codes are no parameters: they come from the environment or a prompt.
    """
    operation = build(operation_named(name), parameters or ())
    say.answer({"operation": operation.spec.name, "result": perform(operation, binding)})
    return Status.OK
