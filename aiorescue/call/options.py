"""`CallOptions`: options that a call, or a view of a client, sets for itself."""

from typing import TYPE_CHECKING, Any

import attrs

from aiorescue import errors
from aiorescue.call.arguments import check_binding
from aiorescue.operation import Binding, frozen
from aiorescue.operation.number import is_number

if TYPE_CHECKING:
    from aiorescue.events import Hub

#: Seconds that one request may take, unless a client is given another timeout.
TIMEOUT = 30.0
#: Requests that may be under way at once, unless a client is given another number.
MAX_CONNECTIONS = 100


def _seconds(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if value is None:
        return
    is_timeout = field.name == "timeout"
    if not is_number(value) or value < 0 or (value == 0 and is_timeout):
        wanted = "above 0" if is_timeout else "at least 0"
        raise errors.InvalidRequest(f"{field.name} must be a number of seconds {wanted}, not {value!r}")


@frozen(kw_only=True)
class CallOptions:
    """Options of one call, or of a view of a client; None stands for the client's own option.

    Attributes:
        binding: the preferred binding.
        timeout: seconds that one request may take.
        max_wait: seconds that a call may wait to be sent, over all its requests; None for any time.
        hub: the listeners of the view, those of the client included.
    """

    binding: Binding | None = attrs.field(default=None, validator=lambda _, __, value: check_binding(value))
    timeout: float | None = attrs.field(default=None, validator=_seconds)
    max_wait: float | None = attrs.field(default=None, validator=_seconds)
    hub: "Hub | None" = None

    def but(
        self,
        *,
        binding: Binding | None = None,
        timeout: float | None = None,
        max_wait: float | None = None,
        hub: "Hub | None" = None,
    ) -> "CallOptions":
        """These options with some of them replaced; None keeps the one of these options."""
        return CallOptions(
            binding=self.binding if binding is None else binding,
            timeout=self.timeout if timeout is None else timeout,
            max_wait=self.max_wait if max_wait is None else max_wait,
            hub=self.hub if hub is None else hub,
        )

    def unbounded(self) -> "CallOptions":
        """These options without `max_wait`, as the calls of bulk jobs need them."""
        return self if self.max_wait is None else attrs.evolve(self, max_wait=None)


#: No option of its own: each is the client's.
NO_OPTIONS = CallOptions()
