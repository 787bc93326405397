"""The page about a run: one HTML document without scripts and outside resources, and without data of customers.

All texts are escaped, also those of the service and the names of identities and files.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from html import escape
from typing import Any

from aiorescue.cli.bulk.run_page.chart import MOST_BARS, PINS_A_BAR, duration_of, picture
from aiorescue.cli.bulk.run_page.record import IdentityCounts, RunRecord
from aiorescue.cli.bulk.run_page.timeline import Durations
from aiorescue.cli.bulk.tally import Tally, clock, duration
from aiorescue.cli.output import counted
from aiorescue.operation import frozen

#: Identities that are shown one by one.
_IDENTITIES = 100
_STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1d2129; --soft: #5d6675; --line: #d9dde3; --card: #f4f6f8;
  --pins: #2b6cb0; --bad: #c53030; --limit: #8a6d1a; --outage: #f7dcdc; --good: #276749 }
@media (prefers-color-scheme: dark) { :root { --back: #15181d; --text: #e6e8eb; --soft: #9aa3b0; --line: #333a44;
  --card: #1e232a; --pins: #63a4e0; --bad: #f08080; --limit: #d6b656; --outage: #4a2628; --good: #68c08f } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.5em 1em 3em; max-width: 66em;
  background: var(--back); color: var(--text) }
h1 { font-size: 1.45em; margin: 0; overflow-wrap: anywhere } h2 { font-size: 1.1em; margin: 2em 0 .5em }
p { margin: .4em 0 } .soft, figcaption, .axis, .times { color: var(--soft) } .bad { color: var(--bad) }
.good { color: var(--good) } .ending { font-weight: 600; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(7em, 1fr)); gap: .6em; margin: 1.2em 0 }
dl div { background: var(--card); border-radius: .4em; padding: .5em .8em }
dt { color: var(--soft); font-size: .85em } dd { margin: 0; font-size: 1.35em; font-variant-numeric: tabular-nums }
figure { margin: 0 } figcaption { font-size: .88em; margin-top: .6em } figcaption span { margin-right: 1.4em }
figcaption i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; background: var(--pins) }
figcaption i.rejected { background: var(--bad) } figcaption i.outage { background: var(--outage) }
figcaption i.limit { background: none; border-top: 2px dashed var(--limit); height: .25em }
.plot { display: grid; grid-template-columns: 3.2em 1fr; gap: .5em; height: 15em }
.strip { height: 2.2em; margin-top: .6em }
.axis { display: flex; flex-direction: column; justify-content: space-between; text-align: right; font-size: .8em;
  line-height: 1 } svg { width: 100%; height: 100%; display: block }
.times { display: flex; justify-content: space-between; margin-left: 3.7em; font-size: .8em }
path { vector-effect: non-scaling-stroke } path.pins { fill: var(--pins) } path.rejected { fill: var(--bad) }
path.grid { stroke: var(--line); stroke-width: 1 } rect.outage { fill: var(--outage) }
path.limit { stroke: var(--limit); stroke-width: 1.5; stroke-dasharray: 6 4 }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .93em }
th, td { padding: .3em .8em .3em 0; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top;
  font-variant-numeric: tabular-nums } th { color: var(--soft); font-weight: 500 }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; min-width: 8em }
td.text { text-align: left; overflow-wrap: anywhere } .share { display: inline-block; height: .7em;
  background: var(--pins); vertical-align: baseline; max-width: 100% } td.bars { width: 45%; text-align: left }
summary { cursor: pointer; color: var(--soft) } footer { margin-top: 2.5em; font-size: .85em; color: var(--soft) }
@media (max-width: 34em) { .times span:nth-child(even) { display: none } body { font-size: 14px }
  dd { font-size: 1.2em } dl { grid-template-columns: repeat(auto-fit, minmax(6.5em, 1fr)) } }
@media print { :root { --back: #fff; --text: #000; --soft: #444; --line: #bbb; --card: #fff; --pins: #2b6cb0;
  --bad: #c53030; --limit: #8a6d1a; --outage: #f7dcdc; --good: #276749 }
  body { max-width: none; padding: 0; font-size: 10.5pt } figure, dl, tr { break-inside: avoid }
  h2, p { break-after: avoid }
  dl div { border: 1px solid #bbb }
  path, rect, i, .share { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  details { display: none } }
"""


