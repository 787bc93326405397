"""The usual answer, which is byte for byte the last good one but for a single word: understood without a parser.

A PIN job gets the same answer a thousand times with another PIN in it. Once one was parsed and understood, the bytes
before and after its value are known. An answer with the same bytes around another plain word is as well-formed as
that one was and says the same of that word; any other goes to the parser.
"""

import re
from typing import Any, Self

import attrs

from aiorescue.operation import Operation, Outcome, OutcomeClass, Spec

#: Longer answers are not worth remembering.
_LONGEST = 4_096
#: References, comments and the like: a value that is written with them may stand elsewhere by chance.
_ODD = re.compile(rb"&|<[!?](?!xml )")
_OK = OutcomeClass.OK


@attrs.frozen
class LearnedAnswer:
    """A good answer, to compare others with.

    Attributes:
        word: its status word.
        head: its bytes before the value; all of them where there is none.
        tail: its bytes behind the value.
        output: the output that holds the value.
        holds: what that is.
    """

    word: str | None
    head: bytes
    tail: bytes = b""
    output: str = ""
    holds: type[Any] = str

    @classmethod
    def of(cls, spec: Spec, body: bytes, outcome: Outcome[Any]) -> Self | None:
        """What can be learned of an answer that was understood; None where it is not that simple."""
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
        if head.endswith(b"-") or _ODD.search(body):  # -0 is a number, and so is -5, but another one than 5
            return None
        return cls(word, head, tail, output, type(value))

    def outcome(self, operation: Operation[Any], body: bytes) -> Outcome[Any] | None:
        """What another answer means, if it differs in the value alone."""
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
