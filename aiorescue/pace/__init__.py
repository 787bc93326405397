"""How fast: the pace of each account, and how it is learned.

Theory of operation
===================

The service limits how often one account may call. For PIN codes the documented limit is one a second, and the service
enforces it as a *minimum interval*: a call that arrives less than a second after the last accepted one is answered
with ``PollRateExceeded`` instead of a PIN. There is no header that shows the limit, no ``Retry-After`` and no way to
see the service's clock. All that a client can learn comes from its own calls: when each was sent, when its answer
came, and whether it was accepted or *rejected*.

The obvious approaches do badly. A token bucket saves up tokens while it is idle and spends them in a burst, which the
service rejects. A limiter that sends exactly once a second is rejected a third of the time, because the network
delivers one call a little late and the next one a little early, so that they arrive less than a second apart. A fixed
margin is either too small for a bad network or wasteful on a good one. So the margin is learned.

**Turns.** A `Pacer` belongs to one `PacedAccount` and one rate family (`aiorescue.operation.Family`): the operations
that the service counts against one limit. It hands out *turns*. Each attempt of a call, not each call, needs a turn of
its own: ``async with pacer.turn(priority) as turn``. Entering waits for the turn; ``turn.answered(accepted=…)`` reports
what came of it. Turns are given in order of priority, and of arrival within one priority (`Priority`,
`PrioritySemaphore`).

**Gaps and slots.** An `IntervalPacer` keeps a *gap* between two turns. The *slot* of a turn is the moment at which
the gap behind the turn before it has passed. A turn that went out as soon as its slot came *tests* the gap: if it is
accepted, the gap was large enough. A turn that came later, because no call wanted it, says nothing.

**The guard.** The gap is the service's interval and a *guard* on top of it, in milliseconds rather than in percent:
what it must absorb is the scatter of the network's delays, which does not depend on the interval. `Limit` adjusts it
like a weighted up-down staircase, a procedure of psychophysics. Each rejection widens the gap by a step, each
accepted test narrows it by a small fraction of that step. The two balance where rejections make up a chosen share of
the calls, half a percent here. The step is as large as the deviation of the latency.

**Searching.** Where the limit is not known (``pace="auto"``), or no longer what it was, the staircase would take too
long. Then the gap is *searched*: it is halved until the first rejection, and from there multiplied and divided by
factors that shrink each time the search turns round, which is a bisection that forgives a wrong answer. A search
begins when rejections come close together (the limit has fallen), and after hundreds of successes without a rejection
(it may have risen). A call that was sent before the gap was last changed is *stale*: it says nothing of the present
gap.

**Latency.** `Latency` estimates the round trip as TCP does, by a mean and a mean deviation. What an answer takes longer
than usual may have been lost on the way to the service; the call behind it would then arrive too soon after it. So the
next slot is later by as much, or by the guard if that is less: a guard that has shrunk shows that the way there is
steady. An answer that takes *much* longer was probably late on the way there. So while the oldest call under way is
late, the next one is held up for a moment, and after a late or a rejected answer the next slot begins a full gap after
the moment at which the call can have arrived at the latest.

**Other limits.** Logins are counted in a window of three minutes, and a login too many is an authentication failure
rather than a rejection; a `WindowPacer` never lets it come to that. E-mail texts and reports answer a plain ``Error``
to a call that came too fast, so there is nothing to learn from: their gap keeps a larger, fixed distance from the
limit.

**Several clients, several processes.** Clients of one process that call as one account at the same rate have one pacer
in common, in which each event loop has a line of its own. Processes that call as one account must share its pace, too:
without that, the first one takes all turns and the others are rejected until they give up. `aiorescue.pace.shared`
keeps the same `Limit` where all of them see it, with a version, so that each process improves what the others have
learned, and the slots of all, so that a call which is late puts off those of the others: in files of the machine
(`HostPace`), or in Redis (`RedisPace`).

**Patience.** A call may have a bound on the time that it waits to be sent (`Patience`): for its turn, and for what it
needs besides: a login, a server session, a connection. It is refused at once if its turn cannot come in time even at
the fastest pace, and otherwise leaves the line when the time is over.
"""
