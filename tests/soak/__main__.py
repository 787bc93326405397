"""python -m tests.soak [--calls 100000] [--kills 100] [--answers 1000000] [--seed N] [--minutes 60] [PART …]: an hour.

Prints a line of progress now and then, and a line of summary for each part. The exit status is 0 if all promises were
kept, and 1 otherwise. The seed is printed: with it, a part makes its choices again.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import uvloop

from tests.lab.proxy import NOTICEABLE, Disturbance
from tests.soak import distributed, kills, network

#: Calls after which a part makes new clients, and looks at what the old ones have left behind.
BATCH = 5000


class Soak:
    """One run of the soak.

    Args:
        options: those of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self._end = time.monotonic() + options.minutes * 60

    def until_the_end(self, count: int, batch: int = 1) -> Iterator[int]:
        """Numbers up to a count in steps of a batch, as long as there is time."""
        for number in range(0, count, batch):
            if time.monotonic() > self._end:
                print(f"  the time is over after {number} of {count}", flush=True)
                return
            yield number

    def network(self) -> str:
        """Calls through a network that disturbs one answer in ten, on two event loops in turn."""
        done = []
        for number in self.until_the_end(self.options.calls, BATCH):
            swaps = number // BATCH % 5 == 4  # no client can tell, so these have fewer promises
            with asyncio.Runner(loop_factory=(asyncio.new_event_loop, uvloop.new_event_loop)[len(done) % 2]) as runner:
                calls = min(BATCH, self.options.calls - number)
                kinds = (*NOTICEABLE, Disturbance.SWAP) if swaps else NOTICEABLE
                seed = self.options.seed + number
                tally = runner.run(network.run(calls, seed, kinds=kinds, pins_alone=swaps))
            tally.check()
            done.append(tally)
            print(f"  {number + calls} calls, seed {seed}: {tally}", flush=True)
        return (
            f"{sum(tally.results for tally in done)} results, {sum(tally.errors.total() for tally in done)} errors,"
            f" {sum(sum(tally.disturbed.values()) for tally in done)} answers disturbed;"
            f" {sum(tally.unclaimed for tally in done)} PINs unclaimed, {sum(tally.orphans for tally in done)} told"
        )

    def kills(self) -> str:
        """Jobs that are killed while they work, in batches of twenty."""
        done = []
        for number in self.until_the_end(self.options.kills, 20):
            with tempfile.TemporaryDirectory() as folder:
                batch, seed = min(20, self.options.kills - number), self.options.seed + number
                done.append(
                    asyncio.run(kills.run(batch, seed, Path(folder), lambda line: print(f"  {line}", flush=True)))
                )
        return (
            f"{sum(tally.kills for tally in done)} kills, {sum(tally.terminated for tally in done)} SIGTERMs,"
            f" {sum(tally.issued for tally in done)} PINs issued; {sum(tally.lost for tally in done)} unclaimed,"
            f" {sum(tally.told for tally in done)} told"
        )

    def distributed(self) -> str:
        """Distributed jobs while workers and PostgreSQL are killed, stopped and started."""
        asyncio.run(
            distributed.run(distributed.SCENARIOS, self.options.seed, lambda line: print(f"  {line}", flush=True))
        )
        return f"{len(distributed.SCENARIOS)} scenarios"

    def decoders(self) -> str:
        """Answers that were changed, decoded by a worker on each core."""
        workers = os.cpu_count() or 1
        each = self.options.answers // workers
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "tests.soak.decoders", f"--answers={each}", f"--folder={folder}"]
            started = [
                subprocess.Popen([*command, f"--seed={self.options.seed + number}"]) for number in range(workers)
            ]
            found = [worker.wait() for worker in started]
        assert not any(found), f"workers ended with {found}; what they found is above"
        return f"{each * workers} changed answers, each a value or one of our exceptions"


#: The parts in the order in which they run.
PARTS: dict[str, Callable[[Soak], str]] = {
    "network": Soak.network,
    "kills": Soak.kills,
    "distributed": Soak.distributed,
    "decoders": Soak.decoders,
}


def main() -> int:
    """Run the parts that the command line names, or all. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Faults, kills and cancellations.")
    parser.add_argument("--calls", type=int, default=100_000, help="calls through the faulty network")
    parser.add_argument("--kills", type=int, default=100, help="jobs that are killed")
    parser.add_argument("--answers", type=int, default=1_000_000, help="changed answers that are decoded")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="seed of all choices")
    parser.add_argument("--minutes", type=float, default=60.0, help="after which no new batch begins")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    options = parser.parse_args()
    unknown = set(options.parts) - PARTS.keys()
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    print(f"seed {options.seed}", flush=True)
    soak, status = Soak(options), 0
    for name in options.parts or PARTS:
        print(f"{name}: begins", flush=True)
        try:
            print(f"{name}: kept. {PARTS[name](soak)}", flush=True)
        except Exception:  # noqa: BLE001 - a part that fails does not hide the others
            traceback.print_exc()
            print(f"{name}: BROKEN", flush=True)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
