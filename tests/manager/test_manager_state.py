"""How a plugin's state gets to its successor, by each way there is."""

from __future__ import annotations

import pytest

from nebula_lab.errors import PluginError

BASE = """
@operation
def run(self, code: str) -> object:
    scope = {**globals(), "self": self}
    exec(code, scope)
    return scope.get("answer")
"""
EMPTY = "def initialize(self, config): pass\n" + BASE
SANDBOXES = pytest.mark.parametrize("sandbox", ["Process", "None"])


def answer(plugins, code, plugin_id="box"):
    return plugins[plugin_id].run(code=f"answer = {code}")


# Ways


def test_methods_are_asked_where_there_are_both(folder, desk):
    both = (
        "def save_state(self): return {'a': 1}\ndef restore_state(self, state): self.got = state\n"
    )
    folder.plugin("box", EMPTY + both)
    with folder.manager("None") as plugins:
        saved = desk(plugins).save("box")
        assert (saved.how, saved.state, saved.version) == ("method", {"a": 1}, "1.0.0")
        assert (desk(plugins).restore("box", saved), answer(plugins, "self.got")) == ({}, {"a": 1})


@pytest.mark.parametrize("sandbox", ["Process", "None"])
@pytest.mark.parametrize("more", ["", "@operation\nasync def later(self): ...\n"])
def test_the_methods_may_be_async(folder, desk, sandbox, more):
    both = (
        "async def save_state(self):\n    await asyncio.sleep(0)\n    return (1, 2)\n"
        "async def restore_state(self, state):\n    await asyncio.sleep(0)\n    self.got = state\n"
    )
    folder.plugin("box", EMPTY + both + more)
    with folder.manager(sandbox) as plugins:
        saved = desk(plugins).save("box")
        assert saved.state == [1, 2]
        desk(plugins).restore("box", saved)
        assert answer(plugins, "self.got") == [1, 2]


SEED = """
class Box:
    kept = None
    def initialize(self, config): pass
    def metadata(self): ...
    def execute(self, operation, params):
        if operation == "save_state": return {"kept": [1, 2]}
        if operation == "restore_state": self.kept = params["kept"]; return None
        if operation == "kept": return self.kept
        raise ValueError(f"unknown operation {operation}")
    def health_check(self): return HealthStatus.HEALTHY
    def cleanup(self): pass
def plugin_entry(): return Box()
"""


def test_the_operations_of_a_seed_resource_are_asked(folder, desk):
    folder.write("box", SEED)
    with folder.manager("None") as plugins:
        saved = desk(plugins).save("box")
        assert (saved.how, saved.state, saved.left_out) == ("operation", {"kept": [1, 2]}, {})
        desk(plugins).restore("box", saved)
        assert plugins.execute("box", "kept", {}) == [1, 2]


def test_a_seed_resource_without_such_operations_keeps_nothing_and_says_so(folder, desk):
    folder.write("box", SEED.replace('"save_state"', '"other"'))
    with folder.manager("None") as plugins:
        saved = desk(plugins).save("box")
        assert (saved.how, saved.is_empty) == ("none", True)
        assert "unknown operation save_state" in saved.left_out["save_state"]


def test_a_plugin_that_has_no_host_has_no_state(folder, desk):
    folder.plugin("box", EMPTY)
    with folder.manager("None") as plugins:
        plugins.load_plugin("box")
        record = plugins._engine.catalogue.record("box")
        plugins.suspend_plugin("box")
        assert desk(plugins)._keeper.save(record) is None


def test_only_save_state_is_told_to_be_half(folder, desk):
    folder.plugin("box", EMPTY + "def save_state(self): return 1\n")
    with folder.manager("None") as plugins:
        saved = desk(plugins).save("box")
        assert (saved.how, saved.state) == ("method", 1)
        assert "write both, or neither" in saved.left_out["restore_state"]


def test_only_restore_state_is_told_to_be_half(folder, desk):
    folder.plugin("box", EMPTY + "def restore_state(self, state): ...\n")
    with folder.manager("None") as plugins:
        saved = desk(plugins).save("box")
        assert saved.how == "none"
        assert "write both, or neither" in saved.left_out["save_state"]


def test_a_state_of_methods_is_dropped_by_new_code_without_them_which_says_so(folder, desk):
    folder.plugin("box", EMPTY + "def save_state(self): return 1\n")
    with folder.manager("None") as plugins:
        saved = desk(plugins).save("box")
        assert "1.0.0 saved" in desk(plugins).restore("box", saved)["restore_state"]


