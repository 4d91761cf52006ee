"""What a front end can ask for, and what it is answered."""

from __future__ import annotations

import ast
import base64

import pytest

from nebula_lab.live.actions import ACTIONS
from nebula_lab.live.messages import Call, FromFrontEnd, Request
from nebula_lab.live.samples import _code, _magic
from nebula_lab.notebook.params import read_params
from nebula_lab.notebook.words import raw_words, unquoted


def state(manager):
    return manager.plugin_info("counter").state.value


LIFE = [
    ("load", "Loaded"),
    ("suspend", "Suspended"),
    ("resume", "Loaded"),
    ("reload", "Loaded"),
    ("restart", "Loaded"),
    ("unload", "Discovered"),
]


def test_a_plugin_is_taken_through_its_life(front_end, manager):
    for step, after in LIFE:
        answer = front_end.ask(step, plugin="counter")
        assert answer["type"] == "answer", answer
        assert answer["answer"]["text"].startswith(f"counter 1.0.0 is {after}.")
        assert state(manager) == after


def test_every_request_is_accepted_before_it_is_answered(front_end):
    front_end.ask("load", plugin="counter")
    assert [message["type"] for message in front_end.got][:2] == ["accepted", "answer"]


def test_every_kind_of_request_has_something_that_does_it():
    requests = {one for one in FromFrontEnd.__args__ if issubclass(one, Request)}
    assert requests == {*ACTIONS, Call}


def test_an_operation_is_called_with_its_params(front_end):
    answer = front_end.ask("call", plugin="counter", operation="add", params={"n": 5})["answer"]
    assert (answer["kind"], answer["text"], answer["language"]) == ("result", "5", "json")


@pytest.mark.in_sandbox("Process")
def test_what_a_call_prints_comes_with_its_result(front_end):
    answer = front_end.ask("call", plugin="counter", operation="say", params={"text": "hi"})
    assert answer["answer"]["output"] == "hi\nWARNING hi\n"


@pytest.mark.in_sandbox("Process")
def test_what_a_call_prints_lands_under_no_cell(front_end, capsys):
    front_end.ask("call", plugin="counter", operation="say", params={"text": "hi"})
    assert capsys.readouterr().out == ""


def test_a_call_that_fails_says_what_happened(front_end):
    failure = front_end.ask("call", plugin="counter", operation="boom", params={})
    assert failure["error"] == "ExecutionFailedError"
    assert "ValueError: no more" in failure["message"]
    assert "Traceback" in failure["details"]


def test_params_that_do_not_fit_are_refused_by_name(front_end):
    failure = front_end.ask("call", plugin="counter", operation="add", params={"n": "x"})
    assert failure["error"] == "InvalidParamsError"
    assert "n" in failure["message"]


def test_bytes_are_written_in_base64(front_end):
    data = base64.b64encode(b"12345").decode()
    call = {"plugin": "counter", "operation": "length"}
    assert front_end.ask("call", **call, params={"data": data})["answer"]["text"] == "5"
    failure = front_end.ask("call", **call, params={"data": "~"})
    assert failure["error"] == "InvalidParamsError"


def test_a_stream_is_shown_up_to_a_number_of_items(front_end):
    answer = front_end.ask("call", plugin="counter", operation="numbers", params={})["answer"]
    assert answer["text"].count("\n") == 201
    assert "Stopped after 200 items" in answer["output"]


def test_a_result_is_shown_as_json_within_bounds(front_end):
    answer = front_end.ask("call", plugin="counter", operation="give", params={"what": "x" * 9000})
    text = answer["answer"]["text"]
    assert '"nan": "nan"' in text
    assert "… 800 more" in text
    assert "3 bytes: YWJj" in text
    assert len(text) < 20_000


@pytest.mark.in_sandbox("Process")
def test_a_call_can_be_cancelled(front_end, manager):
    front_end.ask("load", plugin="counter")
    number = front_end.start("call", plugin="counter", operation="nap", params={"seconds": 60})
    front_end.wait(lambda: state(manager) == "Active", "the call to run")
    front_end.send("cancel", id=number)
    assert front_end.end_of(number)["error"] == "CallCancelledError"


@pytest.mark.in_sandbox("Process")
def test_a_call_is_stopped_when_its_front_end_goes(front_end, manager):
    front_end.start("call", plugin="counter", operation="nap", params={"seconds": 60})
    front_end.wait(lambda: state(manager) == "Active", "the call to run")
    front_end.session.close()
    front_end.wait(
        lambda: manager.plugin_metrics("counter", usage=False).failures == 1, "the end of the call"
    )


def test_unloading_what_others_need_names_them(front_end, manager, write):
    write("dependent", dependencies=["counter"])
    manager.rediscover()
    front_end.ask("load", plugin="dependent")
    failure = front_end.ask("unload", plugin="counter")
    assert failure["error"] == "DependentsLoadedError"
    assert "dependent" in failure["message"]
    assert front_end.ask("unload", plugin="counter", cascade=True)["type"] == "answer"


