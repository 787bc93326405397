"""`aiorescue call`: calls any declared operation by the vendor's name."""

from collections.abc import Iterable
from typing import Annotated, Any

import attrs
import typer

from aiorescue import Binding, Login, errors
from aiorescue.cli import credentials, signals
from aiorescue.cli.options import BindingOption, JsonOption
from aiorescue.cli.output import CommandResult
from aiorescue.cli.parameters import build, described, operation_named
from aiorescue.operation import Needs, Operation, frozen
from aiorescue.rescue import OPERATIONS


@frozen
class Called(CommandResult):
    """An operation that was called. It is JSON for people, too: results have too many shapes for words.

    Attributes:
        operation: the vendor's name of the operation.
        result: result of the call.
    """

    operation: str
    result: Any


@frozen
class Manual(CommandResult):
    """A description of the arguments that a command or an operation takes.

    Attributes:
        text: lines of the description.
    """

    text: str

    def for_people(self) -> Iterable[str]:
        """Yield the lines of the description."""
        return [self.text]


def perform(operation: Operation[Any], binding: Binding | None = None) -> Any:
    """Call an operation with the credentials of the environment and return its result. Blocks.

    Args:
        operation: the operation to call.
        binding: the only binding to use, or None for the best that the operation has.
    """
    spec = operation.spec
    if binding is not None:
        spec.require(binding)
    identities = credentials.find() if spec.needs is Needs.IDENTITY else [_login_for(operation)]
    if spec.own_credentials is not None:
        # The client fills in those of its identity.
        operation = attrs.evolve(operation, **dict.fromkeys(spec.own_credentials))

    async def perform() -> Any:
        async with credentials.client(identities, credentials.base_url()) as rescue:
            return await rescue.call(operation, binding=binding)

    return signals.run(perform())


def _login_for(operation: Operation[Any]) -> Login:
    """The login for an operation that an auth code cannot do: the e-mail address of its parameters, if it has one."""
    names = operation.spec.own_credentials
    return credentials.login(getattr(operation, names[0]) if names else None)


def call(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="OPERATION",
            help=f"One of {', '.join(OPERATIONS)}.",
            show_default=False,
            autocompletion=lambda incomplete: [one for one in OPERATIONS if one.startswith(incomplete)],
        ),
    ] = None,
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
    help_: Annotated[
        bool, typer.Option("--help", "-h", help="Show this message, or the parameters of OPERATION, and exit.")
    ] = False,
    as_json: JsonOption = False,  # noqa: ARG001 - the result is JSON anyway; with this option errors are, too
) -> CommandResult:
    """Call any operation by the vendor's name; the result comes as JSON.

    Passwords and auth codes are no parameters: they come from the environment or a prompt.
    """
    if name is None:
        if not help_:
            raise errors.InvalidRequest("name an operation (see aiorescue call --help)")
        return Manual(context.get_help())
    if help_:
        return Manual(described(operation_named(name)))
    operation = build(operation_named(name), parameters or ())
    return Called(operation.spec.name, perform(operation, binding))
