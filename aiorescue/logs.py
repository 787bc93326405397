"""Logging: a listener that writes events to the loggers under ``aiorescue``.

Silent until a program configures logging. INFO: logins, changes of a pace, milestones of jobs, outages that ended.
WARNING: retries, failed logins, refused identities, outages. DEBUG: each call, attempt and wait, with its times.
"""

import logging
from functools import singledispatch

from aiorescue import events

__all__ = ["log_event"]

_call = logging.getLogger("aiorescue.call")
_identity = logging.getLogger("aiorescue.identity")
_pace = logging.getLogger("aiorescue.pace")
_job = logging.getLogger("aiorescue.job")


@singledispatch
def log_event(event: events.Event) -> None:
    """Write one event to its logger; events that have no line are passed over."""


@log_event.register
def _(event: events.CallBegan) -> None:
    _call.debug("#%d %s over %s as %s", event.call, event.operation, event.binding, event.identity or "-")


@log_event.register
def _(event: events.Waited) -> None:
    _call.debug("#%d %s waited %.3f s for its turn (%s)", event.call, event.operation, event.seconds, event.family)


@log_event.register
def _(event: events.AttemptEnded) -> None:
    _call.debug(
        "#%d %s attempt %d: %s%s after %.3f s",
        *(event.call, event.operation, event.attempt, event.outcome, _word(event.status), event.seconds),
    )


@log_event.register
def _(event: events.Rejected) -> None:
    _call.debug("#%d %s was rejected as too fast, for the %d. time", event.call, event.operation, event.rejections)


@log_event.register
def _(event: events.Retrying) -> None:
    _call.warning(
        "#%d %s: attempt %d ended in %s%s; the next one follows in %.1f s",
        *(event.call, event.operation, event.attempt, event.error, _word(event.status), event.seconds),
    )


@log_event.register
def _(event: events.CallEnded) -> None:
    _call.debug(
        "#%d %s ended: %s%s, %d attempts, %.3f s in all, %.3f s of them waiting",
        *(event.call, event.operation, event.error or event.outcome, _word(event.status)),
        *(event.attempts, event.seconds, event.waited),
    )


@log_event.register
def _(event: events.LoggedIn) -> None:
    if event.error is None:
        _identity.info("logged in as %s in %.3f s", event.identity, event.seconds)
    else:
        _identity.warning("login as %s failed: %s%s", event.identity, event.error, _word(event.status))


@log_event.register
def _(event: events.LoggedOut) -> None:
    _identity.info("logged out %s", event.identity)


@log_event.register
def _(event: events.IdentityRefused) -> None:
    _identity.warning(
        "the service refuses %s%s: set aside for %.0f s", event.identity, _word(event.status), event.seconds
    )


@log_event.register
def _(event: events.PaceChanged) -> None:
    _pace.info("%s: %.3g %s a second from now on", event.identity, event.rate, event.family)


@log_event.register
def _(event: events.JobProgressed) -> None:
    _job.log(
        _level_of(event.issued + event.from_journal + event.failed),
        "%s: %d issued, %d from the journal, %d failed, %d possibly orphaned",
        *(event.job, event.issued, event.from_journal, event.failed, event.possibly_orphaned),
    )


@log_event.register
def _(event: events.OutageBegan) -> None:
    _job.warning("%s waits for the service, for up to %.0f s: %s", event.job, event.patience, event.error)


@log_event.register
def _(event: events.OutageEnded) -> None:
    _job.info("%s: the service answers again after %.0f s", event.job, event.seconds)


def writes_progress(done: int) -> bool:
    """Whether the log has a line for a job that has a number of results; without one, its event need not be made."""
    return _job.isEnabledFor(_level_of(done))


def _level_of(done: int) -> int:
    """The level of the progress of a job: INFO where the number of results is 1, 10, 100, or a multiple of 1,000."""
    return logging.INFO if done in (1, 10, 100) or done % 1_000 == 0 else logging.DEBUG


def _word(status: str | None) -> str:
    return f" ({status})" if status else ""
