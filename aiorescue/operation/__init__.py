"""Operations as data and types, without I/O.

- `spec`: `Operation`, the base of every operation type, and `Spec`, its declaration beside the parameters.
- `frozen`: makes values, here and in all rooms.
- `parameter`: parameters, and how the fields of an operation fill them.
- `outcome`: an answer taken apart, and the outcome of an attempt.
- `status`: the class of every status word.
- `number`: whether an argument is a number.
- `declared`: the operation types of a module. `field_docs`: what their fields are, for `help()`.
"""

from aiorescue.operation.declared import declared
from aiorescue.operation.frames import (
    Veiled,
    discreet,
    discreetly_awaited,
    discreetly_iterated,
    discreetly_made,
    forget,
)
from aiorescue.operation.frozen import frozen
from aiorescue.operation.frozen import frozen as operation
from aiorescue.operation.outcome import Answer, Outcome, StreamedText
from aiorescue.operation.parameter import Parameter, Plain, Repeated, Slot, Source, slots_of, sources_of
from aiorescue.operation.spec import (
    Binding,
    Content,
    Effect,
    Evidence,
    Family,
    Needs,
    Operation,
    Output,
    PageLayout,
    Service,
    Spec,
)
from aiorescue.operation.status import VERDICTS, OutcomeClass, Verdict, verdict

__all__ = [
    "VERDICTS",
    "Answer",
    "Binding",
    "Content",
    "Effect",
    "Evidence",
    "Family",
    "Needs",
    "Operation",
    "Outcome",
    "OutcomeClass",
    "Output",
    "PageLayout",
    "Parameter",
    "Plain",
    "Repeated",
    "Service",
    "Slot",
    "Source",
    "Spec",
    "StreamedText",
    "Veiled",
    "Verdict",
    "declared",
    "discreet",
    "discreetly_awaited",
    "discreetly_iterated",
    "discreetly_made",
    "forget",
    "frozen",
    "operation",
    "slots_of",
    "sources_of",
    "verdict",
]
