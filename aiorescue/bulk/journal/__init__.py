"""The journal of a bulk job: an SQLite file that holds each request, what became of it, and its PIN.

Theory of operation
===================

A *job* is a table of requests for PIN codes. A *run* is one process that works on the job; a job that is interrupted
or killed takes several runs. The *journal* is the file that carries the job from one run to the next. It answers one
question: which requests may be sent now, so that every request ends with exactly one PIN and no PIN that was handed
to the program is ever lost?

A request is found in the journal by its *key*. The key of a request with a tracking field is that field. A request
without one is known by a digest of its fields and by how many requests with the very same fields came before it in the
run; so it keeps its key when other requests are added in front of it. The digest is stored with every key, because a
tracking field that comes back with other fields belongs to another job, or to a request that was edited. If such a
request was sent or issued before, `Journal.admit` raises `errors.JournalError`.

**States.** A request is in one of four states:

ADMITTED
    The request was taken from the source, has its row, and is yet to be sent by this run.
SENT
    The request is about to leave or has left. As long as this is the last thing known, whether the service issued a
    PIN is unknown.
ISSUED
    The PIN has come and is in the row. This state is final: no later run sends the request again.
FAILED
    The service refused the request, or its retries ended. The next run tries again.

A request that the service refuses because of the identity (wrong credentials, no PIN codes left) says nothing about
the request. It is *given back*: it returns to ADMITTED, and another identity of this run, or a later run, sends it.

**Order of writes.** Two rules make the journal safe:

1. `Journal.sent` is awaited before the first byte of an attempt leaves. A request that is ADMITTED after a crash was
   therefore not sent by that run, or was given back after a refusal.
2. `Journal.issued` is awaited before the PIN is handed to the program. A PIN that the program has seen is therefore in
   the journal.

`admit` is awaited before either of them. `failed` and `given_back` are awaited before the result is handed on, too, but
nothing would be lost without them.

**What is on the disk.** The file is in SQLite's WAL mode with ``synchronous = FULL``: a commit is appended to the
write-ahead log and synced before its await ends. An awaited write survives the end of the process and the end of the
machine. A write that was not yet awaited may be on the disk or not; never half of it, since SQLite ignores a commit
that is cut short in the log. Cancelling an await does not take the write back.

**Group commit.** A sync takes milliseconds, so writes share it; see `aiorescue.bulk.group_commit`. The writes of one
group are applied in the order of their statements, not of their arrival. That is sound because a request has at most
one write under way: its next one begins after the await of the one before. One thread does all the work of the file.

**What a crash can leave**, by the last write of the request that reached the disk:

================  ================================  ==================================================
last write        what may have happened            what the next run does
================  ================================  ==================================================
none, ADMITTED    nothing was sent                  sends the request
SENT              nothing; or the request arrived   sends the request, and counts one possible orphan
                  and a PIN was issued
ISSUED            the program may have seen the     yields the PIN from the journal and sends nothing
                  PIN, or may not
FAILED            the program may have seen the     sends the request
                  error, or may not
================  ================================  ==================================================

**Orphans.** A PIN that the service issued while its answer was lost is an *orphan*: it exists, it expires unclaimed,
and nothing can find it again. The journal counts for each request the attempts that may have left one. The count goes
up by one for each attempt whose answer the journal does not know: when `sent` finds the request already SENT (the run
repeats an attempt), and when `admit` finds it SENT (an earlier run ended in the middle of an attempt). These are
estimates: an attempt that was rejected because it came too fast counts, too. When the call has ended, the call runner
knows which of its attempts were ambiguous, and `issued`, `failed` and `given_back` store that figure in place of the
estimate. So the count errs only upwards, and only for requests that were in flight when a run ended without warning.

**One writer.** The connection holds SQLite's exclusive lock from `open` to `close`. A second process that opens the
journal gets ``JournalReason.IN_USE``. The operating system releases the lock with the process, however that ends, so a
killed run leaves no stale lock. ``application_id`` marks the file as a journal of ours, ``user_version`` is the version
of the schema, and the name of the job is kept, so that no other database and no other job is overwritten.

**Resuming.** `open` raises the run's number. `admit` writes that number into each row; a row that already carries the
present number is a key that occurs twice in this run, which is refused. Rows of earlier runs are answered with what is
known of them: ISSUED ones with their PIN, all others to be sent. Rows whose requests do not come back stay untouched.
"""

from aiorescue.bulk.journal.journal import Journal
from aiorescue.bulk.journal.reading import JournalReader

__all__ = ["Journal", "JournalReader"]
