"""`nebula-lab list`, `check` and `graph`."""

from __future__ import annotations

import json

import pytest

from nebula_lab.cli.failing import ExitCode


def test_list_shows_each_plugin_with_its_state(call, tool):
    done = call("list", "--plugin-dir", tool)
    row = next(line for line in done.out.splitlines() if line.startswith("tool"))
    assert (row.split()[:4], done.code) == (["tool", "tool", "1.0.0", "Discovered"], 0)


def test_list_shows_why_a_plugin_is_left_out(call, broken):
    rows = call("list", "--plugin-dir", broken).out.splitlines()
    assert [row.split()[0] for row in rows if "left out: depends on itself" in row] == [
        "chicken",
        "egg",
    ]


def test_list_points_to_check_where_there_are_problems(call, broken):
    assert "nebula-lab check" in call("list", "--plugin-dir", broken).err


def test_list_as_json_has_an_object_for_each_plugin(call, broken):
    plugins = json.loads(call("list", "--plugin-dir", broken, "--json").out)
    assert {plugin["id"]: plugin["left_out"] for plugin in plugins}["lonely"].startswith("needs")
    assert [plugin["id"] for plugin in plugins if plugin["left_out"] is None] == ["well"]


def test_list_runs_nothing_even_where_the_configuration_loads_at_the_start(call, tool, tmp_path):
    document = tmp_path / "plugin_resource.yaml"
    document.write_text(f"plugin_dir: {tool}\nloading: Eager\n")
    plugins = json.loads(call("list", "--config", document, "--json").out)
    assert [plugin["state"] for plugin in plugins] == ["Discovered"]


def test_list_with_load_shows_which_plugins_come_up(call, tool, plugin_file):
    plugin_file("faulty", "def plugin_entry(): raise RuntimeError('no')")
    done = call("list", "--plugin-dir", tool, "--load", "--json")
    states = {plugin["id"]: plugin["state"] for plugin in json.loads(done.out)}
    assert states == {"tool": "Loaded", "faulty": "Failed"}
    assert done.code == ExitCode.PLUGIN_FAILED


def test_check_ends_with_0_where_nothing_is_wrong(call, plugin_file):
    done = call("check", plugin_file("modest", "def plugin_entry(): ...", security={}).parent)
    assert (done.code, done.out) == (0, "1 plugin checked.\nNo problems.\n")


def test_check_notes_wide_rights_and_where_they_are_asked_for(call, plugin_file):
    rights = {"capabilities": ["FileSystem"]}
    path = plugin_file("wide", "def plugin_entry(): ...", security=rights)
    done = call("check", path.parent)
    assert "· wide: may read and write all files that you may" in done.out
    assert f"in {path}:2" in done.out
    assert done.code == 0


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ({"allowed_paths": ["/srv"]}, {}),
        ({}, {"allowed_paths": ["/srv"]}),
        ({}, {"sandbox": "None"}),
    ],
)
def test_files_that_are_named_or_need_no_right_are_not_wide(
    call, plugin_file, tmp_path, asked, allowed
):
    rights = {"capabilities": ["FileSystem"], **asked}
    folder = plugin_file("narrow", "def plugin_entry(): ...", security=rights).parent
    document = tmp_path / "config.json"
    document.write_text(json.dumps({"plugin_dir": str(folder), "security": allowed}))
    assert "No problems." in call("check", "--config", document).out


def test_check_notes_rights_that_are_asked_for_in_vain(call, plugin_file):
    rights = {"capabilities": ["SystemCalls"]}
    folder = plugin_file("vain", "def plugin_entry(): ...", security=rights).parent
    (note,) = json.loads(call("check", folder, "--json").out)["problems"]
    assert (note["kind"], note["severity"], note["line"]) == ("refused-right", "note", 2)
    assert "security.capabilities" in note["cure"]


def test_list_shows_what_each_plugin_is_granted(call, plugin_file):
    rights = {"capabilities": ["Network", "FileSystem"], "allowed_paths": ["/srv"]}
    plugin_file("some", "def plugin_entry(): ...", security=rights)
    folder = plugin_file("none", "def plugin_entry(): ...", security={}).parent
    rows = call("list", "--plugin-dir", folder).out.splitlines()
    assert "  Process, net+files  " in next(row for row in rows if row.startswith("some"))
    assert "  Process   " in next(row for row in rows if row.startswith("none"))


def test_check_ends_with_3_where_something_is_wrong(call, broken):
    assert call("check", broken).code == ExitCode.PROBLEMS_FOUND


def test_check_prints_a_cycle_as_a_path_with_a_line_for_each_edge(call, broken):
    out = call("check", broken).out
    assert "chicken → egg → chicken" in out
    assert f"egg needs chicken ({broken}/egg.py:2)" in out


