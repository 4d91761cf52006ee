"""A plugin that runs what it is given, in a host that is held to limits."""

from __future__ import annotations

import pytest

from nebula_lab import PluginManager
from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.sandbox import probing

RUN = """
import hashlib, os, signal, subprocess, sys, threading, time
from pathlib import Path
from typing import Any


def work(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        hashlib.pbkdf2_hmac("sha256", b"x", b"y", 1000)


class It(Plugin):
    @operation
    def run(self, code: str) -> Any:
        scope = {**globals(), "self": self}
        exec(code, scope)
        return scope.get("found")


def plugin_entry():
    return It()
"""
RIGHTS = ["ProcessSpawn", "Network", "SystemCalls", "MemoryAllocation", "FileSystem"]


@pytest.fixture
def limited(plugin_file):
    """Makes a manager with these limits; its plugin `it` has the rights that are given."""
    managers = []

    def make(asked=(), *, paths=(), grace=2.0, **limits):
        asks = {"capabilities": list(asked), "allowed_paths": list(paths)}
        path = plugin_file("it", RUN, security=asks)
        security = {"capabilities": RIGHTS, "resource_limits": limits}
        manager = PluginManager({"plugin_dir": path.parent, "grace": grace, "security": security})
        managers.append(manager)
        return manager

    yield make
    for manager in managers:
        manager.close()


@pytest.fixture
def poorer(monkeypatch):
    """Has managers find a machine that lacks something; what is there is used for real."""

    def make(*missing):
        found = probing._probe()
        lacking = {name: Mechanism(False, "", "get it") for name in missing}
        all_of_it = {name: getattr(found, name) for name in found.__struct_fields__}
        monkeypatch.setattr(probing, "_probe", lambda: Machine(**(all_of_it | lacking)))

    return make
