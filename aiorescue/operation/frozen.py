"""`frozen`: makes values, which are frozen attrs classes that share their comparison, hash and repr.

attrs would write these for each class and compile them, which for more than a hundred classes takes as long as a third
of ``import aiohttp``. These three read the fields of whatever value they meet. Many operation types add no field to
their base. attrs makes nothing for such a type: it inherits all that attrs has made for its base.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

__all__ = ["frozen"]


def _equal(one: Any, other: object) -> Any:
    if type(other) is not type(one):
        return NotImplemented
    return _compared(one) == _compared(other)


def _hash(one: Any) -> int:
    return hash((type(one), _compared(one)))


def _repr(one: Any) -> str:
    shown = []
    for field in attrs.fields(type(one)):
        if field.repr:
            value = getattr(one, field.name, attrs.NOTHING)  # a value that is still being made may lack it
            show = field.repr if callable(field.repr) and value is not attrs.NOTHING else repr
            shown.append(f"{field.name}={show(value)}")
    return f"{type(one).__qualname__.rpartition('>.')[2]}({', '.join(shown)})"


def _compared(one: Any) -> tuple[Any, ...]:
    return tuple(getattr(one, field.name) for field in attrs.fields(type(one)) if field.eq)


def _adds_nothing(made: Any) -> bool:
    """Whether a class is an operation type without fields of its own, which inherits all that attrs would give it."""
    return (
        attrs.has(made)
        and hasattr(made, "__attrs_init_subclass__")
        and not any(name.startswith("__annot") or name == "__attrs_post_init__" for name in vars(made))
    )


if TYPE_CHECKING:
    from attrs import frozen
else:

    def frozen(made: type | None = None, /, **options: Any) -> Any:
        """Make a frozen attrs class, with the options of `attrs.frozen`. What the class defines itself stays."""
        if made is None:
            return partial(frozen, **options)
        if not options and _adds_nothing(made):
            made.__attrs_attrs__ = attrs.fields(made)  # as attrs marks its classes
            made.__attrs_init_subclass__()
            return made
        for name, shared in (("__eq__", _equal), ("__hash__", _hash), ("__repr__", _repr)):
            if name not in vars(made):
                setattr(made, name, shared)  # attrs leaves alone what it finds
        return attrs.frozen(made, **options)
