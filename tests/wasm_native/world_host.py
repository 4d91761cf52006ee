"""A host that knows nothing but the world `nebula:plugin`, and what its component gave it."""

from __future__ import annotations

import json
from pathlib import Path

from wasmtime import Store, WasiConfig
from wasmtime.component import Component, Linker, Variant

HOST, GUEST = "nebula:plugin/host@0.1.0", "nebula:plugin/guest@0.1.0"
MORE = "nebula:python-host/more@0.2.0"


class WorldHost:
    """Runs one component.

    Args:
        component: exports the world.
        engine: what it is of.
        folder: that it sees under its own name; none without.
    """

    def __init__(self, component: Component, engine, folder: Path | None = None) -> None:
        self.logged: list[tuple[str, str]] = []
        self.printed: list[tuple[str, str]] = []
        self.steps: list[tuple[float, float | None, str]] = []
        self.called: list[tuple[str, str, str]] = []
        self.items: list[object] = []
        self.most_items = 100
        self._store = Store(engine)
        self._store.set_epoch_deadline(2**40)
        wasi = WasiConfig()
        if folder is not None:
            wasi.preopen_dir(str(folder), str(folder))
        self._store.set_wasi(wasi)
        linker = Linker(engine)
        linker.add_wasip2()
        with linker.root() as root:
            for interface, table in {HOST: self._host(), MORE: self._more()}.items():
                with root.add_instance(interface) as at:
                    for name, function in table.items():
                        at.add_func(name, function)
        self._instance = linker.instantiate(self._store, component)

    def _host(self):
        return {
            "log": lambda _, level, text: self.logged.append((level, text)),
            "progress": lambda _, *step: self.steps.append(step),
            "output": lambda _, to, text: self.printed.append((to, text)),
            "call-plugin": self._call,
            "yield-item": self._item,
        }

    def _more(self):
        return {
            "log": lambda _, level, text: self.logged.append((str(level), text)),
            "call": lambda _, plugin, operation, params, timeout: Variant("err", "{}"),
            "sleep": lambda _, seconds: False,
            "leave": lambda _, code: None,
        }

    def _call(self, _, plugin, operation, params):
        self.called.append((plugin, operation, params))
        return Variant("ok", "7")

    def _item(self, _, item):
        self.items.append(json.loads(item))
        return len(self.items) < self.most_items

    def ask(self, name, *arguments, interface=GUEST):
        """Call a function that it exports; of the world's interface, or of the component itself."""
        store, instance = self._store, self._instance
        within = instance.get_export_index(store, interface) if interface else None
        function = instance.get_func(store, instance.get_export_index(store, name, within))
        result = function(store, *arguments)
        function.post_return(store)
        return result

    def close(self) -> None:
        self._store.close()
