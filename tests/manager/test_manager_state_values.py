"""What a plugin without methods for its state finds again after a reload: the same, or nothing."""

from __future__ import annotations

import pytest

CLASSES = """
import array, collections, dataclasses, decimal, enum, fractions, pathlib, types, typing, uuid
import zoneinfo
from datetime import date, datetime, timedelta, timezone, UTC
import numpy as np

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

class Mode(enum.IntFlag):
    READ = 1
    WRITE = 2

Row = collections.namedtuple("Row", "name size")

class Point(typing.NamedTuple):
    x: int
    y: int = 0

    def doubled(self):
        return Point(2 * self.x, 2 * self.y)

@dataclasses.dataclass
class Item:
    name: str
    tags: list = dataclasses.field(default_factory=list)

@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    number: int

class Outer:
    @dataclasses.dataclass
    class Inner:
        owner: object = None

class Box(Plugin):
    def initialize(self, config):
        pass

    @operation
    def run(self, code: str) -> object:
        scope = {**globals(), "self": self}
        exec(code, scope)
        return scope.get("answer")

def plugin_entry():
    return Box()
"""
SAME = {
    "none": "None",
    "text": "'ä€😀'",
    "a_big_integer": "2**100",
    "a_huge_integer": "-(2**40_000)",
    "big_integers": "[2**64, 1, True, None, -(2**64)]",
    "the_largest_integers": "{'a': 2**64 - 1, 'b': -(2**63)}",
    "an_infinity": "float('-inf')",
    "a_complex_number": "1 - 2j",
    "bytes": "b'\\x00\\xff'",
    "much_bytes": "bytes(200_000)",
    "a_bytearray": "bytearray(b'abc')",
    "a_tuple": "(1, (2, [3, ()]))",
    "a_list_of_tuples": "[(1, 'a'), (2, 'b')]",
    "a_set": "{1, 'a', (2, 3)}",
    "a_frozenset": "frozenset({frozenset({1}), None})",
    "a_dict_with_numbers_as_keys": "{1: 'a', 2.5: 'b', (3, 4): {None: True}}",
    "a_dict_with_text_keys": "{'b': 1, 'a': {'x': [1, (2,)]}}",
    "a_deque": "collections.deque([1, 2, 3], maxlen=3)",
    "a_counter": "collections.Counter('banana')",
    "an_ordered_dict": "collections.OrderedDict(b=1, a=2)",
    "a_defaultdict": "collections.defaultdict(list, {1: [2]})",
    "a_namespace": "types.SimpleNamespace(a=1, b=[2])",
    "a_naive_datetime": "datetime(2024, 2, 29, 12, 30, 0, 5)",
    "a_datetime_in_utc": "datetime(2024, 2, 29, tzinfo=UTC)",
    "a_datetime_in_a_zone": "datetime(2024, 10, 27, 2, 30, fold=1, "
    "tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))",
    "a_named_offset": "timezone(timedelta(hours=5, minutes=45), 'NPT')",
    "a_date": "date(2024, 2, 29)",
    "a_duration": "timedelta(days=-1, microseconds=7)",
    "a_decimal": "decimal.Decimal('1.100')",
    "a_fraction": "fractions.Fraction(1, 3)",
    "a_uuid": "uuid.UUID(int=7)",
    "a_path": "pathlib.Path('a/b')",
    "a_range": "range(1, 10, 3)",
    "a_pattern": "re.compile('a+', re.IGNORECASE)",
    "an_array_of_the_standard_library": "array.array('d', [1.0, 2.0])",
    "a_member": "Colour.BLUE",
    "a_member_as_a_key": "{Colour.RED: [Colour.BLUE]}",
    "flags": "Mode.READ | Mode.WRITE",
    "a_named_tuple": "Row('a', (1, 2))",
    "a_named_tuple_of_typing": "Point(1, 2)",
    "a_dataclass": "Item('a', ['x', ('y',)])",
    "a_frozen_dataclass_as_a_key": "{Key(1): {Key(2)}}",
    "a_nested_dataclass": "Outer.Inner(Outer.Inner())",
    "a_scalar_of_numpy": "np.float32(2.5)",
}
ARRAYS = {
    "an_array": "np.arange(6, dtype='>i2').reshape(2, 3)",
    "a_fortran_array": "np.asfortranarray(np.arange(6.0).reshape(2, 3))",
    "a_large_array": "np.arange(100_000.0)",
    "a_structured_array": "np.zeros(3, dtype=[('a', 'i4'), ('b', 'S3')])",
    "dates_of_numpy": "np.array(['2024-02-29'], dtype='M8[D]')",
}
MORE = """
self.twice = self.once = [1]
self.array_twice = self.array_once = np.zeros(3)
self.within = {'a': self.once, 'b': [self.once, self.once]}
self.cycle = []; self.cycle.append({'back': self.cycle})
self.loop = ([],); self.loop[0].append(self.loop)
first = Outer.Inner(); first.owner = Outer.Inner(first); self.pair = first
self.read_only = np.arange(3); self.read_only.flags.writeable = False
self.deep = []
for _ in range(10_000): self.deep = [self.deep]
self.gone = 1
del self.gone
"""
FACTS = {
    "one list in two attributes is still one": "self.once is self.twice",
    "one list in two places is still one": "self.within['b'][0] is self.within['b'][1]"
    " is self.within['a'] is self.once",
    "one array in two attributes is still one": "self.array_once is self.array_twice",
    "a list that contains itself still does": "self.cycle[0]['back'] is self.cycle",
    "a tuple that contains itself still does": "self.loop[0][0] is self.loop",
    "two objects still know each other": "self.pair.owner.owner is self.pair",
    "a list can be changed": "self.once.append(2) or self.twice == [1, 2]",
    "an array can be changed": "self.an_array.flags.writeable",
    "a large array can be changed": "self.a_large_array.flags.writeable",
    "an array that could not be changed still can not": "not self.read_only.flags.writeable",
    "a deque still has its bound": "self.a_deque.maxlen == 3",
    "a defaultdict still makes lists": "self.a_defaultdict['new'] == []",
    "a time that comes twice is still the second": "self.a_datetime_in_a_zone.fold == 1",
    "members are the new code's": "self.a_member is Colour.BLUE",
    "objects are of the new code's classes": "isinstance(self.a_dataclass, Item)",
    "methods are the new code's": "self.a_named_tuple_of_typing.doubled() == (2, 4)",
    "what is nested very deeply is there": "type(self.deep[0][0]) is list",
    "an attribute that was deleted is not there": "not hasattr(self, 'gone')",
}


