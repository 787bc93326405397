"""Options that several commands share."""

from typing import Annotated

import typer

from aiorescue import Binding, errors
from aiorescue.operation.suggest import did_you_mean

_NAMES = {binding.value: binding for binding in Binding}


def _binding(value: str) -> Binding:
    name = value.lower().replace("_", "-")
    if name not in _NAMES:
        near = did_you_mean(value, _NAMES) or f"; there are {', '.join(_NAMES)}"
        raise typer.BadParameter(f"no binding {value!r}{near}")
    return _NAMES[name]


BindingOption = Annotated[
    Binding | None,
    typer.Option(
        parser=_binding,
        metavar="|".join(_NAMES),
        help="Use this binding and no other.",
        show_default="the best there is",
    ),
]
SafeOption = Annotated[
    bool,
    typer.Option(
        "--safe-csv", help="Let no cell be a formula in a spreadsheet: a quote goes before = + - @; escape commands."
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no notices; results and errors only.")
]
VerboseOption = Annotated[
    int,
    typer.Option(
        "--verbose", "-v", count=True, show_default=False, help="Log what happens to stderr; -vv logs each call."
    ),
]
ProxyOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The HTTP proxy. One with a password belongs into RESCUE_PROXY.",
        show_default="RESCUE_PROXY, https_proxy or http_proxy",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for programs.")]


def check_pin_rate(rate: float) -> None:
    """Check the value of ``--pin-rate``. Raises `errors.InvalidRequest` unless it is above 0."""
    if not rate > 0:
        raise errors.InvalidRequest(f"--pin-rate must be above 0, not {rate:g}")
