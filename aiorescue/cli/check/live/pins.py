"""The scope of the PIN rate: which requests the service counts against one limit. It spends PIN codes.

Of two requests that follow each other at once, the second is rejected if both count against one limit of one a second.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from aiorescue import AuthCode, Login, RescueClient, RetryPolicy, errors
from aiorescue.cli import credentials
from aiorescue.cli.check.live.answers import word_of
from aiorescue.cli.check.live.result import Check, Comparison
from aiorescue.cli.status import Status, status_of
from aiorescue.events import Event, Rejected
from aiorescue.operation import Binding, frozen
from aiorescue.rescue import PinRequest, RequestPinCode, RequestPinCodeV3

#: Seconds after which a request counts as the first again, where the documented rate holds.
PAUSE: Final = 2.0
_NAME = "scope of the PIN rate"
_REJECTED, _ISSUED = "rejected", "issued"


@frozen
class _Pair:
    """Two requests that follow each other at once.

    Attributes:
        what: what differs between the two.
        second: the second request, where the first is `RequestPinCode` over SOAP 1.1.
        binding: binding of the second request.
        other: whether another identity makes the second request.
        expected: what becomes of the second request by the declarations.
    """

    what: str
    second: type[PinRequest]
    binding: Binding
    expected: str
    other: bool = False


_PAIRS: Final = (
    _Pair("one identity, one binding", RequestPinCode, Binding.SOAP11, _REJECTED),
    _Pair("one identity, two bindings", RequestPinCode, Binding.TEXT_POST, _REJECTED),
    _Pair("one identity, two operations", RequestPinCodeV3, Binding.SOAP12, _REJECTED),
    _Pair("two identities", RequestPinCode, Binding.SOAP11, _ISSUED, other=True),
)
#: PINs that are spent at most: two for each pair.
MOST: Final = 2 * len(_PAIRS)


class PinScope:
    """Asks for pairs of PINs.

    Attributes:
        spent: PINs that were issued.
        trouble: the exit status that the credentials or the service ask for, if they ended the checks early.

    Args:
        identities: identities of the account; a second one shows whether identities share a limit.
        base_url: scheme and host of the service.
        tracking: the tracking field of all requests.
        pause: seconds between two pairs.
    """

    def __init__(
        self, identities: Sequence[AuthCode | Login], base_url: str, tracking: str, *, pause: float = PAUSE
    ) -> None:
        self.spent = 0
        self.trouble = Status.OK
        self._identities = identities
        self._base_url = base_url
        self._tracking = tracking
        self._pause = pause
        self._rejected = asyncio.Event()

    async def checks(self) -> AsyncIterator[Check]:
        """Ask for the pairs, and yield a check for each."""
        options = {"pace": None, "retry": RetryPolicy(attempts=1), "on_event": self._listen}
        first = credentials.client(self._identities[:1], self._base_url, **options)
        other = credentials.client(self._identities[1:2] or self._identities[:1], self._base_url, **options)
        async with first, other:
            for pair in _PAIRS:
                if self.trouble is not Status.OK:
                    return
                name = f"{_NAME}: {pair.what}"
                if pair.other and len(self._identities) < 2:  # noqa: PLR2004 - a pair
                    yield Check(name, Comparison.NOT_TRIED, "needs two auth codes: RESCUE_AUTH_CODE=code1,code2")
                    continue
                yield await self._pair(name, pair, first, other if pair.other else first)

    def _listen(self, event: Event) -> None:
        if isinstance(event, Rejected):
            self._rejected.set()

    async def _pair(self, name: str, pair: _Pair, first: RescueClient, second: RescueClient) -> Check:
        try:
            if await self._ask(first, RequestPinCode, Binding.SOAP11) == _REJECTED:
                return Check(name, Comparison.NOT_TRIED, "another program asks for PINs as this identity")
            became = await self._ask(second, pair.second, pair.binding)
        except errors.RescueError as problem:
            if isinstance(problem, errors.AuthenticationError | errors.OutOfPinCodes | errors.ConnectionFailed):
                self.trouble = status_of(problem)
            return Check(name, Comparison.NOT_TRIED, word_of(problem))
        finally:
            await asyncio.sleep(self._pause)
        found = f"of two requests at once, the second is {became}"
        if became == pair.expected:
            return Check(name, Comparison.AS_DECLARED, found)
        return Check(name, Comparison.DIFFERS, f"{found}, and not {pair.expected}")

    async def _ask(self, client: RescueClient, operation: type[PinRequest], binding: Binding) -> str:
        """Ask for one PIN; one that is rejected is not asked for again."""
        self._rejected.clear()
        asking = asyncio.ensure_future(
            client.call(operation(tracking=self._tracking, no_tech_console=True), binding=binding)
        )
        rejected = asyncio.ensure_future(self._rejected.wait())
        try:
            await asyncio.wait({asking, rejected}, return_when=asyncio.FIRST_COMPLETED)
            if self._rejected.is_set():
                return _REJECTED
            await asking
            self.spent += 1
            return _ISSUED
        finally:
            for task in (asking, rejected):
                task.cancel()
            await asyncio.wait({asking, rejected})