def test_a_save_state_that_raises_fails_the_saving(folder, desk):
    folder.plugin("box", EMPTY + "def save_state(self): raise LookupError('no')\n")
    with folder.manager("None") as plugins, pytest.raises(PluginError, match="LookupError"):
        desk(plugins).save("box")


def test_a_save_state_that_gives_what_is_not_carried_names_it(folder, desk):
    folder.plugin("box", EMPTY + "def save_state(self): return {'a': [object()]}\n")
    with folder.manager("None") as plugins, pytest.raises(PluginError, match=r"state\.a\[0\]"):
        desk(plugins).save("box")


def test_of_replicas_one_state_is_kept_which_is_said(folder, desk):
    folder.plugin("box", EMPTY, runtime={"replicas": 2})
    with folder.manager("None") as plugins:
        assert "one of 2 processes" in desk(plugins).save("box").left_out["(other replicas)"]


# Migration

TAKES = {
    "by its name": "def restore_state(self, state, from_version): self.got = from_version",
    "by its name alone": "def restore_state(self, state, *, from_version=None): "
    "self.got = from_version",
    "among others": "def restore_state(self, state, **more): self.got = more['from_version']",
    "by another name": "def restore_state(self, state, version): self.got = version",
    "asynchronously": "async def restore_state(self, state, from_version): self.got = from_version",
}
TAKES_NOT = {
    "one parameter": "def restore_state(self, state): self.got = None",
    "a default of its own": "def restore_state(self, state, strict=None): self.got = strict",
}


@pytest.mark.parametrize("how", TAKES)
def test_restore_state_is_told_the_old_version_where_it_takes_it(folder, how):
    folder.plugin("box", EMPTY + "def save_state(self): return 1\n")
    with folder.manager("None") as plugins:
        plugins.load_plugin("box")
        folder.plugin("box", f"{EMPTY}{TAKES[how]}\n", version="1.1.0")
        plugins.reload_plugin("box")
        assert answer(plugins, "self.got") == "1.0.0"


@pytest.mark.parametrize("how", TAKES_NOT)
def test_restore_state_is_not_told_where_it_does_not_take_it(folder, how):
    folder.plugin("box", EMPTY + "def save_state(self): return 1\n")
    with folder.manager("None") as plugins:
        plugins.load_plugin("box")
        folder.plugin("box", f"{EMPTY}{TAKES_NOT[how]}\n", version="1.1.0")
        plugins.reload_plugin("box")
        assert answer(plugins, "self.got") is None


def test_attributes_are_given_to_a_restore_state_that_takes_the_old_version(folder):
    folder.plugin("box", EMPTY)
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self.items = (1, 2)")
        migrate = "def restore_state(self, state, from_version): self.old = (state, from_version)"
        folder.plugin("box", f"{EMPTY}{migrate}\n", version="2.0.0")
        plugins.reload_plugin("box")
        assert answer(plugins, "self.old == ({'items': (1, 2)}, '1.0.0')") is True


def test_attributes_are_set_on_new_code_with_methods_that_know_of_no_versions(folder):
    folder.plugin("box", EMPTY)
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self.items = (1, 2)")
        both = "def save_state(self): return 1\ndef restore_state(self, state): assert state == 1\n"
        folder.plugin("box", EMPTY + both)
        plugins.reload_plugin("box")
        assert answer(plugins, "self.items") == [1, 2]


# Attributes


@SANDBOXES
def test_a_carried_value_wins_over_what_initialize_sets(folder, sandbox):
    folder.plugin("box", "def initialize(self, config): self.count = 0\n" + BASE)
    with folder.manager(sandbox) as plugins:
        plugins["box"].run(code="self.count = 5")
        plugins.reload_plugin("box")
        assert answer(plugins, "self.count") == 5


def test_what_is_private_begins_anew(folder):
    folder.plugin("box", "def initialize(self, config): self._count = 0\n" + BASE)
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self._count = 5")
        plugins.reload_plugin("box")
        assert answer(plugins, "self._count") == 0


def test_the_configuration_is_not_carried(folder):
    folder.plugin("box", BASE)
    with folder.manager("None", global_config={"box": {"a": 1}}) as plugins:
        plugins["box"].run(code="self.config['a'] = 2")
        plugins.reload_plugin("box")
        assert answer(plugins, "self.config") == {"a": 1}


def test_attributes_in_slots_are_carried(folder, desk):
    slots = "__slots__ = ('there', 'empty')\n"
    folder.plugin("box", slots + EMPTY)
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self.there = {1}")
        plugins.reload_plugin("box")
        assert answer(plugins, "(self.there == {1}, hasattr(self, 'empty'))") == [True, False]


