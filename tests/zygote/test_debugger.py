"""A plugin that was granted nothing is debugged from an ordinary Jupyter front end."""

from __future__ import annotations

import itertools
import threading
import warnings

import pytest
from forked_lab import client_of
from jupyter_core.utils import ensure_event_loop

warnings.filterwarnings("ignore", "unclosed event loop", ResourceWarning)

DEADLINE = 20
CODE = "a = 6\nb = a * 7\nb"
EVERYTHING = {
    "capabilities": ["Network", "FileSystem", "ProcessSpawn", "MemoryAllocation", "SystemCalls"]
}


class FrontEnd:
    """What JupyterLab's debugger sends and gets."""

    def __init__(self, client) -> None:
        self.client = client
        self._numbers = itertools.count(1)

    def ask(self, command, **arguments):
        content = {
            "type": "request",
            "seq": next(self._numbers),
            "command": command,
            "arguments": arguments,
        }
        message = self.client.session.msg("debug_request", content)
        self.client.control_channel.send(message)
        while True:
            reply = self.client.get_control_msg(timeout=DEADLINE)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                assert reply["content"]["request_seq"] == content["seq"]
                assert reply["content"]["command"] == command
                return reply["content"]

    def attach(self):
        options = {"pathFormat": "path", "linesStartAt1": True, "columnsStartAt1": True}
        initialized = self.ask("initialize", clientID="test", adapterID="", **options)
        assert initialized["success"], initialized
        attached = self.ask("attach")
        assert attached["success"], attached

    def break_at(self, path, *lines):
        placed = self.ask(
            "setBreakpoints",
            breakpoints=[{"line": line} for line in lines],
            source={"path": path},
            sourceModified=False,
        )
        assert [one["verified"] for one in placed["body"]["breakpoints"]] == [True] * len(lines)
        assert self.ask("configurationDone")["success"]

    def dump(self, code):
        return self.ask("dumpCell", code=code)["body"]["sourcePath"]

    def stopped_thread(self):
        while True:
            message = self.client.get_iopub_msg(timeout=DEADLINE)
            if message["msg_type"] == "debug_event" and message["content"]["event"] == "stopped":
                return message["content"]["body"]["threadId"]

    def top_frame(self, thread):
        return self.ask("stackTrace", threadId=thread)["body"]["stackFrames"][0]

    def variables(self, frame):
        scopes = self.ask("scopes", frameId=frame["id"])["body"]["scopes"]
        reference = scopes[0]["variablesReference"]
        found = self.ask("variables", variablesReference=reference)["body"]["variables"]
        return {one["name"]: one["value"] for one in found}

    def go_on(self, thread):
        assert self.ask("continue", threadId=thread)["success"]

    def result_of(self, request):
        while True:
            reply = self.client.get_shell_msg(timeout=DEADLINE)
            if reply["parent_header"].get("msg_id") == request:
                return reply["content"]["status"]


@pytest.fixture(scope="module", autouse=True)
def loop_of_clients():
    """Jupyter's clients share an event loop, which stays."""
    ensure_event_loop()


@pytest.fixture
def attend():
    """Connects front ends to the kernels of plugins."""
    made = []

    def make(lab):
        made.append(client_of(lab, "one"))
        assert lab.is_forked("one")
        return FrontEnd(made[-1])

    yield make
    for client in made:
        client.stop_channels()


@pytest.fixture
def front_end(lab, attend):
    return attend(lab)


@pytest.mark.parametrize("rights", [{}, EVERYTHING], ids=["nothing", "everything"])
def test_a_debugger_sets_a_breakpoint_in_a_cell_and_stops_there(open_lab, attend, rights):
    front_end = attend(open_lab(rights))
    front_end.attach()
    front_end.break_at(front_end.dump(CODE), 2)
    request = front_end.client.execute(CODE)
    thread = front_end.stopped_thread()
    frame = front_end.top_frame(thread)
    assert frame["line"] == 2
    assert front_end.variables(frame)["a"] == "6"
    assert front_end.ask("next", threadId=thread)["success"]
    thread = front_end.stopped_thread()
    assert front_end.top_frame(thread)["line"] == 3
    front_end.go_on(thread)
    assert front_end.result_of(request) == "ok"
    assert front_end.ask("disconnect", restart=False)["success"]


