"""LogMeIn Rescue and infoRouter on your own machine: with their limits, expiry and refusals, and with scripted faults.

- `rules/` decides what an operation does, without HTTP; `state` wires the rules; `people` are the users; `clock`, time.
- `site`, `catalogue`: the declarations as the server sees them. `http`, `soap`, `asmx`, `pages`, `wsdl`, `writing`: an
  independent implementation of the wire, derived from the declarations.
- `world` is everything that is emulated, with `request_log` and the scripted `faults`; `app` serves it on a port,
  `control` is its control plane for tests in other processes, `pytest_plugin` its fixture.
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
