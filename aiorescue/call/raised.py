"""`exception_for`: the exception that a call ends with, made of the outcome of its last attempt."""

from typing import Any

from aiorescue import errors
from aiorescue.call.call import Call
from aiorescue.operation import Outcome

#: What a person can do when a call is rejected again and again.
SHARE_THE_PACE = (
    ", many times in a row: another process, or a client with another pace, seems to call as the same identity."
    " Give all of them one pace: pace=HostPace() on one machine, pace=RedisPace(url) on several"
)
#: What is said of a refusal that may have been meant for an idle connection.
CROSSED = ", which a server also says of an idle connection while a request is on its way"


def exception_for(outcome: Outcome[Any], call: Call) -> errors.RescueError:
    """The exception for the outcome that a call has ended with."""
    spec = call.operation.spec
    what, quote = (outcome.detail, outcome.quote) if outcome.detail else (outcome.quote, "")
    # The mark of a partial failure says no more than its type does, and an error without a code is its own word.
    says_more = outcome.word != what and outcome.error is not errors.PartialFailure
    word = f" ({outcome.word})" if outcome.word and says_more else ""
    if outcome.too_large and spec.streamed and not call.reader.codec.streamed:
        word = "; ask its text page (Binding.TEXT_POST), whose answers may be long"
    tries = f"; tried {call.attempts} times" if call.attempts > 1 else ""
    orphans = "; an earlier try may have been carried out" if call.orphans and not outcome.ambiguous else ""
    more = dict(outcome.more)
    if outcome.error is errors.RateLimited:
        more["retry_after"] = outcome.retry_after
    if issubclass(outcome.error, errors.AuthenticationError):
        more["identity"] = call.identity.name
    return outcome.error(
        f"{spec.name}: {what or 'refused'}{word}{tries}{orphans}{f': {quote}' if quote else ''}",
        operation=spec.name,
        status=outcome.word,
        attempts=call.attempts,
        possibly_orphaned=call.orphans,
        **more,
    )
