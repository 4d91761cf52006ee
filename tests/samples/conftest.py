"""Sample plugins in this process: the real classes, with a context that really calls."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from nebula_lab.agent.source import forget_source, import_source, make_resource, module_name
from nebula_lab.plugin import Context, DynamicResource, PluginError, current_context
from nebula_lab.plugin.plain import to_plain

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_plugins"


class House:
    """Sample plugins that live in this process and can call each other."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.progress: list[tuple[float, float | None, str]] = []
        self.log: list[tuple[str, str]] = []
        self._resources: dict[str, DynamicResource] = {}
        self._lives: list[str] = []

    def load(self, plugin_id: str, **config: Any) -> None:
        """Bring a sample up; a second time, as a new life without a state."""
        path = SAMPLES / plugin_id
        path = path if path.is_dir() else path.with_suffix(".py")
        name = module_name(plugin_id, f"_life{len(self._lives)}")
        self._lives.append(name)
        resource = make_resource(import_source(path, name), path, 1)
        resource.context = HouseContext(self, plugin_id, config)  # type: ignore[attr-defined]
        resource.initialize(config)
        self._resources[plugin_id] = resource

    def move(self, plugin_id: str, **config: Any) -> None:
        """What a reload does: the state goes over to a new life."""
        old: Any = self._resources[plugin_id]
        state = to_plain(old.save_state())
        self.load(plugin_id, **config)
        new: Any = self._resources[plugin_id]
        new.restore_state(state)
        old.cleanup()

    def call(self, plugin_id: str, operation: str, **params: Any) -> Any:
        if plugin_id not in self._resources:
            raise PluginError(f"{plugin_id} is not here")
        resource = self._resources[plugin_id]
        token = current_context.set(resource.context)  # type: ignore[attr-defined]
        try:
            return _finished(resource.execute(operation, params))
        finally:
            current_context.reset(token)

    def resource(self, plugin_id: str) -> DynamicResource:
        return self._resources[plugin_id]

    def health(self, plugin_id: str) -> Any:
        return self._resources[plugin_id].health_check()

    def close(self) -> None:
        for resource in self._resources.values():
            resource.cleanup()
        for name in self._lives:
            forget_source(name)


class HouseContext(Context):
    def __init__(self, house: House, plugin_id: str, config: dict[str, Any]) -> None:
        self._house = house
        self._plugin_id = plugin_id
        self._config = config

    @property
    def plugin_id(self) -> str:
        return self._plugin_id

    @property
    def config(self) -> dict[str, Any]:
        return self._config

    @property
    def scratch_dir(self) -> Path:
        return self._house.scratch

    def call(self, plugin_id, operation, params=None, *, timeout=None):
        return self._house.call(plugin_id, operation, **(params or {}))

    def progress(self, done, total=None, text=""):
        self._house.progress.append((done, total, text))

    def log(self, message, level="info"):
        self._house.log.append((level, message))


def _finished(result: Any) -> Any:
    """What a host makes of a result: a coroutine is awaited, a stream is a list here."""
    if hasattr(result, "__aiter__"):
        return asyncio.run(_collected(result))
    if hasattr(result, "__await__"):
        return to_plain(asyncio.run(_awaited(result)))
    if hasattr(result, "__next__"):
        return [to_plain(item) for item in result]
    return result


async def _collected(stream: Any) -> list[Any]:
    return [to_plain(item) async for item in stream]


async def _awaited(result: Any) -> Any:
    return await result


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()
