"""Answers in reports of `aiorescue verify`, whose values were replaced by others of the same form."""

from collections.abc import Mapping
from typing import Any

from aiorescue.operation import Answer, OutcomeClass
from aiorescue.rescue import OPERATIONS


def reads(evidence: Mapping[str, Any]) -> bool:
    """Whether what a report keeps of an answer reads as a good answer of its operation."""
    kind = OPERATIONS[evidence["operation"]]
    from_page = evidence["binding"] == "text-post"
    answer = Answer(evidence["result"], evidence.get("fields", {}), from_page, evidence.get("body", ""))
    return kind.spec.service.understand(kind, answer).outcome_class is OutcomeClass.OK
