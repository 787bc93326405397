"""What each binding offers for each operation."""

from abc import ABC, abstractmethod

from aiorescue.operation import Answer, Operation, Outcome
from aiorescue.wire.learned import LearnedAnswer
from aiorescue.wire.message import Authorization, Draft, Request, Response


class Codec(ABC):
    """Requests and answers of one operation on one binding. All that does not depend on values is prepared."""

    #: The answer as it was last time, if it was good.
    usual: LearnedAnswer | None = None
    #: The answer may be long: beyond a mebibyte it comes in a file.
    streamed: bool = False

    def encode(self, operation: Operation[object], authorization: Authorization) -> Request:
        """The request. Raises `errors.InvalidRequest` for what this binding cannot carry."""
        return self.authorize(self.draft(operation), authorization)

    @abstractmethod
    def draft(self, operation: Operation[object]) -> Draft:
        """What the operation says, before it is known who calls. Raises `errors.InvalidRequest`."""

    @abstractmethod
    def authorize(self, draft: Draft, authorization: Authorization) -> Request:
        """The request of a draft. Raises `errors.InvalidRequest`."""

    @abstractmethod
    def decode(self, response: Response) -> Answer | Outcome[object]:
        """The answer of an HTTP 200 (or of a SOAP fault). Raises `Unreadable`."""
