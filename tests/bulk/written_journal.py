"""A journal with sixty requests, of which every tenth has no answer, and the check that it is as it was written."""

from pathlib import Path

from aiorescue import errors
from aiorescue.bulk import Journal
from aiorescue.errors import JournalReason
from aiorescue.rescue import RequestPinCode

COUNT = 60
REQUESTS = [
    *(RequestPinCode(tracking=f"CASE-{number}", custom_fields=["Jane"]) for number in range(COUNT // 2)),
    *(RequestPinCode(custom_fields=[str(number)]) for number in range(COUNT // 2)),
]
PINS = [f"{number * 7919:06d}" for number in range(COUNT)]
#: Every tenth request was sent and has no answer.
UNKNOWN = range(9, COUNT, 10)
PINS_THAT_CAME = [pin for number, pin in enumerate(PINS) if number not in UNKNOWN]


async def write(path: Path) -> Journal:
    """An open journal with all requests."""
    journal = Journal(path, "job")
    await journal.open()
    await write_all(journal)
    return journal


async def write_all(journal: Journal) -> None:
    """Write all requests and the answers that came."""
    for number, entry in enumerate(await journal.admit(REQUESTS)):
        await journal.sent(entry.key)
        if number not in UNKNOWN:
            await journal.issued(entry.key, PINS[number], 0)


async def check(path: Path) -> JournalReason | None:
    """Run the job again: all PINs are as they were, and unknown outcomes are known to be; or why it is refused."""
    try:
        async with Journal(path, "job") as journal:
            entries = await journal.admit(REQUESTS)
    except errors.JournalError as problem:
        return problem.reason
    assert [entry.pin for entry in entries] == [None if n in UNKNOWN else pin for n, pin in enumerate(PINS)]
    assert [entry.orphans for entry in entries] == [int(number in UNKNOWN) for number in range(COUNT)]
    assert not any(entry.duplicate for entry in entries)
    return None
