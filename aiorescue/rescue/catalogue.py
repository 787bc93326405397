"""`OPERATIONS`: every operation that the topic modules declare, by the vendor's name."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from aiorescue.operation import Operation
from aiorescue.rescue import (
    authentication,
    groups,
    hierarchy,
    invitations,
    pins,
    report_settings,
    report_state,
    reports,
    sessions,
    users,
)

#: The modules that hold declarations, in the order of the documentation.
TOPICS = (
    authentication,
    pins,
    invitations,
    sessions,
    hierarchy,
    users,
    groups,
    reports,
    report_settings,
    report_state,
)


def _declared(topic: ModuleType) -> Iterator[type[Operation[Any]]]:
    """The operation types of a module that declare a spec of their own; bases and imported classes do not count."""
    for value in vars(topic).values():
        here = isinstance(value, type) and value.__module__ == topic.__name__
        if here and issubclass(value, Operation) and "spec" in vars(value):
            yield value


#: Every declared operation by the vendor's name.
OPERATIONS = {operation.spec.name: operation for topic in TOPICS for operation in _declared(topic)}
