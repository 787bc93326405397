"""What an operation *is*: data and types, without I/O. `spec` declares, `outcome` is what became of an attempt."""

from aiorescue.operation.frames import Veiled, discreet, discreetly_awaited, forget
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
    operation,
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
    "discreet",
    "discreetly_awaited",
    "forget",
    "operation",
    "slots_of",
    "sources_of",
    "verdict",
]
