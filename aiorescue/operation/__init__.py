"""What an operation *is*: data and types, without I/O. `spec` declares, `outcome` is what became of an attempt."""

from aiorescue.operation.outcome import Answer, LongText, Outcome
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
    PageForm,
    Service,
    Spec,
    operation,
)
from aiorescue.operation.status import VERDICTS, Kind, Verdict, verdict

__all__ = [
    "VERDICTS",
    "Answer",
    "Binding",
    "Content",
    "Effect",
    "Evidence",
    "Family",
    "Kind",
    "LongText",
    "Needs",
    "Operation",
    "Outcome",
    "Output",
    "PageForm",
    "Parameter",
    "Plain",
    "Repeated",
    "Service",
    "Slot",
    "Source",
    "Spec",
    "Verdict",
    "operation",
    "slots_of",
    "sources_of",
    "verdict",
]
