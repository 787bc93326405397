"""The suite on other interpreters, dependencies and event loops: `nox -s NAME -- tests/call`; `nox --list` names all.

Each session installs what it needs, and passes what follows ``--`` on to its command. An interpreter that the machine
lacks is left out.
"""

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
#: The first Python whose tasks may begin at once.
EAGER = "3.12"

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests", "lowest", "eager", "uvloop", "dev", "docs", "lint"]


def _test(session: nox.Session, *options: str, python: tuple[str, ...] = ()) -> None:
    """Run the tests that the command line names, or all."""
    session.run("python", *python, "-m", "pytest", "-q", *options, *(session.posargs or ["-n", "auto"]))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The suite on each interpreter, on the newest versions of the dependencies."""
    session.install("-e", ".[test]")
    _test(session)


@nox.session
def lowest(session: nox.Session) -> None:
    """The suite on the lowest versions of the dependencies that pyproject.toml names."""
    session.install("uv")
    session.run("uv", "pip", "install", "-q", "--resolution", "lowest-direct", "-e", ".[test]")
    _test(session)


@nox.session
def newest(session: nox.Session) -> None:
    """The suite on the newest versions of the dependencies, whatever was installed before."""
    session.install("uv")
    session.run("uv", "pip", "install", "-q", "--upgrade", "-e", ".[test]")
    _test(session)


@nox.session(python=EAGER)
def eager(session: nox.Session) -> None:
    """The suite on an event loop whose tasks begin at once, in the statement that makes them."""
    session.install("-e", ".[test]")
    _test(session, "--loop", "eager")


@nox.session
def uvloop(session: nox.Session) -> None:
    """The suite on uvloop."""
    session.install("-e", ".[test]")
    _test(session, "--loop", "uvloop")


@nox.session
def dev(session: nox.Session) -> None:
    """The suite in Python's development mode, with every warning an error."""
    session.install("-e", ".[test]")
    _test(session, python=("-X", "dev", "-W", "error"))


@nox.session
def docs(session: nox.Session) -> None:
    """The site of the documentation; every warning is an error."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-q", "-W", "docs", "build/docs", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Format, rules, types, and the generated pages."""
    session.install("-e", ".[test]")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("python", "docs/generate.py", "--check")
