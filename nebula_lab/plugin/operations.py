"""`@operation`: which methods of a plugin can be called from outside."""

from __future__ import annotations

from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FunctionType
    from typing import Any, TypeVar, overload

    Method = TypeVar("Method", bound=Callable[..., Any])

MARK = "__nebula_operation__"
MAX_NAME_LENGTH = 100
CO_VARARGS = 0x04  # of a code object: takes *args; `inspect` costs too much to ask it for this
# An operation of one of these names would replace what the host itself calls.
RESERVED = frozenset(
    {
        "initialize",
        "metadata",
        "execute",
        "health_check",
        "cleanup",
        "operations",
        "context",
        "config",
    }
)


class OperationMark(Frozen):
    """What `@operation` was told; it hangs on the method."""

    __match_args__ = ("name", "description", "idempotent")

    name: str | None
    description: str | None
    idempotent: bool

    def __init__(self, name: str | None, description: str | None, idempotent: bool) -> None:
        self._fill(name, description, idempotent)


if TYPE_CHECKING:

    @overload
    def operation(function: Method, /) -> Method: ...

    @overload
    def operation(
        *, name: str | None = None, description: str | None = None, idempotent: bool = False
    ) -> Callable[[Method], Method]: ...


def operation(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    idempotent: bool = False,
) -> Any:
    """Make a method an operation, with or without arguments: `@operation`, `@operation(…)`.

    Args:
        name: what callers call it; the method's own name without.
        description: a sentence for callers; the docstring's first paragraph without.
        idempotent: whether running it twice does no more than once, so that a call that may
            have run already can be sent again.

    Raises:
        PluginError: the method can't be called with params by name: it has positional-only
            parameters or `*args`, has no `self`, or is no plain method.
    """
    if name is not None:
        _require_name(name)
    mark = OperationMark(name, description, idempotent)

    def put(method: Callable[..., Any]) -> Callable[..., Any]:
        _require_callable_by_name(method)
        setattr(method, MARK, mark)
        return method

    return put if function is None else put(function)


def operation_methods(plugin_class: type) -> dict[str, tuple[str, OperationMark]]:
    """The operations of a class, inherited ones first: name → attribute and mark.

    An override of an operation stays one, with or without a mark of its own.

    Raises:
        PluginError: two methods have one operation name, or one has a reserved name.
    """
    marked: dict[str, OperationMark] = {}
    for base in reversed(plugin_class.__mro__):
        for attribute, value in vars(base).items():
            _refuse_wrapped_mark(plugin_class, attribute, value)
            mark = getattr(value, MARK, None)
            if isinstance(mark, OperationMark):
                marked[attribute] = mark
    return _by_operation_name(plugin_class, marked)


def unwrapped(method: Any) -> Any:
    """The function that `functools.wraps` and the like have wrapped."""
    while (inner := getattr(method, "__wrapped__", None)) is not None:
        method = inner
    return method


def method_error(method: Any, problem: str, hint: str | None = None) -> PluginError:
    """An error about a method that says where its source is."""
    name = getattr(method, "__qualname__", None) or repr(method)
    code = getattr(unwrapped(method), "__code__", None)
    return PluginError(
        f"operation {name}: {problem}",
        path=code.co_filename if code else None,
        line=code.co_firstlineno if code else None,
        hint=hint,
    )


def _by_operation_name(
    plugin_class: type, marked: Mapping[str, OperationMark]
) -> dict[str, tuple[str, OperationMark]]:
    found: dict[str, tuple[str, OperationMark]] = {}
    for attribute, mark in marked.items():
        method = getattr(plugin_class, attribute)
        if attribute in RESERVED:
            raise method_error(method, "the name is the host's own", "Rename the method.")
        if not callable(method):  # a subclass has put something else in its place
            continue
        _require_callable_by_name(method)
        name = mark.name or attribute
        if name in found:
            raise method_error(
                method,
                f"{found[name][0]} is an operation of the name {name!r} already",
                "Give one of them another name: @operation(name=…).",
            )
        found[name] = (attribute, mark)
    return found


def _require_name(name: str) -> None:
    plain = name.replace("_", "a").replace(".", "a").replace("-", "a")
    if not (
        name.isascii()
        and plain.isalnum()
        and (name[0].isalpha() or name[0] == "_")
        and len(name) <= MAX_NAME_LENGTH
    ):
        raise PluginError(
            f"{name!r} can't be the name of an operation",
            hint="Use letters, digits, '_', '.' and '-', starting with a letter or '_', "
            f"at most {MAX_NAME_LENGTH} characters.",
        )


def _require_callable_by_name(method: Any) -> None:
    if isinstance(method, (staticmethod, classmethod, property)):
        raise method_error(
            getattr(method, "__func__", None) or getattr(method, "fget", method),
            f"it is a {type(method).__name__}",
            "An operation is a plain method, with self as its first parameter.",
        )
    function: FunctionType = unwrapped(method)
    code = getattr(function, "__code__", None)
    if code is None:
        raise method_error(method, "it is not a function", "Put @operation on a method.")
    if code.co_argcount == 0:
        raise method_error(method, "it has no self", "Give it self as its first parameter.")
    if code.co_posonlyargcount > 1:
        names = ", ".join(code.co_varnames[1 : code.co_posonlyargcount])
        raise method_error(
            method,
            f"{names} can only be passed by position, and params have names",
            "Remove the '/' from its parameters.",
        )
    if code.co_flags & CO_VARARGS:
        star = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        raise method_error(
            method,
            f"*{star} can't be filled, since params have names",
            f"Take a list: {star}: list[…].",
        )


def _refuse_wrapped_mark(plugin_class: type, attribute: str, value: object) -> None:
    inner = getattr(value, "__func__", None) if _is_wrapped(value) else getattr(value, "fget", None)
    if inner is not None and isinstance(getattr(inner, MARK, None), OperationMark):
        raise method_error(
            inner,
            f"{plugin_class.__name__}.{attribute} is a {type(value).__name__}",
            "An operation is a plain method, with self as its first parameter.",
        )


def _is_wrapped(value: object) -> bool:
    return isinstance(value, (staticmethod, classmethod))
