"""The registry of a service: the operation types that its modules declare."""

from types import ModuleType
from typing import Any

from aiorescue.operation.spec import Operation


def declared(*modules: ModuleType) -> dict[str, type[Operation[Any]]]:
    """The operation types that have a `spec` of their own, by the vendor's names, in the order of their declaration.

    Args:
        modules: modules to look through; a class that a module only imports does not count.
    """
    return {
        each.spec.name: each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Operation)
        and each.__module__ == module.__name__
        and "spec" in vars(each)
    }