def test_a_restart_asks_before_it_takes_others_with_it(front_end, manager, write):
    write("dependent", dependencies=["counter"])
    manager.rediscover()
    front_end.ask("load", plugin="dependent")
    loaded_at = manager.plugin_info("counter").loaded_at
    failure = front_end.ask("restart", plugin="counter")
    assert failure["error"] == "DependentsLoadedError"
    assert "dependent" in failure["message"]
    assert manager.plugin_info("counter").loaded_at == loaded_at


def test_a_restart_brings_back_those_that_need_it(front_end, manager, write):
    write("dependent", dependencies=["counter"])
    manager.rediscover()
    front_end.ask("load", plugin="dependent")
    assert front_end.ask("restart", plugin="counter", cascade=True)["type"] == "answer"
    assert {info.id: info.state.value for info in manager.list_plugins()} == {
        "counter": "Loaded",
        "dependent": "Loaded",
    }


def test_operations_are_described_with_their_schemas(front_end):
    unknown = front_end.ask("operations", plugin="counter", load=False)["answer"]
    assert unknown["operations"] == []
    found = front_end.ask("operations", plugin="counter")["answer"]["operations"]
    add = next(one for one in found if one["name"] == "add")
    assert add["description"] == "Add n."
    assert add["params"]["properties"]["n"]["type"] == "integer"


def test_samples_are_calls_that_can_be_run(front_end, manager):
    front_end.ask("load", plugin="counter")
    samples = front_end.ask("samples")["answer"]["samples"]
    codes = {sample["operation"]: sample["code"] for sample in samples}
    assert codes["add"] == "plugins['counter'].add()"
    assert eval(codes["add"], {"plugins": manager}) == 1
    assert codes["say"] == "plugins['counter'].say(text='')"


@pytest.mark.parametrize(("operation", "name"), [("import", "n"), ("add", "from")])
def test_a_sample_is_python_whatever_its_names_are(operation, name):
    code = _code("counter", operation, {name: 1})
    assert ast.parse(code)
    assert code.startswith("plugins.execute('counter'")


@pytest.mark.parametrize("operation", ["add", "two words", "it's", 'say "x"', "{a}", "$x"])
def test_a_sample_is_a_magic_whatever_its_names_are(operation):
    params = {"text": 'it\'s "so" {and} $so', "n": 1}
    line = _magic("counter", operation, params)
    plugin_id, read, *words = raw_words(line.removeprefix("%plugin call "))
    assert (unquoted(plugin_id), unquoted(read)) == ("counter", operation)
    assert read_params(words, {}, {}) == params


@pytest.mark.parametrize("operation", ["two\nlines", "--timeout"])
def test_a_sample_that_no_line_can_hold_is_python(operation):
    assert ast.parse(_magic("counter", operation, {}))


def test_a_version_can_be_gone_back_to(front_end, manager, write, wait_until):
    def both():  # they are noted by a worker, soon
        versions = front_end.ask("history", plugin="counter")["answer"]["versions"]
        return versions if len(versions) == 2 else None

    front_end.ask("load", plugin="counter")
    write("counter", version="1.1.0")
    reloaded = front_end.ask("reload", plugin="counter")
    assert reloaded["type"] == "answer", reloaded
    newest, oldest = wait_until(both, "the two versions")
    assert (newest["version"], newest["serves"]) == ("1.1.0", True)
    front_end.ask("rollback", plugin="counter", version=oldest["digest"])
    assert str(manager.plugin_info("counter").version) == "1.0.0"


@pytest.mark.in_sandbox("Process")
def test_logs_health_and_problems_are_answered(front_end, manager, write):
    write("lost", dependencies=["nowhere"])
    manager.rediscover()
    front_end.ask("call", plugin="counter", operation="say", params={"text": "hi"})
    lines = front_end.ask("logs", plugin="counter", lines=1)["answer"]["lines"]
    assert [line["text"] for line in lines] == ["hi"]
    assert front_end.ask("health", plugin="counter")["answer"]["message"] == "tired"
    [problem] = front_end.ask("problems")["answer"]["problems"]
    assert (problem["plugin"], problem["kind"]) == ("lost", "missing-dependency")


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {"type": "nonsense"},
        {"type": "load", "id": "one", "plugin": "counter"},
        {"type": "load", "plugin": "counter"},
        {"type": "call", "id": 1, "plugin": "counter", "operation": "add", "params": []},
    ],
)
def test_a_message_that_is_none_is_refused_and_harms_nothing(front_end, message):
    front_end.session.receive(message)
    assert [one["type"] for one in front_end.got] == ["refused"]
    assert front_end.ask("health", plugin="counter")["type"] == "answer"


def test_a_timeout_that_is_none_is_told(front_end):
    failure = front_end.ask("call", plugin="counter", operation="add", params={}, timeout=-1)
    assert "timeout must be" in failure["message"]


def test_hello_is_answered_with_the_protocol(front_end):
    front_end.send("hello", protocol=1)
    [welcome] = front_end.of("welcome")
    assert welcome["protocol"] == 1
