"""`AnswerReader`: reads answers, at first by what a client has learned from the last OK answer of the operation."""

import asyncio
from typing import Any

from aiorescue import wire
from aiorescue.operation import Binding, Operation, Outcome, status
from aiorescue.wire import Authorization, Codec, Response
from aiorescue.wire.learned import LearnedAnswer

#: Bytes that are decoded on the event loop; a longer body is decoded in a thread. The costliest bytes found are
#: XML elements of four bytes, with two microseconds a byte: this many take eight milliseconds.
INLINE = 2**12
_HTTP_OK = 200


class AnswerReader:
    """Reads the answers to one operation on one binding for one client.

    Args:
        codec: the codec of the operation on that binding.
        binding: the binding.
    """

    def __init__(self, codec: Codec[Any], binding: Binding) -> None:
        self.codec = codec
        self.binding = binding
        #: Fast path learned from the last OK answer; None before one, or if it cannot be learned from.
        self.learned: LearnedAnswer | None = None

    def read(self, operation: Operation[Any], authorization: Authorization, response: Response) -> Outcome[Any]:
        """The outcome of a response. Safe in any thread; see `wire.read`."""
        learned = self.learned  # looked at once: a thread that reads a long answer may replace it at any moment
        if learned is not None and response.status == _HTTP_OK and response.problem is None:
            known = learned.outcome(operation, response.body)
            if known is not None:
                return known
        outcome = wire.read(self.codec, operation, authorization, response)
        if outcome.outcome_class is status.OK:
            self.learned = LearnedAnswer.of(operation.spec, response.body, outcome)
        return outcome

    async def read_in_thread(
        self, operation: Operation[Any], authorization: Authorization, response: Response
    ) -> Outcome[Any]:
        """The outcome of a long response. A stream belongs to the result of an OK, and is closed here otherwise."""
        taken = False
        try:
            outcome = await asyncio.to_thread(self.read, operation, authorization, response)
            taken = outcome.outcome_class is status.OK
        finally:
            if response.stream is not None and not taken:
                response.stream.discard()
        return outcome
