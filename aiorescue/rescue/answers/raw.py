"""`Raw`: the answer to a call by wire names."""

from collections.abc import Mapping
from typing import Any

import attrs

from aiorescue.operation import frozen


@frozen
class Raw:
    """The answer to a raw call.

    Attributes:
        status: status word as the service wrote it; empty if an XML document came in place of one.
        outputs: elements of a SOAP answer by name (texts, or mappings and lists of them), or the lines of a text page
            that have the form KEY:value.
        text: text behind the status word of a text page; empty over SOAP.
        seconds: seconds from the call to the result, including waits and retries.
    """

    status: str
    outputs: Mapping[str, Any] = attrs.field(repr=False)
    text: str = attrs.field(default="", repr=False)
    seconds: float = 0.0
