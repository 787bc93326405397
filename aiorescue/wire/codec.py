"""What each binding offers for each operation."""

from abc import ABC, abstractmethod

from aiorescue.operation import Answer, Operation, Outcome
from aiorescue.wire.learned import Usual
from aiorescue.wire.message import Draft, Request, Response, Stamp


class Codec(ABC):
    """Requests and answers of one operation on one binding. All that does not depend on values is prepared."""

    #: The answer as it was last time, if it was good.
    usual: Usual | None = None
    #: The answer may be long: beyond a mebibyte it comes in a file.
    long: bool = False

    def encode(self, operation: Operation[object], stamp: Stamp) -> Request:
        """The request. Raises `errors.InvalidRequest` for what this binding cannot carry."""
        return self.sign(self.draft(operation), stamp)

    @abstractmethod
    def draft(self, operation: Operation[object]) -> Draft:
        """What the operation says, before it is known who calls. Raises `errors.InvalidRequest`."""

    @abstractmethod
    def sign(self, draft: Draft, stamp: Stamp) -> Request:
        """The request of a draft. Raises `errors.InvalidRequest`."""

    @abstractmethod
    def decode(self, response: Response) -> Answer | Outcome[object]:
        """The answer of an HTTP 200 (or of a SOAP fault). Raises `Unreadable`."""
