"""The kernel of a forked host passes Jupyter's own tests for kernels."""

from __future__ import annotations

import tempfile
import time
import warnings
from pathlib import Path

import jupyter_kernel_test
import pytest
from forked_lab import Lab
from jupyter_client import BlockingKernelClient
from msgspec import structs

from nebula_lab import UnenforcedWarning
from nebula_lab.confine.machine import Mechanism
from nebula_lab.sandbox import probing

warnings.filterwarnings("ignore", "unclosed event loop", ResourceWarning)


def client_of(lab, plugin_id):
    """A plain Jupyter client, connected to a plugin's kernel."""
    lab.plugins.load_plugin(plugin_id)
    client = BlockingKernelClient(connection_file=str(lab.plugins.connection_file(plugin_id)))
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=20)
    return client


class TestForkedKernel(jupyter_kernel_test.KernelTests):
    """`jupyter_kernel_test`, on the kernel of a plugin that was forked from a zygote."""

    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    completion_samples = (
        {"text": "zi", "matches": {"zip"}},
        {"text": "pri", "matches": {"print"}},
    )
    complete_code_samples = ("1", "print('hello')", "def f(x):\n  return x\n\n\n")
    incomplete_code_samples = ("print('''hello", "def f(x):")
    invalid_code_samples = ("import = 7q",)
    code_page_something = "zip?"
    code_generate_error = "raise ValueError"
    code_execute_result = ({"code": "1+2+3", "result": "6"}, {"code": "6*7", "result": "42"})
    code_display_data = (
        {
            "code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))",
            "mime": "text/html",
        },
    )
    code_history_pattern = "1?2*"
    # ipykernel calls its own session 0 in a range, which the test does not expect.
    supported_history_operations = ("tail", "search")
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.lab = Lab(Path(cls.folder.name))
        cls.kc = client_of(cls.lab, "one")

    @classmethod
    def tearDownClass(cls):
        cls.kc.stop_channels()
        cls.lab.plugins.close()
        cls.folder.cleanup()

    def test_the_kernel_under_test_was_forked(self):
        self.assertTrue(self.lab.is_forked("one"))


@pytest.fixture
def client(lab):
    client = client_of(lab, "one")
    assert lab.is_forked("one")
    yield client
    client.stop_channels()


def reply_to(client, message, channel="control"):
    sent = getattr(client, f"{channel}_channel")
    sent.send(message)
    while True:
        reply = getattr(client, f"get_{channel}_msg")(timeout=20)
        if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            return reply["content"]


def debug(client, command, number, **arguments):
    content = {"type": "request", "seq": number, "command": command, "arguments": arguments}
    return reply_to(client, client.session.msg("debug_request", content))


# Of the plugin whose kernel is looked into: debugpy starts a process of its own, to which it talks
# by a port.
DEBUGGED = {"capabilities": ["Network", "FileSystem", "ProcessSpawn"]}


@pytest.fixture
def debugged(open_lab, monkeypatch):
    """A kernel whose system calls are not filtered: the debugger's ZeroMQ makes unusual ones."""
    found = probing._probe()
    without = structs.replace(found, seccomp=Mechanism(False, "", ""))
    monkeypatch.setattr(probing, "_probe", lambda: without)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnenforcedWarning)
        lab = open_lab(DEBUGGED, strict=False)
    client = client_of(lab, "one")
    assert lab.is_forked("one")
    yield client
    client.stop_channels()


def test_a_debugger_sets_a_breakpoint_and_stops_there(debugged):
    client = debugged
    initialized = debug(
        client,
        "initialize",
        1,
        clientID="test",
        adapterID="",
        pathFormat="path",
        linesStartAt1=True,
        columnsStartAt1=True,
    )
    assert initialized["success"], initialized
    assert debug(client, "attach", 2)["success"]
    code = "a = 6\nb = a * 7\nb"
    source = debug(client, "dumpCell", 3, code=code)["body"]["sourcePath"]
    placed = debug(
        client,
        "setBreakpoints",
        4,
        breakpoints=[{"line": 2}],
        source={"path": source},
        sourceModified=False,
    )
    assert placed["body"]["breakpoints"][0]["verified"]
    assert debug(client, "configurationDone", 5)["success"]
    request = client.execute(code)
    thread = _stopped_thread(client)
    frames = debug(client, "stackTrace", 6, threadId=thread)["body"]["stackFrames"]
    assert frames[0]["line"] == 2
    assert debug(client, "continue", 7, threadId=thread)["success"]
    while client.get_shell_msg(timeout=20)["parent_header"].get("msg_id") != request:
        pass
    assert debug(client, "disconnect", 8, restart=False)["success"]


def _stopped_thread(client):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        message = client.get_iopub_msg(timeout=20)
        if message["msg_type"] == "debug_event" and message["content"]["event"] == "stopped":
            return message["content"]["body"]["threadId"]
    return pytest.fail("it did not stop")


def test_a_debugger_steps_into_a_module_that_was_preloaded(lab):
    """Such a module is the plugin's, not the kernel's, as its rules for stepping say."""
    setup = "from IPython import get_ipython\nown = get_ipython().kernel._kernel_modules"
    lab.pid("one")
    paths = lab.ask("one", "own", setup)
    assert any("/ipykernel/" in path for path in paths)
    assert not any("/numpy/" in path for path in paths)


def test_the_heart_beats(client):
    client.hb_channel.unpause()
    deadline = time.monotonic() + 20
    while not client.hb_channel.is_beating() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert client.hb_channel.is_beating()
