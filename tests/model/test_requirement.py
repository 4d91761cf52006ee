"""Version requirements: Cargo's grammar and matching, fact by fact."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from nebula_lab.errors import InvalidRequirementError, InvalidVersionError, PluginError
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version

# requirement | versions that will do | versions that will not
FACTS = """
1.0.0 | 1.0.0 1.1.0 1.0.1 | 0.9.9 0.10.0 0.1.0 2.0.0 1.0.0-pre 1.0.1-pre
1.2.3 | 1.2.3 1.2.4 1.9.0 | 1.2.2 2.0.0 2.0.0-alpha
1 | 1.0.0 1.9.9 | 0.9.9 2.0.0
=1.0.0 | 1.0.0 1.0.0+build | 1.0.1 0.9.9 1.0.0-pre
=0.0.2 | 0.0.2 | 0.0.1 0.0.3 0.0.2-pre
=0.1.0-beta2.a | 0.1.0-beta2.a | 0.1.0 0.1.1-beta2.a 0.1.0-beta2
=0.1.0+meta | 0.1.0 0.1.0+meta 0.1.0+any | 0.1.1
=1 | 1.0.0 1.5.2 1.99.99 | 0.9.9 2.0.0 1.0.0-pre
=1.2 | 1.2.0 1.2.9 | 1.1.9 1.3.0 1.2.0-pre
>= 1.0.0 | 1.0.0 2.0.0 | 0.1.0 0.0.1 1.0.0-pre 2.0.0-pre
>=1 | 1.0.0 7.0.0 | 0.9.9 1.0.0-pre
>=1.2 | 1.2.0 1.3.0 2.0.0 | 1.1.9 1.2.0-pre
>= 2.1.0-alpha2 | 2.1.0-alpha2 2.1.0-alpha3 2.1.0 3.0.0 | 2.0.0 2.1.0-alpha1 3.0.0-alpha2
>1 | 2.0.0 2.1.0 | 1.0.0 1.0.1 1.9.9 0.1.0
>1.2 | 1.3.0 2.0.0 | 1.2.0 1.2.9 1.1.0
>1.2.3 | 1.2.4 1.3.0 | 1.2.3 1.2.2 1.2.4-pre
>1.2.3-beta | 1.2.3-beta.1 1.2.3-rc 1.2.3 | 1.2.3-beta 1.2.3-alpha 1.2.4-rc
< 1.0.0 | 0.1.0 0.0.1 | 1.0.0 1.0.0-beta 1.0.1 0.9.9-alpha
<1 | 0.9.9 | 1.0.0 1.0.0-pre
<1.2 | 1.1.9 0.0.0 | 1.2.0 1.2.0-pre
<= 2.1.0-alpha2 | 2.1.0-alpha2 2.1.0-alpha1 2.0.0 | 2.1.0 2.2.0-alpha1 2.0.0-alpha2
<=1.2 | 1.2.0 1.2.9 0.1.0 | 1.3.0
<=1 | 1.0.0 1.9.9 | 2.0.0
<=1.2.3 | 1.2.3 1.2.2 | 1.2.4 1.2.3-pre
>1.0.0-alpha, <1.0.0 | 1.0.0-beta | 1.0.0 1.0.0-alpha 0.9.0
>1.0.0-alpha, <1.0 | | 1.0.0-beta 1.0.0
>1.0.0-alpha, <1 | | 1.0.0-beta
> 0.0.9, <= 2.5.3 | 0.0.10 1.0.0 2.5.3 | 0.0.8 2.5.4
0.3.0, 0.4.0 | | 0.0.8 0.3.0 0.4.0
<= 0.2.0, >= 0.5.0 | | 0.0.8 0.3.0 0.5.1
0.1.0, 0.1.4, 0.1.6 | 0.1.6 0.1.9 | 0.1.0 0.1.4 0.2.0
>=0.5.1-alpha3, <0.6 | 0.5.1-alpha3 0.5.1-beta 0.5.1 0.5.5 | 0.5.1-alpha1 0.5.5-pre 0.6.0
>=0.5.1-alpha3, <0.6 | 0.5.1-alpha4 | 0.5.2-alpha3 0.5.0-pre 0.6.0-pre
~1 | 1.0.0 1.0.1 1.1.1 | 0.9.1 2.9.0 1.0.0-pre
~1.2 | 1.2.0 1.2.1 | 1.1.1 1.3.0 1.2.1-pre
~1.2.2 | 1.2.2 1.2.4 | 1.2.1 1.9.0 2.0.1 0.1.3
~0.0.2 | 0.0.2 0.0.9 | 0.0.1 0.1.0
~1.2.3-beta.2 | 1.2.3 1.2.4 1.2.3-beta.2 1.2.3-beta.4 | 1.3.3 1.1.4 1.2.3-beta.1 1.2.4-beta.2
^1 | 1.1.2 1.1.0 1.0.1 | 0.9.1 2.9.0 1.0.0-beta1 1.0.1-pre
^1.1 | 1.1.2 1.1.0 1.2.1 | 0.9.1 2.9.0 1.0.1
^1.1.2 | 1.1.2 1.1.4 1.2.1 | 1.1.1 2.9.0 1.1.2-alpha1 1.1.3-alpha1
^0.1.2 | 0.1.2 0.1.4 | 0.9.1 1.1.1 0.0.1 0.2.0 0.1.2-beta 0.2.0-pre
^0.5.1-alpha3 | 0.5.1-alpha3 0.5.1-beta 0.5.1 0.5.5 | 0.5.1-alpha1 0.5.2-alpha3 0.6.0
^0.0.2 | 0.0.2 | 0.0.1 0.0.3 0.1.4 1.1.1
^0.0.2-rc | 0.0.2-rc 0.0.2-rc.1 0.0.2 | 0.0.2-beta 0.0.3
^0.0 | 0.0.0 0.0.2 | 0.1.4 1.1.1
^0.1 | 0.1.0 0.1.9 | 0.2.0 0.0.9
^0 | 0.9.1 0.0.2 0.0.0 | 1.1.1 2.9.0
^1.4.2-beta.5 | 1.4.2 1.4.3 1.4.2-beta.5 1.4.2-beta.6 1.4.2-c | 2.0.0 1.4.2-alpha 1.4.2-beta.4
^1.2, >=1.2.0-alpha | 1.2.0-beta 1.2.0 1.9.0 | 1.1.0 1.3.0-beta 2.0.0
* | 0.9.1 2.9.0 0.0.9 1.0.1 1.0.0+build | 1.0.0-pre
x | 0.0.0 9.9.9 | 1.0.0-pre
X | 0.0.0 | 0.0.0-pre
1.* | 1.2.0 1.3.0 | 0.0.9 2.0.0 1.2.0-pre
1.x | 1.0.0 | 2.0.0
1.*.* | 1.0.0 1.9.9 | 2.0.0
1.2.* | 1.2.0 1.2.4 | 1.9.0 1.0.9 1.2.2-pre
1.2.X | 1.2.2 | 1.3.0
>=1.* | 1.0.0 2.0.0 | 0.9.0
>1.* | 2.0.0 | 1.9.0
~1.2.* | 1.2.7 | 1.3.0
0.*.* | 0.5.0 | 1.0.0
=2.1.1-really.0 | 2.1.1-really.0 | 2.1.1
>=1.0.0-1, <1.0.0-2 | 1.0.0-1 1.0.0-1.0 1.0.0-1.a | 1.0.0-2 1.0.0 1.0.0-0
>1.0.0-9, <1.0.0 | 1.0.0-10 1.0.0-a | 1.0.0-8
>1.0.0-alpha.9, <1.0.0 | 1.0.0-alpha.10 1.0.0-alpha.a | 1.0.0-alpha.8 1.0.0-alpha
=1.2.3-1a-1a+1a-1a-1a | 1.2.3-1a-1a | 1.2.3-1a
"""


def _facts():
    for line in FACTS.strip().splitlines():
        requirement, good, bad = line.split("|")
        for version in good.split():
            yield requirement.strip(), version, True
        for version in bad.split():
            yield requirement.strip(), version, False


def test_there_are_at_least_150_facts():
    assert len(set(_facts())) >= 150


@pytest.mark.parametrize(("requirement", "version", "expected"), list(_facts()))
def test_a_requirement_matches_as_in_cargo(requirement, version, expected):
    assert VersionReq.parse(requirement).matches(version) is expected
    assert VersionReq.parse(requirement).matches(Version.parse(version)) is expected


ERRORS = [
    ("", 0),
    ("   ", 0),
    ("1.0,", 3),
    ("> 0.3.0, ,", 9),
    (",1.0", 0),
    ("=1.2.3 || =2.3.4", 7),
    ("6.* || 8.*", 4),
    ("1.2.3 - 2.3.4", 6),
    ("> 0.0.9 <= 2.5.3", 8),
    ("1.0 2.0", 4),
    (">= >= 0.0.2", 3),
    (">== 0.0.2", 2),
    ("==1.0", 1),
    ("~>1.0", 1),
    ("!=1.0", 0),
    ("=>1.0", 1),
    ("> = 1.0", 2),
    (">=", 2),
    ("^", 1),
    ("a.0.0", 0),
    ("v1.0", 0),
    ("\0", 0),
    ("1.", 2),
    ("1.2.", 4),
    ("1..2", 2),
    ("1.a", 2),
    ("1.2.3.4", 5),
    ("1. 2", 2),
    ("1 .2", 2),
    ("01.2.3", 0),
    ("1.02", 2),
    ("1.2.003", 4),
    ("18446744073709551616", 0),
    ("1." + "9" * 5000, 2),
    ("1.0.0-", 6),
    ("1.0.0-a..b", 8),
    ("1.0.0-a.", 8),
    ("1.0.0-01", 6),
    ("1.0.0-a.00", 8),
    ("1.0.0-é", 6),
    ("1.0.0+", 6),
    ("1.0.0+4.", 8),
    ("1.0.0+4ÿ", 7),
    ("1.2-pre", 3),
    ("1.*-pre", 3),
    ("*.1", 1),
    ("1.*.1", 4),
    ("1.*.", 4),
    (">=1.*.1", 6),
    ("*, 0.20.0-any", 0),
    ("0.20.0-any, *", 12),
    ("0.20.0-any, *, 1.0", 12),
    ("* 1", 2),
    (">*", 1),
    ("1\t", 1),
    ("\t1", 0),
    ("1.٣", 2),
    (", ".join(f">{n}" for n in range(33)), len(", ".join(f">{n}" for n in range(32))) + 2),
]


@pytest.mark.parametrize(("text", "position"), ERRORS)
def test_an_error_points_at_the_offending_character(text, position):
    with pytest.raises(InvalidRequirementError) as caught:
        VersionReq.parse(text)
    assert (caught.value.text, caught.value.position) == (text, position)


HINTS = [
    ("1 || 2", "write a range"),
    ("1.0 - 2.0", ">=1.0, <2.0"),
    ("1.2-pre", "all three numbers"),
    ("1.2.3.4", "three numbers"),
    ("==1", "single '='"),
    ("~>1", "'~' or '^'"),
    ("~=1", "'~' or '^'"),
    ("!=1", "write a range"),
    ("v1", "no leading 'v'"),
    (">1 <2", "a comma joins"),
]


@pytest.mark.parametrize(("text", "hint"), HINTS)
def test_a_habit_from_another_tool_gets_a_hint(text, hint):
    with pytest.raises(InvalidRequirementError, match=re.escape(hint)):
        VersionReq.parse(text)


def test_the_error_shows_the_text_with_a_pointer_below():
    with pytest.raises(InvalidRequirementError) as caught:
        VersionReq.parse(">=1.0 <2.0")
    assert str(caught.value).splitlines()[1:] == ["  >=1.0 <2.0", "        ^"]


def test_a_bad_requirement_is_a_value_error_and_a_plugin_error():
    assert issubclass(InvalidRequirementError, ValueError)
    assert issubclass(InvalidRequirementError, PluginError)


def test_32_comparators_are_allowed():
    text = ", ".join(f">{n}" for n in range(32))
    assert len(VersionReq.parse(text).comparators) == 32


def test_the_largest_number_is_that_of_64_bits():
    assert VersionReq.parse("18446744073709551615").matches("18446744073709551615.0.0")


def test_str_gives_the_text():
    assert str(VersionReq.parse(">= 1.0,<2.0")) == ">= 1.0,<2.0"


def test_spaces_around_the_text_do_not_count():
    assert VersionReq.parse("  ^1.2 ") == VersionReq.parse("^1.2")


def test_equal_texts_make_equal_requirements_with_equal_hashes():
    assert len({VersionReq.parse("^1"), VersionReq.parse("^1"), VersionReq.parse("^2")}) == 2


def test_a_requirement_is_not_equal_to_its_text():
    assert VersionReq.parse("^1") != "^1"


def test_a_requirement_can_not_be_changed():
    requirement = VersionReq.parse("^1")
    with pytest.raises(AttributeError, match="can't be changed"):
        requirement.comparators = ()
    with pytest.raises(AttributeError, match="can't be changed"):
        del requirement.comparators


def test_a_requirement_survives_pickle_and_copy():
    requirement = VersionReq.parse(">=1.0, <2.0")
    assert pickle.loads(pickle.dumps(requirement)) == requirement
    assert copy.deepcopy(requirement).matches("1.5.0")


def test_a_bad_version_is_an_error_of_the_version():
    with pytest.raises(InvalidVersionError):
        VersionReq.parse("^1").matches("1.0")


def test_a_hostile_pre_release_number_is_compared_without_being_counted_out():
    huge = "9" * 200
    assert VersionReq.parse(f">1.0.0-{huge[:-1]}").matches(f"1.0.0-{huge}")


class _Model(BaseModel):
    requirement: VersionReq


def test_a_model_takes_text_and_writes_text():
    model = _Model.model_validate({"requirement": ">=1.0, <2.0"})
    assert model.requirement.matches("1.4.0")
    assert model.model_dump_json() == '{"requirement":">=1.0, <2.0"}'
    assert _Model(requirement=model.requirement).requirement is model.requirement


@pytest.mark.parametrize(("value", "part"), [("1 || 2", "alternatives"), (1.0, "not float")])
def test_a_model_says_what_is_wrong_with_a_requirement(value, part):
    with pytest.raises(ValidationError, match=part):
        _Model.model_validate({"requirement": value})


def test_the_json_schema_of_a_requirement_is_a_string():
    schema = _Model.model_json_schema()
    assert schema["properties"]["requirement"]["type"] == "string"


EXPANSIONS = [
    ("^1.2.3", ">=1.2.3, <2.0.0"),
    ("1.2", ">=1.2.0, <2.0.0"),
    ("^0.1.2", ">=0.1.2, <0.2.0"),
    ("^0.0.2", ">=0.0.2, <0.0.3"),
    ("^0.0", ">=0.0.0, <0.1.0"),
    ("^0", ">=0.0.0, <1.0.0"),
    ("~1.2.3", ">=1.2.3, <1.3.0"),
    ("~1", ">=1.0.0, <2.0.0"),
    ("1.*", ">=1.0.0, <2.0.0"),
    ("~1.2.3-rc, <1.2.9", ">=1.2.3-rc, <1.3.0, <1.2.9"),
    (">1", ">1"),
    ("*", "*"),
]


@pytest.mark.parametrize(("text", "expanded"), EXPANSIONS)
def test_a_requirement_can_be_written_out(text, expanded):
    assert VersionReq.parse(text).expanded() == expanded


# Small numbers and few tags, so that versions meet the edges of ranges.
_NUMBER = st.integers(0, 3)
_TAG = st.sampled_from(["", "", "-alpha", "-alpha.1", "-1", "-beta", "-beta.10", "-beta.9"])
_BUILD = st.sampled_from(["", "+b", "+1.2"])
_VERSION = st.builds("{}.{}.{}{}".format, _NUMBER, _NUMBER, _NUMBER, _TAG)
_FULL = st.builds("{}{}".format, _VERSION, _BUILD)
_PARTIAL = st.one_of(
    st.builds("{}".format, _NUMBER),
    st.builds("{}.{}".format, _NUMBER, _NUMBER),
    st.builds("{}.{}".format, _NUMBER, st.sampled_from("*xX")),
    st.builds("{}.{}.*".format, _NUMBER, _NUMBER),
    _FULL,
)
_OPERATOR = st.sampled_from(["", "=", ">", ">=", "<", "<=", "~", "^"])
_SPACE = st.sampled_from(["", " ", "  "])
_COMPARATOR = st.builds("{}{}{}".format, _OPERATOR, _SPACE, _PARTIAL)
_REQUIREMENT = st.one_of(
    st.sampled_from(["*", "x", "X"]),
    st.builds(
        lambda parts, space: f"{space},{space}".join(parts),
        st.lists(_COMPARATOR, min_size=1, max_size=3),
        _SPACE,
    ),
)


@settings(derandomize=True)
@given(_REQUIREMENT)
def test_a_requirement_is_the_one_that_its_text_says(text):
    requirement = VersionReq.parse(text)
    assert VersionReq.parse(str(requirement)) == requirement


@settings(derandomize=True, max_examples=400)
@given(_REQUIREMENT, _VERSION, _BUILD)
def test_build_metadata_is_ignored(text, version, build):
    requirement = VersionReq.parse(text)
    assert requirement.matches(version + build) == requirement.matches(version)


@settings(derandomize=True, max_examples=400)
@given(st.builds("{}{}".format, st.sampled_from(["", "^", "~"]), _PARTIAL), _VERSION)
def test_the_expansion_of_caret_and_tilde_matches_the_same_versions(text, version):
    requirement = VersionReq.parse(text)
    assert VersionReq.parse(requirement.expanded()).matches(version) == requirement.matches(version)


@settings(derandomize=True, max_examples=400)
@given(st.lists(_COMPARATOR, min_size=1, max_size=3), _NUMBER, _NUMBER, _NUMBER)
def test_a_release_must_suit_every_comparator(parts, major, minor, patch):
    version = f"{major}.{minor}.{patch}"
    each = all(VersionReq.parse(part).matches(version) for part in parts)
    assert VersionReq.parse(", ".join(parts)).matches(version) == each


@settings(derandomize=True, max_examples=600)
@given(_REQUIREMENT, _VERSION)
def test_matching_agrees_with_the_definition_of_each_operator(text, version):
    assert VersionReq.parse(text).matches(version) == _by_definition(text, Version.parse(version))


def _by_definition(text, version):
    """The rules of Cargo's documentation, word by word and without any ranges."""
    if text in "*xX":
        return not version.prerelease
    comparators = [_split(part.strip()) for part in text.split(",")]
    if version.prerelease and not any(
        tag and numbers == [version.major, version.minor, version.patch]
        for _, numbers, tag in comparators
    ):
        return False
    return all(_suits(operator, numbers, tag, version) for operator, numbers, tag in comparators)


