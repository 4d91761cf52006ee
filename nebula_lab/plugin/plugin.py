"""`Plugin`: what most authors derive from."""

from __future__ import annotations

from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.health import HealthStatus
from nebula_lab.plugin.host import Context, context
from nebula_lab.plugin.operations import operation_methods
from nebula_lab.plugin.resource import DynamicResource, ResourceMetadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from nebula_lab.plugin.binding import OperationHandler
    from nebula_lab.plugin.description import OperationSpec
    from nebula_lab.plugin.operations import OperationMark

PRIORITY_TAG = "priority:"


class Plugin(DynamicResource):
    """A resource whose operations are its methods marked with `@operation`.

    `initialize`, `metadata`, `health_check` and `cleanup` have defaults that do. A plugin may have
    more methods, plain or async, which its host looks for and which have no defaults:

    - `save_state()` gives what a reload is to keep, as plain values, and `restore_state(state)`,
      or `restore_state(state, from_version)`, puts it in the place of what is there. It may be
      called more than once: a reload tries the new code with a snapshot first. Write both or
      neither: without them, public attributes are kept where they can be.
    - `self_test()` is run on new code before it takes over, with a snapshot of the state. It
      fails by raising, by returning False, or by an unhealthy `HealthStatus`.
    - `on_dependency_reloaded(plugin_id, version)` is told of a dependency's new version; with a
      parameter `from_version`, of the old one too.

    Attributes:
        context: what to ask of the host: other plugins, progress, the log, a scratch folder.
        config: what `initialize` was given, unless you write your own `initialize`.
    """

    context: Context = context
    config: dict[str, Any]

    _methods: ClassVar[Mapping[str, tuple[str, OperationMark]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._methods = operation_methods(cls)

    def initialize(self, config: dict[str, Any]) -> None:
        """Keep the configuration in `self.config`."""
        self.config = dict(config)

    def metadata(self) -> ResourceMetadata:
        """What the source's own `PLUGIN_METADATA` says, else just the class's name."""
        declared = _declared_metadata(type(self))
        tags = [tag for tag in declared.get("tags", ()) if not tag.startswith(PRIORITY_TAG)]
        return ResourceMetadata(
            id=declared.get("id", type(self).__name__),
            name=declared.get("name", ""),
            version=declared.get("version", "0.0.0"),
            capabilities=declared.get("capabilities", tags),
        )

    def health_check(self) -> HealthStatus:
        """Healthy; write your own where something can be wrong."""
        return HealthStatus.HEALTHY

    def cleanup(self) -> None:
        """Nothing to let go of; write your own where there is."""

    def execute(self, operation: str, params: dict[str, Any] | None = None) -> Any:
        """Run an operation with params as its hints want them.

        Returns:
            The result as plain values: a dataclass as a dict, an Enum as its value, a tuple as a
            list. A generator, a coroutine or an async generator comes as it is, for the host to
            drive; what it yields or returns still has to go through `to_plain`.

        Raises:
            PluginError: no such operation, or params that do not fit its hints; the message names
                the element, such as `params.rows[3].name`.
        """
        from nebula_lab.plugin.plain import to_plain

        return to_plain(self._run(operation, {} if params is None else params))

    def _run(self, operation: str, params: dict[str, Any]) -> Any:
        """`execute`, with the result as the operation gave it: a host makes it plain itself."""
        handlers = type(self).__dict__.get("_handlers_of_class") or self._handlers()
        handler = handlers.get(operation)
        if handler is None:
            raise _no_such_operation(type(self), operation)
        return handler.run(self, params)

    @classmethod
    def operations(cls) -> dict[str, OperationSpec]:
        """The operations by name, with their schemas; inherited ones first.

        Raises:
            PluginError: a bound in a hint says nothing about values of the hint's type.
        """
        return {name: handler.spec for name, handler in cls._handlers().items()}

    @classmethod
    def _handlers(cls) -> dict[str, OperationHandler]:
        # Made on first use: reading type hints needs modules that a plugin file should not
        # have to pay for when it is imported. Kept in the class itself, so that a subclass
        # does not find its base's.
        handlers: dict[str, OperationHandler] | None = cls.__dict__.get("_handlers_of_class")
        if handlers is None:
            from nebula_lab.plugin.binding import make_handler

            handlers = {
                name: make_handler(cls, name, attribute, mark)
                for name, (attribute, mark) in cls._methods.items()
            }
            cls._handlers_of_class = handlers  # type: ignore[attr-defined]
        return handlers


def _declared_metadata(plugin_class: type) -> Mapping[str, Any]:
    # By way of a method's globals and not of sys.modules, where a host need not enter plugins.
    for base in plugin_class.__mro__:
        for value in vars(base).values():
            declared = getattr(value, "__globals__", {}).get("PLUGIN_METADATA")
            if isinstance(declared, dict):
                return declared
    return {}


def _no_such_operation(plugin_class: type[Plugin], operation: str) -> PluginError:
    from nebula_lab.plugin.nearest import nearest_names

    known = sorted(plugin_class._methods)
    listed = ", ".join(nearest_names(operation, known) or known[:5]) or "none"
    return PluginError(
        f"{plugin_class.__name__} has no operation {operation!r}",
        hint=f"Nearest operations: {listed}.",
    )
