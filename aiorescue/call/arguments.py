"""Checks of the arguments of a client and of its calls, so that a wrong one is named where it was given."""

from inspect import iscoroutinefunction
from typing import Any, NoReturn

from aiorescue import errors
from aiorescue.call.retry import RetryPolicy
from aiorescue.operation import Binding, Operation
from aiorescue.operation.number import check_count, is_number


def check_arguments(
    timeout: object, max_connections: object, *, binding: object, retry: object, clock: object, on_event: object
) -> None:
    """Check arguments of a client that no other part of it checks.

    Raises:
        errors.InvalidRequest: one of them is of another type, or out of its range.
    """
    if not is_number(timeout) or timeout <= 0:
        raise errors.InvalidRequest(f"timeout must be a number of seconds above 0, not {timeout!r}")
    check_count("max_connections", max_connections)
    if not isinstance(retry, RetryPolicy):
        raise errors.InvalidRequest(f"retry must be RetryPolicy(attempts=…, total=…), not {retry!r}")
    check_binding(binding)
    # Looked at and not called: a clock may be of any type.
    if clock is not None and not (callable(getattr(clock, "time", None)) and callable(getattr(clock, "sleep", None))):
        raise errors.InvalidRequest(f"clock must have time() and sleep(seconds), which {type(clock).__name__} lacks")
    check_listener(on_event)


def check_flags(**flags: object) -> None:
    """Check arguments that are True or False; raises `errors.InvalidRequest` for others, as the text "no" is true."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise errors.InvalidRequest(f"{name} must be True or False, not {value!r}")


def check_binding(binding: object) -> None:
    """Check a binding; raises `errors.InvalidRequest` for anything else but None."""
    if binding is not None and not isinstance(binding, Binding):
        names = ", ".join(f"Binding.{one.name}" for one in Binding)
        raise errors.InvalidRequest(f"binding must be one of {names}, not {binding!r}")


def check_listener(listener: object) -> None:
    """Check a listener; raises `errors.InvalidRequest` for what cannot be called with an event."""
    if listener is not None and not callable(listener):
        raise errors.InvalidRequest(f"on_event must be a function that takes an event, not {type(listener).__name__}")
    if iscoroutinefunction(listener) or iscoroutinefunction(getattr(listener, "__call__", None)):  # noqa: B004 - looked at
        raise errors.InvalidRequest("on_event must be a plain function, not `async def`: it is called and not awaited")


def no_copy(client: object, _: object) -> NoReturn:
    """Refuse a copy of a client, deep or pickled: it would have the secrets, and connections or a pace of its own."""
    raise TypeError(
        f"a {type(client).__name__} cannot be copied or pickled: share it (`with_options` gives a view of it),"
        " or make one where it is used"
    )


def another_login(operation: Operation[Any]) -> errors.InvalidRequest:
    """The error for an explicit login on a client that calls as another login."""
    name = operation.spec.name
    return errors.InvalidRequest(
        f"{name}: this client already calls as another login; make a client of its own for each login", operation=name
    )


def check_operation(given: object, service: str) -> None:
    """Check what a client is to call; raises `errors.InvalidRequest` unless it is an operation of that service."""
    if not isinstance(given, Operation):
        raise no_operation(given)
    name, of = given.spec.name, given.spec.service.name
    if of != service:
        raise errors.InvalidRequest(
            f"{name} is an operation of {of}, and this is a client of {service}", operation=name
        )


def no_operation(given: object) -> errors.InvalidRequest:
    """The error for something that was given in place of an operation."""
    shown = f"{given.__name__} itself" if isinstance(given, type) else type(given).__name__
    advice = "; `raw` takes the name of an operation" if isinstance(given, str) else ""
    return errors.InvalidRequest(f"an operation is a value such as CloseSession(session=42), not {shown}{advice}")


def check_operation_type(given: object) -> None:
    """Check what stands for an operation; raises `errors.InvalidRequest` unless it is one, or the type of one."""
    if not isinstance(given, Operation) and not (isinstance(given, type) and issubclass(given, Operation)):
        raise no_operation(given)