def test_after_a_disconnect_it_attaches_again(front_end):
    for _ in range(2):
        front_end.attach()
        front_end.break_at(front_end.dump(CODE), 2)
        request = front_end.client.execute(CODE)
        front_end.go_on(front_end.stopped_thread())
        assert front_end.result_of(request) == "ok"
        assert front_end.ask("disconnect", restart=False)["success"]
        request = front_end.client.execute(CODE)  # and stops nowhere
        assert front_end.result_of(request) == "ok"


def plugin_file(front_end):
    modules = front_end.ask("modules")["body"]["modules"]
    return next(one["path"] for one in modules if one["name"] == "nebula_plugin_one")


def line_with(front_end, path, text):
    content = front_end.ask("source", source={"path": path})["body"]["content"]
    return next(n for n, line in enumerate(content.splitlines(), 1) if text in line)


def test_a_breakpoint_in_the_plugins_own_file_stops_an_operation(lab, front_end):
    front_end.attach()
    path = plugin_file(front_end)
    assert path == str(lab.folder / "one.py")
    front_end.break_at(path, line_with(front_end, path, "return eval"))
    results = []
    call = threading.Thread(target=lambda: results.append(lab.ask("one", "6 * 7")))
    call.start()
    thread = front_end.stopped_thread()
    frame = front_end.top_frame(thread)
    assert (frame["name"], frame["source"]["path"]) == ("ask", path)
    assert front_end.variables(frame)["expression"] == "'6 * 7'"
    front_end.go_on(thread)
    call.join(DEADLINE)
    assert results == [42]


def test_it_attaches_to_an_operation_that_runs(lab, front_end):
    results = []
    call = threading.Thread(target=lambda: results.append(lab.plugins.execute("one", "wait")))
    call.start()
    front_end.attach()
    assert front_end.ask("configurationDone")["success"]
    threads = front_end.ask("threads")["body"]["threads"]
    main = next(one["id"] for one in threads if one["name"] == "MainThread")
    assert front_end.ask("pause", threadId=main)["success"]
    thread = front_end.stopped_thread()
    frame = front_end.top_frame(thread)
    assert (frame["name"], frame["source"]["path"]) == ("wait", plugin_file(front_end))
    set_ = front_end.ask("evaluate", expression="setattr(self, 'is_over', 1)", frameId=frame["id"])
    assert set_["success"], set_
    front_end.go_on(thread)
    call.join(DEADLINE)
    assert results == ["over"]


def test_a_process_that_the_plugin_forks_stops_nowhere(open_lab, attend):
    lab = open_lab(EVERYTHING)
    front_end = attend(lab)
    front_end.attach()
    code = (
        "import multiprocessing, os\n"
        "def absolute(number):\n"
        "    return abs(number), os.getpid()\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool:\n"
        "    result, pid = pool.map(absolute, [-6])[0]\n"
        "assert pid != os.getpid()\n"
        "absolute(result)\n"
    )
    front_end.break_at(front_end.dump(code), 3)
    request = front_end.client.execute(code)
    thread = front_end.stopped_thread()
    frame = front_end.top_frame(thread)
    assert front_end.variables(frame)["number"] == "6"
    front_end.go_on(thread)
    assert front_end.result_of(request) == "ok"


def test_where_the_plugin_has_debugpy_listen_itself_attaching_says_so(open_lab, attend):
    front_end = attend(open_lab(EVERYTHING))
    code = "import debugpy; debugpy.listen(('127.0.0.1', 0), in_process_debug_adapter=True)"
    assert front_end.result_of(front_end.client.execute(code)) == "ok"
    refused = front_end.ask("initialize", clientID="test", adapterID="")
    assert not refused["success"]
    assert "listen() has already been called" in refused["message"]


def test_it_steps_into_a_module_that_was_preloaded(lab):
    """Such a module is the plugin's, not the kernel's, as its rules for stepping say."""
    setup = "from IPython import get_ipython\nown = get_ipython().kernel._kernel_modules"
    lab.pid("one")
    paths = lab.ask("one", "own", setup)
    assert any("/ipykernel/" in path for path in paths)
    assert not any("/numpy/" in path for path in paths)