@pytest.fixture(scope="module", params=["Process", "None"])
def box(request, shared_folder):
    shared_folder.write("box", CLASSES)
    with shared_folder.manager(request.param) as plugins:
        made = "\n".join(f"self.{name} = {code}" for name, code in {**SAME, **ARRAYS}.items())
        plugins["box"].run(code=f"{made}\n{MORE}")
        plugins.reload_plugin("box")
        yield plugins["box"]


@pytest.mark.parametrize("name", SAME)
def test_a_value_is_the_same_after_a_reload(box, name):
    code = f"made = {SAME[name]}; kept = self.{name}"
    same = f"{code}; answer = type(kept) is type(made) and bool(kept == made)"
    assert box.run(code=same) is True


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_the_same_after_a_reload(box, name):
    code = f"made = {ARRAYS[name]}; kept = self.{name}"
    same = f"{code}; answer = kept.dtype == made.dtype and bool((kept == made).all())"
    assert box.run(code=same) is True


@pytest.mark.parametrize("fact", FACTS)
def test_after_a_reload(box, fact):
    assert box.run(code=f"answer = bool({FACTS[fact]})") is True


TABLES = {
    "pandas": "import pandas as pd; made = pd.DataFrame({'a': [1, 2], 'b': ['x', None]})",
    "series": "import pandas as pd; made = pd.Series([1.5, 2.5], name='s', index=['a', 'b'])",
    "polars": "import polars as pl; made = pl.DataFrame({'a': [1, 2]})",
    "arrow": "import pyarrow as pa; made = pa.table({'a': [1, 2]})",
}


@pytest.mark.parametrize("sandbox", ["Process", "None"])
def test_tables_are_the_same_after_a_reload(shared_folder, sandbox):
    shared_folder.write("tables", CLASSES)
    with shared_folder.manager(sandbox) as plugins:
        for name, code in TABLES.items():
            plugins["tables"].run(code=f"{code}; self.{name} = made")
        plugins.reload_plugin("tables")
        for name, code in TABLES.items():
            same = f"kept = self.{name}; answer = type(kept) is type(made) and kept.equals(made)"
            assert plugins["tables"].run(code=f"{code}; {same}") is True
        assert plugins["tables"].run(code="self.pandas.loc[0, 'a'] = 9") is None


def test_more_objects_than_a_result_may_have_are_kept(shared_folder, desk):
    """Each takes three of the million lists that there may be."""
    shared_folder.write("many", CLASSES)
    with shared_folder.manager("Process") as plugins:
        made = "[[] for _ in range(350_000)]"
        plugins["many"].run(code=f"self.many = {made}")
        saved = desk(plugins).save("many")
        plugins["many"].run(code="self.many = None")
        desk(plugins).restore("many", saved)
        assert plugins["many"].run(code=f"answer = self.many == {made}") is True
