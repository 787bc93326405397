"""The ledger: every PIN once in a cycle, the last ones kept in little memory, the others counted."""

import tracemalloc
from threading import Thread

import attrs
import pytest

from aiorescue.emulator import Emulator
from aiorescue.emulator.rules.logins import MOST_LOGINS, LoginTable
from aiorescue.emulator.rules.rescue.ledger import PINS, Ledger, LedgerEntry

ENTRY = LedgerEntry(
    1, "012345", "requestPINCodeV3", "tech@example.com", "CASE-7", ("Jane", "", "é\0ÿ\udfff"), True, 7.5, 9
)


def issue(ledger, tracking="", **more):
    known = {"custom_fields": (), "no_tech_console": False, "time": 0.0, "node": None, **more}
    return ledger.issue("requestPINCodeV3", "tech@example.com", tracking=tracking, **known)


def filled(size, count):
    ledger = Ledger(size=size)
    for number in range(1, count + 1):
        issue(ledger, str(number))
    return ledger


def test_an_entry_is_what_was_recorded():
    ledger = Ledger()
    fields = attrs.asdict(ENTRY)
    assert ledger.issue(**{name: fields[name] for name in fields if name not in ("number", "pin")}) == ENTRY.pin
    assert ledger == [ENTRY]
    assert ledger.of_pin(ENTRY.pin) == ENTRY


def test_it_is_read_like_a_list():
    ledger = filled(5, 8)
    assert [entry.number for entry in ledger] == [4, 5, 6, 7, 8]
    assert [int(entry.tracking) for entry in ledger] == [4, 5, 6, 7, 8]
    assert (ledger[0].number, ledger[-1].number, [entry.number for entry in ledger[1:3]]) == (4, 8, [5, 6])
    assert (len(ledger), ledger.issued, ledger.dropped) == (5, 8, 3)
    assert (next(reversed(ledger)).number, ledger[2] in ledger) == (8, True)
    assert ledger == list(ledger) != []
    assert Ledger() == []
    with pytest.raises(IndexError):
        ledger[5]


def test_a_ledger_keeps_one_pin_at_least():
    with pytest.raises(ValueError, match="ledger_size is 0"):
        Emulator(ledger_size=0)


def test_no_pin_comes_twice_in_a_million():
    ledger = Ledger(seed=3)
    assert len({ledger._pin(number) for number in range(1, PINS + 1)}) == PINS


def test_memory_stays_bounded():
    ledger = filled(1000, 1000)
    tracemalloc.start()
    try:
        for _ in range(5000):
            issue(ledger, "CASE")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (ledger.issued, ledger.dropped) == (6000, 5000)
    assert held < 200 * 1000


def test_an_entry_takes_about_a_hundred_bytes():
    ledger = Ledger()
    tracemalloc.start()
    try:
        for number in range(10_000):
            issue(ledger, f"CASE-{number}", custom_fields=("Jane Doe", "", "", "", "", ""), time=number / 7)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / 10_000 < 130


def test_megabytes_in_one_field_do_not_add_up():
    ledger = Ledger()
    for _ in range(100):
        issue(ledger, "x" * 4 * 2**20)
    assert (len(ledger), ledger.issued) == (63, 100)


@pytest.mark.parametrize("seed", [0, 1, 999])
def test_a_pin_leads_to_its_last_entry(seed):
    ledger = Ledger(seed, size=100)
    pins = [issue(ledger, str(number)) for number in range(1, 301)]
    assert [ledger.of_pin(pin).number for pin in pins[200:]] == list(range(201, 301))
    assert {ledger.of_pin(pin) for pin in pins[:200]} == {None}
    ledger.issued += PINS  # as after a million more
    assert ledger.of_pin(pins[-1]).number == PINS + 300


@pytest.mark.parametrize("pin", ["", "12345", "0123456", "01234x", "٠١٢٣٤٥", "-12345"])
def test_what_is_no_pin_leads_nowhere(pin):
    assert filled(10, 10).of_pin(pin) is None


def test_it_is_read_while_pins_are_issued():
    ledger = filled(1000, 1000)
    writer = Thread(target=lambda: [issue(ledger) for _ in range(20_000)])
    writer.start()
    while writer.is_alive():
        numbers = [entry.number for entry in ledger]
        assert numbers == list(range(numbers[0], numbers[0] + 1000))
    writer.join()


def test_the_oldest_login_ends_when_there_are_too_many():
    table = LoginTable()
    for number in range(MOST_LOGINS + 2):
        table.begin(str(number), None)
    assert (len(table), next(iter(table))) == (MOST_LOGINS, "2")
