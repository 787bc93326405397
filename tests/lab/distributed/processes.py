"""CPU time of processes, read from /proc."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int, *, reaped: bool = False) -> float:
    """Seconds of CPU that a process has taken, with `reaped` those of its ended children, too; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(fields[place]) for place in ((11, 12, 13, 14) if reaped else (11, 12))) / _TICKS


def children_of(pid: int) -> list[int]:
    """Processes that a process has begun, and that run."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def cpu_of_tree(pid: int) -> float:
    """Seconds of CPU of a process and all its children, those included that have ended."""
    return cpu_of(pid, reaped=True) + sum(cpu_of(child) for child in children_of(pid))