def test_attributes_survive_being_suspended(folder):
    folder.plugin("box", EMPTY)
    with folder.manager("Process") as plugins:
        plugins["box"].run(code="self.kept = {1: (2,)}")
        plugins.suspend_plugin("box")
        assert answer(plugins, "self.kept == {1: (2,)}") is True


OBSTACLES = {
    "an operation": ("@operation\ndef kept(self): ...", "an operation of the new code"),
    "a method": ("def kept(self): ...", "a method of the new code"),
    "a class": ("class kept: ...", "a method of the new code"),
    "a cached property": (
        "import functools\nkept = functools.cached_property(lambda self: 1)",
        "a cached property of the new code",
    ),
    "a property": ("kept = property(lambda self: 1)", "does not take it: AttributeError"),
    "a property that refuses": (
        "def refuse(self, value): raise ValueError('odd')\nkept = property(lambda self: 1, refuse)",
        "does not take it: ValueError: odd",
    ),
    "a hint": ("kept: str", "an int, where the new code's hint is str"),
    "a hint of a union": ("kept: str | None = None", "where the new code's hint is str | None"),
    "a hint of a list": ("kept: list[int]", "where the new code's hint is list[int]"),
}


@pytest.mark.parametrize("what", OBSTACLES)
def test_an_attribute_that_the_new_code_has_no_place_for_is_named(folder, desk, what):
    folder.plugin("box", EMPTY)
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self.kept = 7; self.other = 8")
        saved = desk(plugins).save("box")
        folder.plugin("box", f"{EMPTY}{OBSTACLES[what][0]}\n")
        plugins.reload_plugin("box")
        left_out = desk(plugins).restore("box", saved)
        assert list(left_out) == ["kept"]
        assert OBSTACLES[what][1] in left_out["kept"]
        assert answer(plugins, "self.other") == 8


HINTS = ["int", "float", "object", "int | str", "typing.Any", "typing.Optional[int]", "nowhere"]


@pytest.mark.parametrize("hint", [*HINTS, "typing.Literal[7]", "typing.ClassVar[int]"])
def test_an_attribute_that_the_new_hint_allows_is_carried(folder, hint):
    folder.plugin("box", EMPTY)
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self.kept = 7")
        folder.plugin("box", f"import typing\n{EMPTY}kept: {hint!r}\n")
        plugins.reload_plugin("box")
        assert answer(plugins, "self.kept") == 7


# Classes that change

