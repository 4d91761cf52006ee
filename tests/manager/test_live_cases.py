"""What an edit of a plugin's code changes, and what becomes of its state: before and after.

Each case is a source in which `PART` is edited. It is filled, reloaded, and says how it is then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

HEAD = """\
import dataclasses, enum, functools, typing
from nebula_lab.plugin import Plugin, operation
"""
FOOT = """
def plugin_entry(): return It()
"""


@dataclass(frozen=True)
class Case:
    """An edit.

    Attributes:
        text: the source, but for its head and foot.
        old, new: what `PART` is before and after.
        was, now: what `show` gives before and after, `fill` having been called once, before both.
        left_out: the names in the report on what of the state did not come along.
    """

    text: str
    old: str
    new: str
    was: Any
    now: Any
    left_out: tuple[str, ...] = ()


POINT = """
@dataclasses.dataclass
class Point:
    x: int = 1
    PART
class It(Plugin):
    def initialize(self, config): self.point = Point()
    @operation
    def fill(self): self.point.x = 5
    @operation
    def show(self): return [dataclasses.asdict(self.point), isinstance(self.point, Point)]
"""
POINT_BY_METHODS = (
    POINT
    + """
    def save_state(self): return {"point": self.point}
    def restore_state(self, state):
        known = {field.name for field in dataclasses.fields(Point)}
        self.point = Point(**{k: v for k, v in state["point"].items() if k in known})
"""
)
COLOUR = """
class Colour(enum.Enum):
    PART
class It(Plugin):
    def initialize(self, config): self.colour = Colour.BLUE
    @operation
    def fill(self): self.colour = Colour.RED
    @operation
    def show(self):
        return [self.colour.name, self.colour.value, self.colour in list(Colour), len(Colour)]
"""
PLAIN = """
PART
class It(Plugin):
    def initialize(self, config): self.n = 0
    @operation
    def fill(self): self.n = 1
    @operation
    def show(self): return value(self.n)
"""
NESTED = """
def make(step):
    total = step * 10
    def inner(n): return PART
    return inner
class It(Plugin):
    def initialize(self, config): self._add, self.n = make(2), 0
    @operation
    def fill(self): self.n = 1
    @operation
    def show(self): return self._add(self.n)
"""
RENAMED = """
@dataclasses.dataclass
class PART:
    x: int = 1
Chosen = PART
class It(Plugin):
    def initialize(self, config): self.thing, self.n = Chosen(), 0
    @operation
    def fill(self): self.thing.x, self.n = 5, 1
    @operation
    def show(self): return [type(self.thing).__name__, self.thing.x, self.n]
"""
BASE = """
class First:
    def name(self): return "first"
class Second:
    def name(self): return "second"
class It(PART, Plugin):
    def initialize(self, config): self.n = 0
    @operation
    def fill(self): self.n = 1
    @operation
    def show(self): return [self.name(), isinstance(self, Second), self.n]
"""
DECORATED = """
def louder(function):
    @functools.wraps(function)
    def wrapper(self): return function(self) + PART
    return wrapper
class It(Plugin):
    def initialize(self, config): self.text = ""
    @operation
    def fill(self): self.text = "hello"
    @operation
    @louder
    def show(self): return self.text
"""
DEFAULT = """
class It(Plugin):
    def initialize(self, config): self.n = 0
    @operation
    def fill(self): self.n = 1
    @operation
    def show(self, by: int = PART): return self.n + by
"""
CACHED = """
@functools.lru_cache
def value(n): return n + PART
class It(Plugin):
    def initialize(self, config): self.n = 1
    @operation
    def fill(self): value(self.n)
    @operation
    def show(self): return value(self.n)
"""
NAMED = """
class Pair(typing.NamedTuple):
    a: int
    PART
class It(Plugin):
    def initialize(self, config): self.pair = Pair(1)
    @operation
    def fill(self): self.pair = Pair(5)
    @operation
    def show(self): return [self.pair._asdict(), isinstance(self.pair, Pair)]
"""
DEEP = """
@dataclasses.dataclass
class Item:
    n: int
    PART
class It(Plugin):
    def initialize(self, config): self.items = {}
    @operation
    def fill(self):
        one = Item(1)
        self.items = {"a": [one, one], 2: (one,)}
    @operation
    def show(self):
        first, second = self.items["a"]
        return [first is second is self.items[2][0], isinstance(first, Item), first.label]
"""
PLACE = """
class It(Plugin):
    def initialize(self, config): self.n = 0
    @operation
    def fill(self): self.count, self.n = 7, 1
    PART
    @operation
    def show(self): return [self.count, self.n]
