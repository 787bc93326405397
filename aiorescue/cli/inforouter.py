"""`aiorescue inforouter`: calls methods of an infoRouter server, uploads and downloads documents."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from aiorescue import errors, files
from aiorescue.cli import credentials, sheet, signals, stdio
from aiorescue.cli.options import JsonOption
from aiorescue.cli.output import CommandResult
from aiorescue.cli.parameters import named_texts, typed
from aiorescue.inforouter import METHODS, Element
from aiorescue.operation import frozen


@frozen
class MethodCalled(CommandResult):
    """A method that was called; its answer is shown as JSON.

    Attributes:
        method: name of the method.
        result: answer of the method.
    """

    method: str
    result: Any


@frozen
class Transferred(CommandResult):
    """A document that was uploaded or downloaded.

    Attributes:
        path: path of the document on the server.
        file: the file on this machine.
        sentence: sentence for people that says what was transferred.
        on_stdout: True if stdout has the document, and nothing else.
    """

    path: str
    file: str
    sentence: str
    on_stdout: bool = False

    @property
    def is_notice(self) -> bool:
        """Whether the result only says what can be seen elsewhere: on the server, or in the file."""
        return True

    def for_people(self) -> Iterable[str]:
        """Yield the sentence that says what was transferred; none if stdout has the document."""
        return [] if self.on_stdout else [self.sentence]

    def for_programs(self) -> Any:
        """The document's path on the server, and the file on this machine."""
        return {"path": self.path, "file": self.file, "exit_status": int(self.status)}


def call(
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD",
            help="A method of the catalogue, as GetDocuments.",
            autocompletion=lambda incomplete: [one for one in METHODS if one.startswith(incomplete)],
        ),
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME=VALUE", help="Its parameters: Path=/Public.", show_default=False),
    ] = None,
    *,
    as_json: JsonOption = False,  # noqa: ARG001 - the result is JSON anyway; with this option errors are, too
) -> MethodCalled:
    """Call any method of infoRouter's catalogue; the answer comes as JSON."""
    values = _values(method, parameters or ())

    async def perform() -> Any:
        async with credentials.inforouter() as docs:
            return await docs.call(method, **values)

    return MethodCalled(method, _plain(signals.run(perform())))


def upload(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to upload, a pipe, or - for stdin.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Path of the document: /Public/report.pdf.")],
    *,
    comment: Annotated[str | None, typer.Option(help="A comment on the version.", show_default=False)] = None,
    as_json: JsonOption = False,  # noqa: ARG001 - read where the result is printed
) -> Transferred:
    """Upload a document, or a new version of one."""
    source = Path("/dev/stdin") if file == sheet.DASH else file

    async def perform() -> None:
        async with credentials.inforouter() as docs:
            await docs.upload(source, path, comment=comment)

    if not (source.is_file() or files.is_stream(source)):
        raise errors.InvalidRequest(f"{file}: {'it is a folder' if file.is_dir() else 'there is no such file'}")
    signals.run(perform())
    return Transferred(path, str(file), f"{file} is {path}")


def download(
    path: Annotated[str, typer.Argument(metavar="PATH", help="Path of the document: /Public/report.pdf.")],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where it goes; - is stdout.", show_default="the document's name"),
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where it goes, as an option.")
    ] = None,
    as_json: JsonOption = False,
) -> Transferred:
    """Download a document; the file appears when all of it has arrived. Stdout (-) and pipes get it as it comes."""
    if file and output:
        raise errors.InvalidRequest(f"two files are named, {file} and --output {output}: name one")
    named = file or output
    target = named or Path(path.rstrip("/").rpartition("/")[2] or "document")
    on_stdout = named is not None and sheet.is_stdout(named)
    if on_stdout and as_json:
        raise errors.InvalidRequest(
            "stdout cannot hold the document and the JSON of --json: name a file for one of them"
        )

    async def perform() -> None:
        async with credentials.inforouter() as docs:
            if not on_stdout:
                await docs.download(path, target)
                return
            stdout = stdio.stdout_for_bytes()
            try:
                with stdio.given_up_on_failure():
                    await docs.download(path, stdout)
                    await asyncio.to_thread(stdout.flush)
            except OSError as problem:
                raise sheet.named(problem, sheet.DASH) from None

    signals.run(perform())
    return Transferred(path, str(target), f"{path} is in {target}", on_stdout)


def _values(name: str, given: Iterable[str]) -> dict[str, Any]:
    """The parameters of a method, each as the type that the catalogue says. Raises `errors.InvalidRequest`."""
    method = METHODS.named(name)
    values: dict[str, Any] = {}
    given_names: set[str] = set()
    for key, text in named_texts(name, given):
        found = method.parameter(key)
        parameter = found.as_parameter()
        if parameter.secret:
            raise errors.InvalidRequest(f"{name}: {key} is refused: others can read secrets that are arguments")
        if found.name in given_names:
            raise errors.InvalidRequest(f"{name}: {key} is given twice")
        given_names.add(found.name)
        values[key] = typed(parameter.holds, f"{name}: {key}", text)
    return values


def _plain(result: Any) -> Any:
    """Convert an answer into values that JSON has."""
    if isinstance(result, bytes):
        return {"bytes": len(result)}
    if not isinstance(result, Element):
        return result
    children = {"children": [_plain(child) for child in result]} if result.children else {}
    return {"tag": result.tag, "attributes": dict(result.attributes), "text": result.text} | children