@frozen(kw_only=True)
class RunFacts:
    """Facts about a run that are known from its beginning, which the page shows beside what was recorded.

    Attributes:
        label: name of the input in messages.
        operation: the vendor's name of the PIN request.
        service: address of the service; empty for an emulator of the run's own.
        rate: PINs per second that the service allows each identity.
        identities: number of identities.
        began: when the run began.
        version: version of this package.
    """

    label: str
    operation: str
    service: str
    rate: float
    identities: int
    began: datetime
    version: str


@frozen
class Ending:
    """How a run has ended.

    Attributes:
        text: one sentence; empty while the run is under way.
        is_good: whether every row has its PIN.
    """

    text: str = ""
    is_good: bool = False


def page(facts: RunFacts, record: RunRecord, tally: Tally, ending: Ending, *, again: int | None = None) -> str:
    """The HTML of the page.

    Args:
        facts: what is known of the run from its beginning.
        record: what was recorded of it.
        tally: its figures.
        ending: how it has ended.
        again: seconds after which a browser shall read the page again, because the run is under way.
    """
    title = f"PIN codes for {facts.label}"
    refresh = "" if again is None else f'<meta http-equiv="refresh" content="{again}">\n'
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{refresh}'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n<h1>{_text(title)}</h1>\n"
        + "".join(_sections(facts, record, tally, ending))
        + "</body></html>\n"
    )


def _sections(facts: RunFacts, record: RunRecord, tally: Tally, ending: Ending) -> Iterator[str]:
    yield _head(facts, tally, ending)
    yield _figures(record, tally)
    yield "<h2>PINs over time</h2>\n"
    yield from _over_time(facts, record)
    yield "<h2>Waits and latency</h2>\n"
    yield _durations("waits", "Calls waited for their turn", record.waits)
    yield _durations("latencies", "The service answered", record.latencies)
    yield "<h2>Rejections</h2>\n"
    yield _rejections(record)
    yield "<h2>What was said instead of OK</h2>\n"
    words = sorted(record.words.items(), key=lambda item: (-item[1].rows, -item[1].answers))
    if words:
        rows: Iterable[Any] = ((word, said.answers, said.rows) for word, said in words)
        yield _table("words", ("word of the service, or error", "answers", "rows that failed for it"), rows)
    else:
        yield '<p class="soft">Nothing: every answer was OK.</p>\n'
    yield "<h2>Identities</h2>\n"
    heads = ("identity", "PINs", "requests", "rejected", "failed calls", "waited", "possibly orphaned", "state")
    yield _table("identities", heads, (_identity(name, calls) for name, calls in record.most_active(_IDENTITIES)))
    if record.notes:
        yield "<h2>Noted on the way</h2>\n"
        yield _table("notes", ("at", ""), ((clock(at), text) for at, text in record.notes), text=1)
        if record.notes_dropped:
            yield f'<p class="soft">{counted(record.notes_dropped, "note")} in between left out.</p>\n'
    written = facts.began + timedelta(seconds=tally.seconds)
    yield (
        f"<footer>Written at {written:%H:%M:%S} by aiorescue {_text(facts.version)}. This page holds no PIN, "
        "no credentials and no data of customers; it names the identities.</footer>\n"
    )


def _over_time(facts: RunFacts, record: RunRecord) -> Iterator[str]:
    width, bars = record.timeline.bars(MOST_BARS, at_least=PINS_A_BAR)
    if not bars:
        yield '<p class="soft">No PIN was asked for in this run.</p>\n'
        return
    yield picture(bars, width, limit=facts.rate * (facts.identities - record.refused), outages=record.outages)
    times = (
        (clock(number * width), bar.issued, f"{bar.issued / width:.3g}", bar.rejected, bar.failed, _took(bar.waited))
        for number, bar in enumerate(bars)
    )
    heads = ("from", "PINs", "a second", "rejected", "failed rows", "longest wait")
    yield f"<details><summary>The picture as a table</summary>\n{_table('times', heads, times)}</details>\n"


