"""The operation types that modules declare: what a service exports, lists and emulates derives from this."""

from types import ModuleType
from typing import Any

from aiorescue.operation.spec import Operation


def declared(*modules: ModuleType) -> dict[str, type[Operation[Any]]]:
    """The operation types that modules declare, by the vendor's names, in the order of their declaration."""
    return {
        each.spec.name: each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Operation)
        and each.__module__ == module.__name__
        and "spec" in vars(each)
    }
