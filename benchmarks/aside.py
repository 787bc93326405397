"""Lets a benchmark run beside another one without disturbing it."""

import os


def give_way() -> None:
    """Give this process, and those that it starts, only CPU time that no other process wants."""
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(19)
