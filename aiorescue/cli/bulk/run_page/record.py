"""`RunRecord`: a listener that keeps of a run what its page shows, in constant memory."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import singledispatchmethod
from typing import Final

import attrs

from aiorescue import events
from aiorescue.cli.bulk.run_page.timeline import Durations, Timeline

#: Different words that are kept; those beyond count as `OTHERS`.
_MOST_WORDS: Final = 50
#: Notes that are kept: the first ones, and the last ones.
_FIRST_NOTES, _LAST_NOTES = 20, 40
#: Outages that the picture shows; later ones are lost to it, and still noted.
_MOST_OUTAGES: Final = 200
_HTTP_OK: Final = 200
#: The entry for all words beyond them.
OTHERS: Final = "other words"


@attrs.define
class IdentityCounts:
    """Counts of what one identity did in the run.

    Attributes:
        issued: PINs that it got.
        failed: calls that ended with an error.
        attempts: requests that were sent.
        rejected: requests that were rejected as too fast.
        waited: seconds that its calls waited for their turn.
        possibly_orphaned: PINs that may have been issued to it without an answer.
        refused: the service's word, if it refused the identity's credentials; else empty.
    """

    issued: int = 0
    failed: int = 0
    attempts: int = 0
    rejected: int = 0
    waited: float = 0.0
    possibly_orphaned: int = 0
    refused: str = ""


@attrs.define
class Words:
    """Counts of one word of the service, or of one error of the network.

    Attributes:
        answers: answers and broken requests.
        rows: rows that failed because of it.
    """

    answers: int = 0
    rows: int = 0


class RunRecord:
    """A listener for the events of a client and of the job that it works on.

    Attributes:
        timeline: PINs, failures, rejections and waits over time.
        waits: how long calls waited for their turn.
        latencies: how long the service took to answer.
        identities: what each identity did, by its name.
        words: what was said instead of OK, by the service's word or the name of the error.
        possibly_orphaned: PINs of this run that may have been issued without an answer.
        outages: beginning and end of each outage, in seconds of the run; the end is None while it lasts.
        notes_dropped: notes between the first ones and the last ones that are not kept.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.timeline = Timeline()
        self.waits, self.latencies = Durations(), Durations()
        self.identities: dict[str, IdentityCounts] = {}
        self.words: dict[str, Words] = {}
        self.possibly_orphaned = 0
        self.outages: list[tuple[float, float | None]] = []
        self._first_notes: list[tuple[float, str]] = []
        self._last_notes: deque[tuple[float, str]] = deque(maxlen=_LAST_NOTES)
        self.notes_dropped = 0

    def __call__(self, event: events.Event) -> None:
        """Keep what the page shows of one event."""
        self._on(event)

    @property
    def rejected(self) -> int:
        """Requests that were rejected as too fast."""
        return sum(calls.rejected for calls in self.identities.values())

    @property
    def refused(self) -> int:
        """Identities whose credentials the service refused."""
        return sum(bool(calls.refused) for calls in self.identities.values())

    @property
    def notes(self) -> Sequence[tuple[float, str]]:
        """What happened that is rare, with the second of the run, in order of time."""
        return [*self._first_notes, *self._last_notes]

    def _since(self, event: events.Event) -> float:
        return max(event.at - self._began, 0.0)

    def _note(self, event: events.Event, text: str) -> None:
        if len(self._first_notes) < _FIRST_NOTES:
            self._first_notes.append((self._since(event), text))
            return
        self.notes_dropped += len(self._last_notes) == _LAST_NOTES
        self._last_notes.append((self._since(event), text))

    def _calls(self, identity: str) -> IdentityCounts:
        return self.identities.setdefault(identity, IdentityCounts())

    def _word(self, status: str | None, error: str | None) -> Words:
        word = status or error or ""
        if word not in self.words and len(self.words) >= _MOST_WORDS:
            word = OTHERS
        return self.words.setdefault(word, Words())

    def most_active(self, most: int) -> Iterator[tuple[str, IdentityCounts]]:
        """The identities with most requests, and behind them one entry for all others, if there are any."""
        ranked = sorted(self.identities.items(), key=lambda item: -item[1].attempts)
        yield from ranked[:most]
        if rest := [calls for _, calls in ranked[most:]]:
            sums = IdentityCounts()
            for name in ("issued", "failed", "attempts", "rejected", "waited", "possibly_orphaned"):
                setattr(sums, name, sum(getattr(calls, name) for calls in rest))
            yield f"{len(rest)} others", sums

    # --- events ---

    @singledispatchmethod
    def _on(self, event: events.Event) -> None:
        """Pass over events that the page does not show."""

    @_on.register
    def _(self, event: events.Waited) -> None:
        self.waits.add(event.seconds)
        stretch = self.timeline.at(self._since(event))
        stretch.waited = max(stretch.waited, event.seconds)

    @_on.register
    def _(self, event: events.AttemptEnded) -> None:
        self.latencies.add(event.seconds)
        self._calls(event.identity).attempts += 1
        if event.error is not None:
            said = None if event.http_status in (None, _HTTP_OK) else f"HTTP {event.http_status}"
            self._word(event.status or said, event.error).answers += 1

    @_on.register
    def _(self, event: events.Rejected) -> None:
        self._calls(event.identity).rejected += 1
        self.timeline.at(self._since(event)).rejected += 1

    @_on.register
    def _(self, event: events.CallEnded) -> None:
        calls = self._calls(event.identity)
        calls.issued += event.outcome == "ok"
        calls.failed += event.outcome == "error"
        calls.waited += event.waited
        calls.possibly_orphaned += event.possibly_orphaned

    @_on.register
    def _(self, event: events.JobProgressed) -> None:
        self.possibly_orphaned = event.possibly_orphaned
        stretch = self.timeline.at(self._since(event))
        stretch.issued += event.pin
        if event.error is not None:
            stretch.failed += 1
            self._word(event.status, event.error).rows += 1

    @_on.register
    def _(self, event: events.OutageBegan) -> None:
        if len(self.outages) < _MOST_OUTAGES:
            self.outages.append((self._since(event), None))
        self._note(event, "the service is away")  # what it said may quote an answer, and is counted as a word

    @_on.register
    def _(self, event: events.OutageEnded) -> None:
        if self.outages and self.outages[-1][1] is None:
            self.outages[-1] = (self.outages[-1][0], self._since(event))
        self._note(event, f"the service is back after {event.seconds:.0f} s")

    @_on.register
    def _(self, event: events.IdentityRefused) -> None:
        self._calls(event.identity).refused = event.status or "refused"
        self._note(event, f"{event.identity} is refused ({event.status or 'without a word'})")

    @_on.register
    def _(self, event: events.LoggedIn) -> None:
        if event.error is not None:
            self._note(event, f"login as {event.identity} failed ({event.status or event.error})")

    @_on.register
    def _(self, event: events.PaceChanged) -> None:
        self._note(event, f"{event.identity}: {event.rate:.3g} {event.family} a second from now on")
