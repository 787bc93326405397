# ruff: noqa: INP001 - a script, not a package
"""Writes every file that follows from the declarations: ``python docs/generate.py``.

With ``--check`` it writes nothing, names the files that are out of date, and fails if there are any; a test runs that.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent

#: Each generated file and the module whose function makes it. The first is written before the others import it.
FILES = {
    "aiorescue/rescue/__init__.py": ("exports", "source"),
    "aiorescue/operation/field_docs.py": ("field_docs", "source"),
    "docs/operations.md": ("rescue_operations", "page"),
    "docs/status-words.md": ("status_words", "page"),
    "docs/coverage.md": ("aiorescue.emulator.coverage", "page"),
    "tests/public_api.txt": ("public_api", "page"),
}


def main() -> int:
    """Write what is out of date, or name it."""
    stale = 0
    for name, (module, function) in FILES.items():
        content: Callable[[], str] = getattr(import_module(module), function)
        try:
            path, text = ROOT / name, content()
        except LookupError as problem:  # a declaration lacks what the file is made of
            print(problem, file=sys.stderr)  # noqa: T201 - its output
            return 1
        if path.read_text("utf-8") == text:
            continue
        stale += 1
        if "--check" in sys.argv:
            print(f"{name} is out of date: run python docs/generate.py", file=sys.stderr)  # noqa: T201 - its output
        else:
            path.write_text(text, "utf-8")
            print(f"{name} written")  # noqa: T201 - its output
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
