"""A path is followed as the kernel follows it, and what was met is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nebula_lab.model.real_path import Link, follow


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "to_a",
        "to_a/b",
        "to_a/../c",
        "chain",
        "chain/b",
        "gone/x",
        "to_gone/x",
        "a/./b//",
        "..",
    ],
)
def test_it_leads_where_the_kernel_says(tmp_path, path):
    (tmp_path / "deep" / "a" / "b").mkdir(parents=True)
    (tmp_path / "deep" / "c").mkdir()
    here = tmp_path / "here"
    here.mkdir()
    (here / "a").symlink_to(tmp_path / "deep" / "a")
    (here / "to_a").symlink_to("../deep/a")
    (here / "chain").symlink_to("to_a")
    (here / "to_gone").symlink_to("nowhere")
    assert str(follow(here / path).path) == os.path.realpath(here / path)


def test_links_are_told_in_their_order(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("a")
    found = follow(tmp_path / "one" / "x")
    assert found.links == (Link(tmp_path / "one", "two"), Link(tmp_path / "two", "a"))


def test_a_loop_ends(tmp_path):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert len(follow(tmp_path / "one").links) == 40


def test_a_relative_path_counts_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert follow(Path("a")).path == tmp_path / "a"