def _split(comparator):
    bare = comparator.lstrip("=<>~^")
    operator = comparator[: len(comparator) - len(bare)]
    core, _, tag = bare.strip().partition("+")[0].partition("-")
    parts = core.split(".")
    numbers = [int(part) for part in parts if part not in "*xX"]
    if not operator:
        operator = "^" if len(numbers) == len(parts) else "="
    return operator, numbers, tag


def _suits(operator, numbers, tag, version):
    given_part = [version.major, version.minor, version.patch][: len(numbers)]
    wanted = numbers
    if len(numbers) == 3:
        full = Version(*numbers, prerelease=tag or None)
        order = version.compare(full)
    else:
        order = (given_part > wanted) - (given_part < wanted)
    # With a part left open, a version that starts like it is equal, unless it is a pre-release.
    equal = order == 0 and (len(numbers) == 3 or not version.prerelease)
    at_least = order > 0 or equal
    if operator in ("=", ">", ">=", "<", "<="):
        return {
            "=": equal,
            ">": order > 0,
            ">=": at_least,
            "<": order < 0,
            "<=": order < 0 or equal,
        }[operator]
    if operator == "~":
        return at_least and given_part[:2] == wanted[:2]
    # A caret lets everything change to the right of the first number that is not zero.
    nonzero = [place for place, number in enumerate(wanted) if number]
    fixed = nonzero[0] + 1 if nonzero else len(wanted)
    open_ended = len(numbers) < 3 and order == 0
    return (at_least or open_ended) and given_part[:fixed] == wanted[:fixed]
