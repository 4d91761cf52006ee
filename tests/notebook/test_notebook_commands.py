"""`%plugin` and its subcommands."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from nebula_lab.current import current_manager
from nebula_lab.errors import DependentsLoadedError, NotFoundError, OperationNotFoundError
from nebula_lab.notebook.commands import COMMANDS


def state(plugin_id):
    infos = {info.id: info for info in current_manager().list_plugins()}
    return infos[plugin_id].state.value


def test_alone_it_shows_the_table_of_plugins(notebook):
    cell = notebook.run("%plugin")
    assert cell.shown.splitlines()[0] == "2 plugins"
    assert "<table>" in cell.bundles[0]["text/html"]


def test_a_view_in_the_middle_of_a_cell_is_shown_too(notebook):
    assert "2 plugins" in notebook.run("%plugin list\nx = 1").shown


def test_call_is_the_value_of_the_magic(notebook):
    assert notebook.run("result = %plugin call counter add n=3\nresult * 2").value == 6


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("text=hello", {"text": "hello", "rows": []}),
        ("text=5", {"text": "5", "rows": []}),
        ('text="two words"', {"text": "two words", "rows": []}),
        ("text='it''s' rows=[1,2]", {"text": "its", "rows": [1, 2]}),
        ('{"text": "a b", "rows": [{"x": 1}]}', {"text": "a b", "rows": [{"x": 1}]}),
        ('text=x rows=[1, "a b", null]', {"text": "x", "rows": [1, "a b", None]}),
        ("text=$word rows=$table", {"text": "from python", "rows": [[1, 2]]}),
        ("$everything", {"text": "all", "rows": []}),
        ("$everything text=later", {"text": "later", "rows": []}),
        ('text="{word}"', {"text": "{word}", "rows": []}),
        ("text=a=b", {"text": "a=b", "rows": []}),
        ("--timeout 5 text=x", {"text": "x", "rows": []}),
        ("text=x --timeout 5s rows=[]", {"text": "x", "rows": []}),
        ("text=x --timeout=5", {"text": "x", "rows": []}),
    ],
)
def test_params_are_words_json_or_variables(notebook, words, value):
    notebook.shell.push({"word": "from python", "table": [[1, 2]], "everything": {"text": "all"}})
    assert notebook.run(f"%plugin call counter echo {words}").value == value


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("call counter echo text", "write params as name=value"),
        ("call counter echo {text", "a JSON object was expected"),
        ("call counter echo text=$nowhere", "there is no variable 'nowhere'"),
        ('call counter echo text="open', "a quote is not closed"),
        ("call counter", "the following arguments are required: OP"),
        ("call counter add --timeout -1", "--timeout"),
        ("call counter add --timeout inf", "not a positive number of seconds"),
        ("lod counter", "did you mean load"),
        ("xyzzy", "see %plugin help"),
        ("list more", "unrecognized arguments: more"),
        ("logs counter -n 0", "not a positive number"),
        ("env rebuild", "name the plugin"),
        ("env mend", "invalid choice: 'mend'"),
        ("new 1st", "is not a plugin id"),
        ("new counter", "there is a plugin counter already"),
    ],
)
def test_a_wrong_line_is_a_usage_error_that_says_what_is_wrong(notebook, line, message):
    error = notebook.run(f"%plugin {line}").error
    assert isinstance(error, UsageError)
    assert message in str(error)


@pytest.mark.parametrize(
    ("name", "flag"), [*((name, "--help") for name in COMMANDS), ("call", "-h")]
)
def test_every_subcommand_has_help(notebook, name, flag):
    cell = notebook.run(f"%plugin {name} {flag}")
    assert cell.error is None
    assert cell.stdout.startswith(f"usage: %plugin {name} ")


@pytest.mark.parametrize("line", ["help", "--help", "-h"])
def test_help_lists_every_subcommand(notebook, line):
    said = notebook.run(f"%plugin {line}").stdout
    assert [name for name in COMMANDS if f"\n  {name} " not in said] == []


def test_help_on_a_plugin_shows_its_operations(notebook):
    shown = notebook.run("%plugin help counter").shown
    assert "add(n: int = 1, loud: bool = False) -> int" in shown
    assert "boom() -> int" in shown


def test_ops_of_one_operation_shows_that_one(notebook):
    shown = notebook.run("%plugin ops counter boom").shown
    assert "boom" in shown
    assert "echo" not in shown


def test_ops_of_an_unknown_operation_names_the_nearest(notebook):
    cell = notebook.run("%plugin ops counter bom")
    assert isinstance(cell.error, OperationNotFoundError)
    assert "boom" in cell.stdout


def test_load_suspend_resume_reload_and_unload_say_where_the_plugin_is(notebook):
    assert notebook.run("%plugin load counter").stdout == "counter 1.0.0 is Loaded.\n"
    notebook.run("%plugin call counter add n=4")
    assert notebook.run("%plugin suspend counter").stdout == "counter 1.0.0 is Suspended.\n"
    assert notebook.run("%plugin resume counter").stdout == "counter 1.0.0 is Loaded.\n"
    assert notebook.run("%plugin reload counter").stdout == "counter 1.0.0 is Loaded.\n"
    assert notebook.run("%plugin call counter add").value == 5
    assert notebook.run("%plugin unload counter").stdout == "counter is unloaded.\n"


def test_several_plugins_can_be_named(notebook):
    notebook.run("%plugin load counter dependent")
    assert (state("counter"), state("dependent")) == ("Loaded", "Loaded")


def test_unloading_what_others_need_takes_cascade(notebook):
    notebook.run("%plugin load dependent")
    assert isinstance(notebook.run("%plugin unload counter").error, DependentsLoadedError)
    assert notebook.run("%plugin unload --cascade counter").error is None
    assert state("dependent") == "Discovered"


def test_an_unknown_plugin_is_an_error_with_the_nearest_id(notebook):
    cell = notebook.run("%plugin load conter")
    assert isinstance(cell.error, NotFoundError)
    assert "Did you mean counter?" in cell.stdout


def test_health_asks_those_that_are_loaded(notebook):
    assert "No plugin is loaded" in notebook.run("%plugin health").shown
    notebook.run("%plugin load counter")
    assert "counter  Healthy" in notebook.run("%plugin health").shown


def test_health_of_one_plugin(notebook):
    notebook.run("%plugin load counter")
    assert "counter  Healthy" in notebook.run("%plugin health counter").shown


def test_metrics_count_the_calls(notebook):
    notebook.run("%plugin call counter add")
    notebook.run("%plugin call counter boom")
    assert "2 calls, 1 failure" in notebook.run("%plugin metrics").shown
    shown = notebook.run("%plugin metrics counter").shown
    rows, last_error = shown.splitlines()[3:-2], shown.splitlines()[-2:]
    assert last_error[0] == "What went wrong last:"
    assert "boom: ZeroDivisionError" in last_error[1]
    assert [line.split()[:3] for line in rows] in (
        [["add", "1", "0"], ["boom", "1", "1"]],
        [["boom", "1", "1"], ["add", "1", "0"]],
    )


def test_metrics_of_an_unknown_plugin_are_an_error(notebook):
    assert isinstance(notebook.run("%plugin metrics conter").error, NotFoundError)


def test_the_graph_is_mermaid_and_text(notebook):
    bundle = notebook.run("%plugin graph").bundles[0]
    assert sorted(bundle) == ["text/plain", "text/vnd.mermaid"]
    assert bundle["text/plain"].splitlines()[1].startswith("└─ counter 1.0.0 [Discovered]")


def test_problems_are_listed(notebook):
    assert notebook.run("%plugin problems").shown == "No problems."


def test_logs_of_a_plugin_that_wrote_nothing_say_so(notebook):
    assert notebook.run("%plugin logs counter").shown == "counter has written nothing yet."


def test_a_plugin_in_this_process_has_no_console_to_attach(notebook):
    notebook.run("%plugin load counter")
    assert "no kernel of its own" in notebook.run("%plugin console counter").stdout


def test_doctor_looks_at_the_machine(notebook):
    cell = notebook.run("%plugin doctor")
    assert cell.shown.startswith("Mechanisms, as they were tried")
    assert cell.shown.endswith("the configuration chooses sandbox None, which confines nothing.")
    assert "<table>" in cell.bundles[0]["text/html"]


def test_doctor_of_one_plugin_says_what_holds_for_it(notebook):
    assert "counter in sandbox None" in notebook.run("%plugin doctor counter").shown
    assert isinstance(notebook.run("%plugin doctor counte").error, NotFoundError)


def test_doctor_works_where_the_manager_can_not_start(bare, monkeypatch):
    monkeypatch.setattr("nebula_lab.doctor.examining.start", lambda config, machine: ())
    path = bare.folder / "plugin_resource.yaml"
    path.write_text("plugin_dri: plugins\n")
    bare.run("%load_ext nebula_lab")
    assert "unknown key 'plugin_dri'" in bare.run("%plugin doctor").shown
    path.unlink()


def test_config_replaces_the_manager_and_closes_the_former(notebook):
    former = current_manager()
    (notebook.folder / "more").mkdir()
    assert notebook.run("%plugin config more").stdout.startswith("nebula_lab: no plugins.\n")
    assert former.closed
    assert notebook.run("plugins").value is current_manager()


def test_a_config_that_is_wrong_leaves_the_manager_in_place(notebook):
    former = current_manager()
    (notebook.folder / "bad.yaml").write_text("sandbox: {\n")
    assert "bad.yaml" in notebook.run("%plugin config bad.yaml").stdout
    assert current_manager() is former
    assert not former.closed


def test_new_writes_a_plugin_that_works_as_it_is(notebook):
    said = notebook.run("%plugin new word_count").stdout
    assert str(notebook.plugins / "word_count.py") in said
    assert notebook.run("%plugin call word_count greet name=Ada").value == (
        "Hello Ada, greeting number 1."
    )


def test_an_error_of_a_plugin_is_a_box_with_its_own_traceback(notebook):
    shown = notebook.run("def f():\n    return plugins.execute('counter', 'boom')\nf()").stdout
    assert shown.startswith("ExecutionFailedError: counter.boom: ZeroDivisionError: ")
    assert "return 1 // 0" in shown
    assert "nebula_lab/runtime" not in shown
    assert shown.endswith(", line 2\n    return plugins.execute('counter', 'boom')\n")


def test_the_full_traceback_is_still_to_be_had(notebook):
    notebook.run("plugins.execute('counter', 'boom')")
    assert "/nebula_lab/runtime/" in notebook.run("%tb").stdout


def test_a_failed_magic_stops_its_cell(notebook):
    cell = notebook.run("after = 0\n%plugin call counter boom\nafter = 1")
    assert cell.error is not None
    assert notebook.run("after").value == 0


def test_env_lists_what_is_kept_and_says_who_asks_for_none(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))
    assert "No environments are kept" in notebook.run("%plugin env").shown
    said = notebook.run("%plugin env show counter").stdout
    assert said == "counter asks for no environment, and runs in the manager's own.\n"
    for words in ("", " --all"):
        said = notebook.run(f"%plugin env gc{words}").stdout
        assert said.startswith("no environments removed")
