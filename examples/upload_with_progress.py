"""A document for infoRouter, with a progress bar.

    python examples/upload_with_progress.py report.pdf /Public/report.pdf

The document appears on the server only when all of it has arrived. An upload that breaks within a chunk begins anew,
once.

Environment: ``INFOROUTER_BASE_URL``, ``INFOROUTER_USER`` and ``INFOROUTER_PASSWORD``.
"""

import asyncio
import os
import sys

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from aiorescue import InfoRouterClient, Login, errors


async def main(source: str, path: str) -> int:
    """Upload a file; 1 if that fails."""
    login = Login(os.environ["INFOROUTER_USER"], os.environ["INFOROUTER_PASSWORD"])
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    async with InfoRouterClient(login, base_url=os.environ["INFOROUTER_BASE_URL"]) as docs:
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task(path, total=None)
            try:
                await docs.upload(
                    source, path, progress=lambda done, total: progress.update(bar, completed=done, total=total)
                )
            except errors.AmbiguousOutcome:
                console.print("The connection broke at the very end: look whether the document is there.")
                return 1
            except errors.RescueError as problem:
                console.print(f"not uploaded: {problem}")
                return 1
        document = await docs.get_document(path)
    console.print(f"{document.name}: {document.size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
