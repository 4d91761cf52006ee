"""Versions: semver's grammar and order, with errors that say what was meant."""

from __future__ import annotations

from itertools import pairwise

import pytest
from pydantic import TypeAdapter, ValidationError

from nebula_lab.errors import InvalidVersionError
from nebula_lab.model import Version

# From lowest to highest, as in item 11 of the specification.
IN_ORDER = [
    "0.0.1",
    "0.1.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0",
]
# Text, and the version that the hint offers.
MISTAKES = [
    ("1.0", "1.0.0"),
    ("1", "1.0.0"),
    ("v1.2.3", "1.2.3"),
    ("V1.2", "1.2.0"),
    ("01.2.3", "1.2.3"),
    (" 1.2.3", "1.2.3"),
    ("=1.2.3", "1.2.3"),
    ("1.2.3.4", "1.2.3"),
    ("1.0-beta", "1.0.0-beta"),
]
NO_VERSIONS = [
    "",
    "abc",
    "1.2.x",
    "1.2.3-",
    "1.2.3-01",
    "1.2.3+",
    "1..3",
    "-1.0.0",
    "1.0.0\n",
    "١.0.0",
]


@pytest.mark.parametrize("text", [*IN_ORDER, "1.0.0+build.5", "1.0.0-1", "1.0.0--", "1.0.0-a+b"])
def test_str_gives_the_text(text):
    assert str(Version.parse(text)) == text


def test_versions_are_ordered_by_precedence():
    versions = [Version.parse(text) for text in IN_ORDER]
    assert all(low < high for low, high in pairwise(versions))


def test_build_metadata_does_not_count_in_comparison():
    assert Version.parse("1.0.0+a") == Version.parse("1.0.0+b")
    assert len({Version.parse("1.0.0+a"), Version.parse("1.0.0+b")}) == 1


def test_a_version_compares_with_text():
    assert Version.parse("1.2.0") > "1.1.9"


@pytest.mark.parametrize(("text", "meant"), MISTAKES)
def test_the_hint_offers_the_version_that_was_meant(text, meant):
    with pytest.raises(InvalidVersionError) as caught:
        Version.parse(text)
    assert f"Write {meant}." in str(caught.value)


@pytest.mark.parametrize("text", NO_VERSIONS)
def test_text_that_is_no_version_is_refused(text):
    with pytest.raises(InvalidVersionError):
        Version.parse(text)


def test_a_bad_version_is_a_value_error():
    with pytest.raises(ValueError, match="not a semantic version"):
        Version.parse("one")


def test_a_number_instead_of_text_is_told_to_use_quotes():
    with pytest.raises(InvalidVersionError, match="in quotes"):
        Version.parse(1.0)


@pytest.mark.parametrize("text", ["1.0.0-" + "a" * 300, "1.0." + "9" * 5000, f"{2**64}.0.0"])
def test_an_oversized_version_is_refused(text):
    with pytest.raises(InvalidVersionError):
        Version.parse(text)


def test_the_largest_number_is_that_of_cargo():
    assert Version.parse(f"{2**64 - 1}.0.0").major == 2**64 - 1


def test_a_version_can_not_be_changed():
    version = Version.parse("1.0.0")
    with pytest.raises(AttributeError):
        version.major = 2
    with pytest.raises(AttributeError):
        version.note = "x"


def test_a_version_is_text_in_json():
    adapter = TypeAdapter(Version)
    assert adapter.dump_json(Version.parse("1.0.0-rc.1")) == b'"1.0.0-rc.1"'
    assert adapter.validate_json('"1.0.0-rc.1"') == Version.parse("1.0.0-rc.1")


def test_a_bad_version_in_a_model_keeps_its_hint():
    with pytest.raises(ValidationError, match=r"Write 1\.0\.0\."):
        TypeAdapter(Version).validate_python("1.0")