"""
MODULE = """
calls = 0
PART
class It(Plugin):
    @operation
    def fill(self):
        global calls
        calls += 1
    @operation
    def show(self): return [calls, "gone" in globals()]
"""

FIELD, GREEN = "y: int = 7", "RED = 1; BLUE = 2; GREEN = 3"
CASES = {
    "a field of a dataclass added": Case(
        POINT, "", FIELD, [{"x": 5}, True], [{"x": 5, "y": 7}, True]
    ),
    "a field of a dataclass removed": Case(
        POINT, FIELD, "", [{"x": 5, "y": 7}, True], [{"x": 5}, True], ("point",)
    ),
    "a default of a dataclass changed": Case(
        POINT, FIELD, "y: int = 8", [{"x": 5, "y": 7}, True], [{"x": 5, "y": 7}, True]
    ),
    "the same by methods: added": Case(
        POINT_BY_METHODS, "", FIELD, [{"x": 5}, True], [{"x": 5, "y": 7}, True]
    ),
    "the same by methods: removed": Case(
        POINT_BY_METHODS, FIELD, "", [{"x": 5, "y": 7}, True], [{"x": 5}, True]
    ),
    "a member of an Enum added": Case(
        COLOUR, "RED = 1; BLUE = 2", GREEN, ["RED", 1, True, 2], ["RED", 1, True, 3]
    ),
    "the value of an Enum's member changed": Case(
        COLOUR, GREEN, GREEN.replace("1", "10"), ["RED", 1, True, 3], ["RED", 10, True, 3]
    ),
    "the member of an Enum removed that was the state": Case(
        COLOUR,
        GREEN,
        "BLUE = 2; GREEN = 3",
        ["RED", 1, True, 3],
        ["BLUE", 2, True, 2],
        ("colour",),
    ),
    "a nested function changed": Case(NESTED, "n + total", "n - total", 21, -19, ("_add",)),
    "a class renamed": Case(RENAMED, "Old", "New", ["Old", 5, 1], ["New", 1, 1], ("thing",)),
    "a base class changed": Case(BASE, "First", "Second", ["first", False, 1], ["second", True, 1]),
    "a decorator changed": Case(DECORATED, "'?'", "'!'", "hello?", "hello!"),
    "a constant of the module changed": Case(
        PLAIN.replace("PART", "STEP = PART\ndef value(n): return n + STEP"), "1", "10", 2, 11
    ),
    "a default of an operation changed": Case(DEFAULT, "1", "10", 2, 11),
    "a function changed that caches": Case(CACHED, "1", "10", 2, 11),
    "a lambda changed": Case(PLAIN, "value = lambda n: n + 1", "value = lambda n: -n", 2, -1),
    "a field of a named tuple added": Case(
        NAMED, "", "b: int = 7", [{"a": 5}, True], [{"a": 5, "b": 7}, True]
    ),
    "a class changed whose objects are in several places": Case(
        DEEP, "label = 'old'", "label = 'new'", [True, True, "old"], [True, True, "new"]
    ),
    "a property in the place of an attribute": Case(
        PLACE,
        "count = 0",
        "count = property(lambda self: self.n + 100)",
        [7, 1],
        [101, 1],
        ("count",),
    ),
    "a name of the module removed": Case(MODULE, "gone = 1", "", [1, True], [0, False]),
}


class Workshop:
    """Writes plugins for one manager, each under a name of its own."""

    def __init__(self, folder, plugins) -> None:
        self.folder = folder
        self.plugins = plugins
        self._count = 0

    def new(self, text: str) -> str:
        self._count += 1
        plugin_id = f"case{self._count}"
        self.write(plugin_id, text)
        self.plugins.rediscover()
        return plugin_id

    def write(self, plugin_id: str, text: str) -> None:
        self.folder.write(plugin_id, HEAD + text + FOOT)


@pytest.fixture(scope="module", params=["Process", "None"])
def workshop(request, shared_folder):
    with shared_folder.manager(request.param, hot_reload=False) as plugins:
        yield Workshop(shared_folder, plugins)


@pytest.mark.parametrize("what", CASES)
def test_after(workshop, what):
    case, plugins = CASES[what], workshop.plugins
    plugin_id = workshop.new(case.text.replace("PART", case.old))
    plugins.execute(plugin_id, "fill")
    assert plugins.execute(plugin_id, "show") == case.was
    workshop.write(plugin_id, case.text.replace("PART", case.new))
    plugins.reload_plugin(plugin_id)
    assert plugins.execute(plugin_id, "show") == case.now
    assert tuple(plugins.last_reload(plugin_id).left_out) == case.left_out
