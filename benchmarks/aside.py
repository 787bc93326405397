"""For benchmarks that run beside others."""

import os


def give_way() -> None:
    """This process, and those that it starts, run only when nobody else wants to."""
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(19)
