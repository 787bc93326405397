"""`Codec`: the base of the classes that write requests and decode responses, one for each kind of binding."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from aiorescue.operation import Answer, Operation, Outcome
from aiorescue.wire.message import Authorization, Request, Response

D = TypeVar("D")


class Codec(ABC, Generic[D]):
    """Writes requests and decodes responses of one operation on one binding; it is immutable and knows no client.

    A request is written in two steps. The *draft* (of type ``D``) holds everything but the authorization, and so shows
    before a call waits or logs in whether the binding can carry it; each attempt authorizes the draft anew.

    Attributes:
        streamed: the answer may be too long for memory; beyond a mebibyte it is received into a file.
    """

    streamed: bool = False

    def encode(self, operation: Operation[object], authorization: Authorization) -> Request:
        """The request in one step. Raises `errors.InvalidRequest` for what this binding cannot carry."""
        return self.authorize(self.draft(operation), authorization)

    @abstractmethod
    def draft(self, operation: Operation[object]) -> D:
        """The request without its authorization. Raises `errors.InvalidRequest` for what this binding cannot carry."""

    @abstractmethod
    def authorize(self, draft: D, authorization: Authorization) -> Request:
        """The request of a draft. Raises `errors.InvalidRequest` for a query that has become too long."""

    @abstractmethod
    def decode(self, response: Response) -> Answer | Outcome[object]:
        """The answer in an HTTP 200, or the outcome that a SOAP fault is. Raises `Unreadable`."""
