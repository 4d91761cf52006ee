"""Plugins of installed distributions, on a search path of real folders."""

from __future__ import annotations

import json
import sys

import pytest

from nebula_lab.discovery import EntryPointsDiscoverer

GROUP = "nebula_lab.plugins"
RUNS = "raise SystemExit('this module was imported')\n"


def metadata(plugin_id, version="1.0.0"):
    return f"PLUGIN_METADATA = {{'id': {plugin_id!r}, 'version': {version!r}}}\n" + RUNS


class Site:
    """A folder that distributions are installed in."""

    def __init__(self, path):
        self.path = path
        path.mkdir(parents=True)

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def install(self, name, entries, files=None, version="1.0", record=True, direct_url=None):
        files = files or {}
        folder = f"{name}-{version}.dist-info"
        described = {
            f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{folder}/entry_points.txt": f"[console_scripts]\nx = y:z\n\n[{GROUP}]\n{entries}\n",
        }
        if direct_url:
            described[f"{folder}/direct_url.json"] = json.dumps(direct_url)
        for file, text in {**files, **described}.items():
            self.write(file, text)
        if record:
            listed = [*files, *described, f"{folder}/RECORD"]
            self.write(f"{folder}/RECORD", "".join(f"{file},,\n" for file in listed))


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path / "site")


def discover(*sites):
    before = set(sys.modules)
    result = EntryPointsDiscoverer(GROUP, [str(site.path) for site in sites]).discover()
    assert not {"one", "pack", "pack.inner"} & (set(sys.modules) - before)
    return result


LAYOUTS = {
    "module": ("one = one", {"one.py": metadata("one")}),
    "package": ("one = pack", {"pack/__init__.py": metadata("one")}),
    "module in a package": (
        "one = pack.inner",
        {"pack/__init__.py": RUNS, "pack/inner.py": metadata("one")},
    ),
    "with the entry's name": ("one = one:plugin_entry", {"one.py": metadata("one")}),
    "with extras": ("one = one:plugin_entry [fast]", {"one.py": metadata("one")}),
    "with a manifest": (
        "one = pack",
        {"pack/__init__.py": RUNS, "pack/plugin.toml": 'id = "one"\nversion = "1.0.0"\n'},
    ),
}


@pytest.mark.parametrize("record", [True, False], ids=["with RECORD", "without RECORD"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_entry_point_is_read_without_importing_anything(site, layout, record):
    entries, files = LAYOUTS[layout]
    site.install("dist", entries, files, record=record)
    result = discover(site)
    assert [d.id for d in result.descriptors] == ["one"]
    assert result.problems == ()


BAD_ENTRIES = {
    "no module": "bad = nowhere.at.all",
    "not a reference": "bad = 1 + 1",
    "no equals sign": "bad",
    "no value": "bad =",
    "no metadata": "bad = plain",
    "not Python": "bad = broken",
    "a path": "bad = ../../etc/passwd",
}


@pytest.mark.parametrize("case", BAD_ENTRIES)
def test_a_bad_entry_point_leaves_the_others_alone(site, case):
    files = {"one.py": metadata("one"), "plain.py": "x = 1\n", "broken.py": "PLUGIN_METADATA = (\n"}
    site.install("dist", f"{BAD_ENTRIES[case]}\none = one", files)
    result = discover(site)
    assert [d.id for d in result.descriptors] == ["one"]
    (problem,) = result.problems
    assert problem.location is not None
    assert problem.cure


def test_a_bad_entry_point_is_shown_with_its_line(site):
    site.install("dist", "bad = nowhere")
    (problem,) = discover(site).problems
    lines = problem.location.path.read_text().splitlines()
    assert lines[problem.location.line - 1] == "bad = nowhere"
    assert "dist" in problem.message


def test_another_name_than_plugin_entry_is_noted(site):
    site.install("dist", "one = one:Counter", {"one.py": metadata("one")})
    result = discover(site)
    assert [d.id for d in result.descriptors] == ["one"]
    assert [p.severity for p in result.problems] == ["note"]


def test_entry_points_of_other_groups_are_left_alone(site):
    site.write("other-1.0.dist-info/METADATA", "Name: other\nVersion: 1.0\n")
    site.write("other-1.0.dist-info/entry_points.txt", "[other]\none = one\n")
    site.write("one.py", metadata("one"))
    assert discover(site).descriptors == ()


def test_of_two_copies_the_first_on_the_path_wins_and_the_other_is_noted(site, tmp_path):
    later = Site(tmp_path / "later")
    site.install("my-dist", "one = one", {"one.py": metadata("one", "2.0.0")})
    later.install("my_dist", "one = one", {"one.py": metadata("one", "1.0.0")}, version="0.9")
    result = discover(site, later)
    assert [str(d.version) for d in result.descriptors] == ["2.0.0"]
    (problem,) = result.problems
    assert problem.severity == "note"
    assert str(site.path) in problem.message


def test_two_distributions_with_one_plugin_id_are_a_problem(site):
    site.install("first", "one = one", {"one.py": metadata("one")})
    site.install("second", "one = two", {"two.py": metadata("one")})
    (problem,) = discover(site).problems
    assert (problem.kind, problem.severity) == ("duplicate", "error")


def test_an_editable_installation_is_followed_through_its_pth_file(site, tmp_path):
    project = Site(tmp_path / "project" / "src")
    project.write("pack/__init__.py", metadata("one"))
    site.install("dist", "one = pack", {"_dist.pth": f"import os\n{project.path}\n"})
    (found,) = discover(site).descriptors
    assert found.path == project.path / "pack"


@pytest.mark.parametrize("source", ["", "src"])
def test_an_editable_installation_is_followed_through_its_origin(site, tmp_path, source):
    project = Site(tmp_path / "my project" / source)
    project.write("one.py", metadata("one"))
    url = (tmp_path / "my project").as_uri()
    site.install("dist", "one = one", direct_url={"url": url, "dir_info": {"editable": True}})
    (found,) = discover(site).descriptors
    assert found.path == project.path / "one.py"


def test_a_distribution_with_damaged_metadata_is_still_named(site):
    site.install("dist", "bad = nowhere")
    site.write("dist-1.0.dist-info/METADATA", "")
    (problem,) = discover(site).problems
    assert "dist" in problem.message


def test_entry_points_that_are_no_text_are_a_problem(site):
    site.install("good", "one = one", {"one.py": metadata("one")})
    site.install("dist", "")
    (site.path / "dist-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe")
    result = discover(site)
    assert [d.id for d in result.descriptors] == ["one"]
    assert len(result.problems) == 1