def test_check_prints_both_sides_of_a_conflict(call, broken):
    assert "old: needs well ^2.0, but version 1.0.0 is here" in call("check", broken).out


def test_check_prints_what_is_missing(call, broken):
    assert "lonely: needs nobody *, which is missing" in call("check", broken).out


def test_check_finds_a_source_that_does_not_compile_behind_a_manifest(call, tmp_path):
    (tmp_path / "late.toml").write_text('id = "late"\nversion = "1.0.0"\n')
    (tmp_path / "late.py").write_text("def plugin_entry(): ...\nreturn 1\n")
    done = call("check", tmp_path)
    assert f"in {tmp_path}/late.py:2" in done.out
    assert done.code == ExitCode.PROBLEMS_FOUND


def test_check_finds_a_broken_file_inside_a_package(call, tmp_path):
    package = tmp_path / "pack"
    package.mkdir()
    (package / "plugin.toml").write_text('id = "pack"\nversion = "1.0.0"\n')
    (package / "__init__.py").write_text("def plugin_entry(): ...\n")
    (package / "inner.py").write_text("x = (\n")
    assert f"in {package}/inner.py:1" in call("check", tmp_path).out


def test_check_says_each_broken_source_once(call, tmp_path):
    metadata = 'PLUGIN_METADATA = {"id": "typo", "version": "1.0.0"}\n'
    (tmp_path / "typo.py").write_text(f"{metadata}def plugin_entry(:\n")
    problems = json.loads(call("check", tmp_path, "--json").out)["problems"]
    assert [problem["line"] for problem in problems] == [2]


def test_check_survives_a_source_that_is_nested_too_deeply(call, tmp_path):
    (tmp_path / "deep.toml").write_text('id = "deep"\nversion = "1.0.0"\n')
    (tmp_path / "deep.py").write_text("x = " + "(" * 5000 + ")" * 5000)
    assert call("check", tmp_path).code == ExitCode.PROBLEMS_FOUND


def test_check_runs_nothing(call, tmp_path, plugin_file):
    folder = plugin_file("eager", f"open({str(tmp_path / 'ran')!r}, 'w')").parent
    call("check", folder)
    assert not (tmp_path / "ran").exists()


def test_an_optional_dependency_that_is_missing_is_no_reason_to_fail(call, plugin_file):
    wish = {"plugin_id": "nobody", "optional": True}
    folder = plugin_file("modest", "def plugin_entry(): ...", dependencies=[wish]).parent
    done = call("check", folder)
    assert "modest: goes without the optional nobody" in done.out
    assert done.code == 0


def test_check_as_json_gives_the_path_of_a_cycle(call, broken):
    document = json.loads(call("check", broken, "--json").out)
    cycle = next(one for one in document["problems"] if one["kind"] == "cycle")
    assert cycle["chain"] == ["chicken", "egg", "chicken"]
    assert [one["line"] for one in cycle["declarations"]] == [2, 2]
    assert document["plugins"] == 5


def test_graph_prints_mermaid_with_cycles_marked(call, broken):
    out = call("graph", "--plugin-dir", broken).out
    assert out.startswith("flowchart TD\n")
    assert 'n0 ==>|"#62;=1.0, cycle"| n1' in out


def test_graph_as_text_is_a_tree(call, broken):
    out = call("graph", "--plugin-dir", broken, "--format", "text").out
    assert "└─ egg 1.0.0 [left out]  needs >=1.0, cycle" in out


def test_graph_as_dot_marks_cycles(call, broken):
    out = call("graph", "--plugin-dir", broken, "--format", "dot").out
    assert '"chicken" -> "egg" [label=">=1.0, cycle", color=red, penwidth=3];' in out


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_graph_as_json_has_nodes_edges_and_cycles(call, broken, option):
    document = json.loads(call("graph", "--plugin-dir", broken, *option).out)
    states = {node["id"]: node["state"] for node in document["nodes"]}
    kinds = {(e["dependent"], e["dependency"]): e["kind"] for e in document["edges"]}
    assert (states["well"], states["nobody"]) == ("Discovered", "missing")
    assert (kinds["chicken", "egg"], kinds["old", "well"]) == ("cycle", "unsuitable")
    assert document["cycles"] == [["chicken", "egg", "chicken"]]


def test_a_graph_too_large_for_mermaid_is_refused_with_another_form(call, plugin_file):
    needed = [f"p{number}" for number in range(501)]
    folder = plugin_file("needy", "def plugin_entry(): ...", dependencies=needed).parent
    done = call("graph", "--plugin-dir", folder)
    assert (done.code, "--format dot" in done.err) == (ExitCode.USAGE, True)
