"""The command as a program: what its script and ``python -m aiorescue`` run.

Until `aiorescue.cli` has handlers of its own, SIGINT ends the process as it ends any other, without a traceback. Only
this module may see to that: a program that imports the library decides for itself.
"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where it is ignored
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from aiorescue.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
