"""The journal of a bulk job: an SQLite file that holds each request, what became of it, and its PIN.

Theory of operation
===================

A *job* is a table of requests for PIN codes. A *run* is one process that works on the job; a job that is interrupted
or killed takes several runs. The *journal* is the file that carries the job from one run to the next. It answers one
question: which requests may be sent now, so that every request ends with exactly one PIN and no PIN that was handed
to the program is ever lost? ``docs/journal.md`` shows its tables to a person with ``sqlite3``.

A request is found in the journal by its *key*. The key of a request with a tracking field is that field. A request
without one is known by a digest of its fields and by how many requests with the very same fields came before it; so it
keeps its key when other requests are added in front of it. The digest is stored with every key, because a tracking
field may come back with other fields.

**Two ways in.** An input can be *staged*: all its rows are entered in one transaction, with their order and the
input's own columns, before the first request leaves. When the next input is staged, rows are compared by their keys;
a row that was corrected after its PIN was issued keeps the PIN and is marked. Or requests are *admitted* a few at a
time, just before they are sent, as a program produces them. An admitted request that was sent or issued before with
other fields is refused with `errors.JournalError`: a program that changes its requests means another job.

**States.** A request is in one of five states:

ADMITTED
    The request has its row, and is yet to be sent.
SENT
    The request is about to leave or has left. As long as this is the last thing known, whether the service issued a
    PIN is unknown.
ISSUED
    The PIN has come and is in the row. This state is final: no later run sends the request again.
FAILED
    The service refused the request, or its retries ended. The next run tries again.
BAD
    No request can be made of the row of the input. It is kept so that the output has a line for it.

A request that the service refuses because of the identity (wrong credentials, no PIN codes left), or that met an
outage, says nothing about the request. It is *given back*: it returns to ADMITTED, and is sent later or by another
identity.

**Order of writes.** Two rules make the journal safe:

1. `Journal.sent` is awaited before the first byte of an attempt leaves. A request that is ADMITTED after a crash was
   therefore not sent by that run, or was given back.
2. `Journal.issued` is awaited before the PIN is handed to the program. A PIN that the program has seen is therefore in
   the journal.

**What is on the disk.** While a run works, the file is in SQLite's WAL mode with ``synchronous = FULL``: a commit is
appended to the write-ahead log beside the file and synced before its await ends. An awaited write survives the end of
the process and the end of the machine. Cancelling an await does not take the write back. Within half a second what is
in the log is copied to the file itself; when the run ends, all of it is, and the log goes.

**Group commit.** A sync takes milliseconds, so writes share it; see `aiorescue.bulk.group_commit`. What became of the
rows of one group is written in one statement; see `notes`. One thread does all the work of the file.

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
repeats an attempt), and when the next run finds it SENT. These are estimates: an attempt that was rejected because it
came too fast counts, too. When the call has ended, the call runner knows which of its attempts were ambiguous, and
`issued`, `failed` and `given_back` store that figure in place of the estimate. So the count errs only upwards.

**Damage.** A row has two checksums, of what came from the input and of what became of it; they are checked before the
row is used, and those of all rows when the file is opened. SQLite's structures are checked then, too, as an index that
is wrong would make a request look new. The write-ahead log needs a check of its own (`log_check`): SQLite reads it up
to the first frame that is wrong and takes the rest for a commit that a crash cut short, so that one changed bit would
silently take back all that was committed behind it. The row of the job says whether a run has the file open. If it
does and there is no log, the last run was killed and its log was lost, or only the file was copied: such a journal is
refused until the loss is accepted. A PIN that comes for a second request of the job is refused as well.

**One writer, any number of readers.** A small file beside the journal is locked from `open` to `close`; the operating
system releases the lock with the process, so a killed run leaves no stale one. Readers see the last commit and are
never in the way. ``application_id`` marks the file as a journal of ours, ``user_version`` is the version of the schema
(a journal of version 1 is taken over when a run opens it), and the name of the job is kept, so that no other database
and no other job is overwritten.
"""

from aiorescue.bulk.journal.journal import Journal
from aiorescue.bulk.journal.reading import JournalReader

__all__ = ["Journal", "JournalReader"]