def _head(facts: RunFacts, tally: Tally, ending: Ending) -> str:
    where = facts.service or "an emulator of its own"
    kind = "good" if ending.is_good else "bad" if ending.text else "soft"
    return (
        f'<p class="soft">{_text(facts.operation)} at {_text(where)}, begun {facts.began:%Y-%m-%d %H:%M:%S %z}, '
        f"{duration(tally.seconds)}, {counted(facts.identities, 'identity', 'identities')}</p>\n"
        f'<p class="ending {kind}" id="ending">{_text(ending.text or "The run is under way.")}</p>\n'
    )


def _figures(record: RunRecord, tally: Tally) -> str:
    seconds = tally.seconds
    figures = (
        ("rows", "rows", tally.rows),
        ("issued", "PINs issued", tally.issued),
        ("from_journal", "from earlier runs", tally.from_journal),
        ("failed", "failed", tally.failed),
        ("bad_rows", "bad rows", tally.bad_rows),
        ("left", "left", tally.left),
        ("possibly_orphaned", "possibly orphaned", max(tally.possibly_orphaned, record.possibly_orphaned)),
        ("rate", "PINs a second", f"{tally.issued / seconds if seconds else 0.0:.3g}"),
    )
    cells = (f'<div><dt>{title}</dt><dd id="{name}">{value}</dd></div>' for name, title, value in figures)
    return f"<dl>{''.join(cells)}</dl>\n"


def _durations(name: str, title: str, durations: Durations) -> str:
    if not durations.count:
        return f'<p class="soft">{title}: never.</p>\n'
    said = (
        f"{title} {counted(durations.count, 'time')}: half within {duration_of(durations.within(0.5))}, 95 % within "
        f"{duration_of(durations.within(0.95))}, the longest {duration_of(durations.longest)}."
    )
    classes = list(durations.classes())
    most = max(count for _, count in classes)
    rows = (
        ("longer" if end is None else f"up to {duration_of(end)}", count, _CellBar(count / most))
        for end, count in classes
    )
    return f"<p>{said}</p>\n{_table(name, ('time', 'how often', ''), rows)}"


def _rejections(record: RunRecord) -> str:
    rejected, attempts = record.rejected, record.latencies.count
    share = f" ({100 * rejected / attempts:.2g} %)" if attempts else ""
    return (
        f'<p><span id="rejected">{rejected}</span> of {counted(attempts, "request")}{share} came too fast for the '
        "service; each was sent again at its next turn. A pace that learns how close it may go expects about one in "
        "two hundred; many more mean that another program calls as the same identity.</p>\n"
    )


def _identity(name: str, calls: IdentityCounts) -> tuple[object, ...]:
    figures = (calls.issued, calls.attempts, calls.rejected, calls.failed, _took(calls.waited), calls.possibly_orphaned)
    return (name, *figures, f"refused ({calls.refused})" if calls.refused else "ok")


def _took(seconds: float) -> str:
    return duration_of(seconds) if seconds else "0"


@frozen
class _CellBar:
    """A bar in a cell, as a share of the cell's width."""

    share: float


def _table(name: str, heads: Iterable[str], rows: Iterable[Iterable[object]], *, text: int | None = None) -> str:
    """A table; the column `text`, if any, holds sentences."""
    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join(
        f"<tr>{''.join(_cell(value, is_text=place == text) for place, value in enumerate(row))}</tr>\n" for row in rows
    )
    return f'<div class="wide"><table id="{name}"><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>\n'


def _cell(value: object, *, is_text: bool) -> str:
    if isinstance(value, _CellBar):
        return f'<td class="bars"><span class="share" style="width:{100 * value.share:.1f}%"></span></td>'
    return f"<td{' class=text' if is_text else ''}>{_text(value)}</td>"


def _text(value: object) -> str:
    """A value for HTML: escaped, and without characters that UTF-8 or a page cannot hold."""
    text = str(value).encode("utf-8", "replace").decode()
    return escape("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text))
