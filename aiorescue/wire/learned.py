"""Learned answers: an answer that differs from an earlier one in a single word is understood without a parser.

A PIN job gets one answer a thousand times, each time with another PIN in it. Once such an answer was parsed and
understood, the bytes before and after its value are known. An answer with these bytes around another plain word is as
well-formed as the first one, and means the same but for the word; any other answer goes to the parser. Learned answers
are kept by `aiorescue.call.reader`.
"""

import re
from typing import Any, Self

from aiorescue.operation import Operation, Outcome, OutcomeClass, Spec, frozen

#: Bytes of an answer above which it is not learned.
_LONGEST = 4_096
#: References, comments and processing instructions. In a body that has one, the value may be written in another way,
#: and its characters may stand in another place by chance.
_ODD = re.compile(rb"&|<[!?](?!xml )")
_OK = OutcomeClass.OK


@frozen
class LearnedAnswer:
    """The bytes around the value of an answer that was OK.

    Attributes:
        word: the answer's status word.
        head: bytes before the value; the whole body if the answer has no value.
        tail: bytes behind the value.
        output: name of the output that holds the value; empty if the answer has none.
        holds: type of the value, str or int.
    """

    word: str | None
    head: bytes
    tail: bytes = b""
    output: str = ""
    holds: type[Any] = str

    @classmethod
    def of(cls, spec: Spec, body: bytes, outcome: Outcome[Any]) -> Self | None:
        """Learn from the body and the outcome of an answer that was OK; None if its value has no place of its own."""
        outputs, word = outcome.outputs, outcome.word
        if outputs is None or word is None or spec.secret_answer or len(body) > _LONGEST or len(outputs) > 1:
            return None
        if not outputs:
            return cls(word, body)
        [(output, value)] = outputs.items()
        text = str(value).encode() if type(value) in (str, int) else b""
        # The value must stand at one place only, and the status word at another.
        if not (text.isalnum() and body.count(text) == 1):
            return None
        head, _, tail = body.partition(text)
        if word.encode() not in head and word.encode() not in tail:
            return None
        if head.endswith(b"-") or _ODD.search(body):  # the value of ``-0`` is 0: with its head, ``-5`` would be 5
            return None
        return cls(word, head, tail, output, type(value))

    def outcome(self, operation: Operation[Any], body: bytes) -> Outcome[Any] | None:
        """The outcome of a later answer, if its body differs from the learned one in the value alone; else None."""
        if not self.output:
            return Outcome(_OK, operation.result({}), self.word) if body == self.head else None
        if not (body.startswith(self.head) and body.endswith(self.tail)):
            return None
        value = body[len(self.head) : len(body) - len(self.tail)]
        if not value.isalnum():
            return None
        try:
            known = operation.result({self.output: self.holds(value.decode("ascii"))})
        except ValueError:
            return None  # let the parser say what is wrong
        return Outcome(_OK, known, self.word)