ITEMS = """
import dataclasses, enum, collections
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
@dataclasses.dataclass
class Item:
    name: str
    size: int = 0
Row = collections.namedtuple("Row", "a b")
class Box(Plugin):
    def initialize(self, config): pass
    @operation
    def run(self, code: str) -> object:
        scope = {**globals(), "self": self}
        exec(code, scope)
        return scope.get("answer")
def plugin_entry(): return Box()
"""
MAKE = "self.items = [Item('a', 1)]; self.colour = Colour.BLUE; self.row = Row(1, 2)"
CHANGES = {
    "a field with a default is new": (
        (
            "size: int = 0",
            "size: int = 0\n    more: list = dataclasses.field(default_factory=list)",
        ),
        {},
        "self.items == [Item('a', 1, [])]",
    ),
    "a field without default is new": (
        ("size: int = 0", "size: int\n    more: int"),
        {"items": "the new code's Item has a new field more without default"},
        "not hasattr(self, 'items')",
    ),
    "a field is gone": (
        ("    size: int = 0\n", ""),
        {"items": "kept in part: the new code's Item has no field size"},
        "self.items == [Item('a')]",
    ),
    "a dataclass is none any more": (
        ("@dataclasses.dataclass\n", ""),
        {"items": "the new code's Item is no dataclass"},
        "not hasattr(self, 'items')",
    ),
    "a class is renamed": (
        ("class Item", "class Article"),
        {"items": "its class Item is not in the new code"},
        "not hasattr(self, 'items')",
    ),
    "a member has another value": (
        ("BLUE = 2", "BLUE = 3"),
        {},
        "self.colour is Colour.BLUE and self.colour.value == 3",
    ),
    "a member is gone": (
        ("BLUE = 2", "GREEN = 2"),
        {"colour": "the new code's Colour has no BLUE"},
        "not hasattr(self, 'colour')",
    ),
    "a named tuple has the same fields in another order": (
        ('"a b"', '"b a"'),
        {},
        "self.row == Row(b=2, a=1)",
    ),
    "a named tuple has other fields": (
        ('"a b"', '"a c"'),
        {"row": "the new code's Row has other fields"},
        "not hasattr(self, 'row')",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_when(folder, desk, what):
    change, left_out, holds = CHANGES[what]
    folder.write("box", ITEMS)
    with folder.manager("None") as plugins:
        plugins["box"].run(code=MAKE)
        saved = desk(plugins).save("box")
        folder.write("box", ITEMS.replace(*change))
        plugins.unload_plugin("box")
        plugins.reload_plugin("box")
        found = desk(plugins).restore("box", saved)
        assert found.keys() == left_out.keys()
        assert all(reason in found[name] for name, reason in left_out.items())
        assert answer(plugins, holds) is True


@SANDBOXES
def test_classes_of_a_module_beside_the_plugin_are_found_again(folder, sandbox):
    (folder.path / "shapes.py").write_text(
        "import dataclasses\n@dataclasses.dataclass\nclass Disc:\n    radius: float\n"
    )
    folder.plugin("box", f"import shapes\nShapes = shapes\n{EMPTY}")
    with folder.manager(sandbox) as plugins:
        plugins["box"].run(code="self.disc = self.Shapes.Disc(2.0)")
        plugins.reload_plugin("box")
        assert answer(plugins, "self.disc == self.Shapes.Disc(2.0)") is True


@SANDBOXES
def test_classes_of_a_package_are_found_again(folder, sandbox):
    package = folder.write("box", "").with_suffix("")
    package.with_suffix(".py").unlink()
    package.mkdir()
    (package / "shapes.py").write_text("import enum\nSide = enum.Enum('Side', 'LEFT RIGHT')\n")
    folder.plugin("box", f"from .shapes import Side\nSide = Side\n{EMPTY}")
    (folder.path / "box.py").replace(package / "__init__.py")
    with folder.manager(sandbox) as plugins:
        plugins["box"].run(code="self.side = self.Side.LEFT")
        plugins.reload_plugin("box")
        assert answer(plugins, "self.side is self.Side.LEFT") is True


# Restoring again


def test_a_later_state_takes_the_place_of_an_earlier_one(folder, desk):
    folder.plugin("box", "def initialize(self, config): self.first = 'set'\n" + BASE)
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self.first = 1; self.gone = 1; self.socket = 1")
        rehearsed = desk(plugins).save("box")
        plugins["box"].run(code="self.first = 2; del self.gone; self.socket = socket.socket()")
        final = desk(plugins).save("box")
        plugins["box"].run(code="self.socket.close()")
        plugins.unload_plugin("box")
        desk(plugins).restore("box", rehearsed)
        desk(plugins).restore("box", final)
        shown = "sorted((k, v) for k, v in vars(self).items() if k != 'context')"
        assert answer(plugins, shown) == [["first", 2]]


def test_what_the_rehearsal_changed_is_replaced(folder, desk):
    folder.plugin("box", EMPTY)
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self.items = [1]")
        saved = desk(plugins).save("box")
        plugins["box"].run(code="self.items.append(2)")
        desk(plugins).restore("box", saved)
        plugins["box"].run(code="self.items.append(3)")
        desk(plugins).restore("box", saved)
        assert answer(plugins, "self.items") == [1]


@SANDBOXES
def test_arrays_that_methods_keep_may_be_written_to(folder, sandbox):
    both = (
        "def initialize(self, config):\n    import numpy\n    self.kept = numpy.zeros(100_000)\n"
        "def save_state(self): return {'kept': [self.kept]}\n"
        "def restore_state(self, state): self.kept = state['kept'][0]\n"
    )
    folder.plugin("box", both + BASE)
    with folder.manager(sandbox) as plugins:
        plugins["box"].run(code="self.kept[0] = 1")
        plugins.reload_plugin("box")
        assert answer(plugins, "(self.kept.__setitem__(1, 2), float(self.kept[:3].sum()))")[1] == 3


def test_a_final_state_lets_go_of_what_it_replaced(folder, desk):
    made = "    self.items = type('Large', (list,), {})()\n    import weakref\n"
    watched = "    type(self).watched = weakref.ref(self.items)\n"
    folder.plugin("box", f"def initialize(self, config):\n{made}{watched}{BASE}")
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self.items = [1]")
        plugins.reload_plugin("box")
        assert answer(plugins, "(self.items, self.watched() is None)") == [[1], True]


def test_many_objects_are_refused_before_their_message_is_too_large(folder, desk):
    folder.write("box", ITEMS.replace("name: str", f"{'name' * 250}: int"))
    with folder.manager("None") as plugins:
        plugins["box"].run(code="self.items = [Item(n) for n in range(60_000)]")
        assert "too large" in desk(plugins).save("box").left_out["items"]
