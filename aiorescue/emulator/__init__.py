"""Both services on your own machine: they throttle, expire and refuse as the real ones do, and misbehave if told to.

`state.py` holds the rules and knows no HTTP; `wsdl.py`, `soap.py`, `asmx.py` and `pages.py` are an independent reading
of the wire, derived from the declarations; `app.py` serves; `faults.py` and `control.py` are for those who test.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiorescue.emulator.app import Emulator

__all__ = ["Emulator"]


def __getattr__(name: str) -> Any:
    # Imported when asked for: the pytest plugin lives in this package, and every pytest run imports that.
    if name == "Emulator":
        from aiorescue.emulator.app import Emulator  # noqa: PLC0415

        return Emulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
