"""Choosing among versions, held against what public suites of resolvers hold to be true."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nebula_lab.errors import NoVersionFitsError

CASES = tomllib.loads((Path(__file__).parent / "cases/public_suites.toml").read_text())


@pytest.mark.parametrize("name", CASES)
def test_a_case_of_a_public_suite_comes_out_as_it_should(shelf, name):
    case = CASES[name]
    plugins = shelf(*case["releases"])
    if "conflict" in case:
        with pytest.raises(NoVersionFitsError) as caught:
            plugins.choose(*case["wanted"])
        assert caught.value.plugin_id == case["conflict"]
    else:
        assert plugins.versions(*case["wanted"]) == case["chosen"]
