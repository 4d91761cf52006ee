"""What is not carried over is named with the reason."""

from __future__ import annotations

import msgspec
import pytest

CLASSES = """
import asyncio, collections, concurrent.futures, dataclasses, enum, functools, io, logging
import queue, sqlite3, tempfile, types, weakref
import numpy as np
import pandas as pd

class Thing:
    def method(self): ...

class MyDict(dict): ...

@dataclasses.dataclass
class Item:
    name: object = None

@dataclasses.dataclass
class Trouble(Exception):
    name: str = "x"

def local_item():
    @dataclasses.dataclass
    class Local:
        pass
    return Local()

class Box(Plugin):
    shared = []
    limit = 3
    NAMES = {"a": 1}

    def initialize(self, config):
        self.config = config

    @functools.cached_property
    def costly(self):
        return 7

    @operation
    def add(self): ...

    @operation
    def run(self, code: str) -> object:
        scope = {**globals(), "self": self}
        exec(code, scope)
        return scope.get("answer")

def plugin_entry():
    return Box()
"""
REASONS = {
    "socket": ("socket.socket()", "a socket, which can't be copied"),
    "nested_socket": (
        "[1, {'open': (socket.socket(),)}]",
        "a socket, which can't be copied, in nested_socket[1]['open'][0]",
    ),
    "deep": ("[[[[[[[[len]]]]]]]]", "a function, in deep[0][0][0][0][0][0]…"),
    "in_a_field": ("Item(threading.Lock())", "a lock, in in_a_field.name"),
    "as_a_key": ("{Thing(): 1}", "an instance of Thing, in as_a_key[key a Thing]"),
    "file": ("open('/dev/null')", "an open file"),
    "temporary": ("tempfile.TemporaryFile()", "an open file"),
    "in_memory": ("io.BytesIO(b'a')", "a file in memory"),
    "lock": ("threading.Lock()", "a lock"),
    "reentrant": ("threading.RLock()", "a lock"),
    "event": ("threading.Event()", "an event of threads"),
    "thread": ("threading.Thread()", "a thread"),
    "queue": ("queue.Queue()", "a queue between threads"),
    "pool": ("concurrent.futures.ThreadPoolExecutor()", "a pool of workers"),
    "connection": ("sqlite3.connect(':memory:')", "a database connection"),
    "generator": ("(one for one in ())", "a generator"),
    "iterator": ("iter([1])", "an iterator"),
    "function": ("lambda: 0", "a function"),
    "partial": ("functools.partial(len)", "a function with arguments"),
    "method": ("Thing().method", "a method"),
    "module": ("json", "a module"),
    "kind": ("Thing", "a class"),
    "logger": ("logging.getLogger('a')", "a logger"),
    "weak": ("weakref.ref(Thing)", "a weak reference"),
    "view": ("memoryview(b'a')", "a view of another object's memory"),
    "object": ("object()", "an object"),
    "thing": ("Thing()", "an instance of Thing"),
    "of_a_library": ("np.random.default_rng()", "numpy.random._generator.Generator"),
    "dict_of_its_own": ("MyDict()", "an instance of MyDict"),
    "exception": ("Trouble()", "an instance of Trouble"),
    "local": ("local_item()", "a class inside a function"),
    "more_than_fields": ("vars(made := Item()).update(more=1) or made", "no fields: more"),
    "factory": ("collections.defaultdict(lambda: 0)", "makes its values by a function"),
    "surrogate": ("['\\ud800']", "text with half a pair of surrogates"),
    "objects": ("np.array([object()])", "an array of the element type object"),
    "masked": ("np.ma.array([1])", "an instance of numpy.ma.MaskedArray"),
    "part": ("self.whole[:2]", "an array in the memory of another one, in whole"),
    "frame_of_tuples": ("pd.DataFrame({'a': [(1, 2)]})", "Arrow does not hold as it is"),
    "too_large": ("'x' * 60_000_000", "too large: 60 MB"),
    "_hidden": ("1", "private"),
    "config": ("{'changed': True}", "the new code is given its configuration anew"),
    "costly": ("self.costly", "a cached property, which is computed anew"),
    "add": ("7", "it stands in place of an operation"),
    "shared": ("self.shared.append(1)", "it is the class's own"),
    "limit": ("setattr(type(self), 'limit', 4)", "it is the class's own"),
}
ON_THE_CLASS = {"shared", "limit"}


@pytest.fixture(scope="module")
def manager(shared_folder):
    shared_folder.write("box", CLASSES)
    with shared_folder.manager("Process") as plugins:
        yield plugins


@pytest.fixture(scope="module")
def saved(manager, desk):
    lines = ["self.whole = np.zeros(5)", "self.good = [1]"]
    for name, (code, _) in REASONS.items():
        lines.append(code if name in ON_THE_CLASS else f"self.{name} = {code}")
    manager["box"].run(code="\n".join(lines))
    return desk(manager).save("box")


@pytest.mark.parametrize("name", REASONS)
def test_what_is_left_out_has_its_reason(saved, name):
    assert REASONS[name][1] in saved.left_out[name]


def test_nothing_else_is_left_out(saved):
    assert saved.left_out.keys() == REASONS.keys()


def test_what_is_good_is_kept_beside_it(saved):
    kept, _ = msgspec.msgpack.decode(saved.state["nodes"])
    assert (saved.how, sorted(kept)) == ("attributes", ["good", "whole"])
