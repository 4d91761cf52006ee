"""A plain Jupyter client, as any console or front end has one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from queue import Empty

from jupyter_client import BlockingKernelClient

DEADLINE = 30.0


@dataclass
class Told:
    """What a client was told about one request."""

    reply: dict
    outputs: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(c["text"] for kind, c in self.outputs if kind == "stream")

    @property
    def value(self):
        return next(c["data"]["text/plain"] for kind, c in self.outputs if "data" in c)


class Console:
    def __init__(self, connection_file) -> None:
        self.client = BlockingKernelClient(connection_file=str(connection_file))
        self.client.load_connection_file()
        self.client.start_channels()
        # What a busy kernel tells is lost until the subscription stands, so ask until it does.
        self.client.wait_for_ready(timeout=DEADLINE)

    def close(self):
        self.client.stop_channels()

    def run(self, code, **options):
        """Run a cell to its end."""
        return self.finish(self.start(code, **options))

    def start(self, code, **options):
        options.setdefault("allow_stdin", False)
        return self.client.execute(code, **options)

    def finish(self, request, *, answer=None):
        """Wait for a cell's end; `answer` is typed when it asks for input."""
        outputs = []
        while True:
            if answer is not None and self._asks():
                self.client.input(answer)
            try:
                message = self.client.get_iopub_msg(timeout=0.05 if answer else DEADLINE)
            except Empty:
                assert answer is not None, "the kernel says nothing"
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            outputs.append((kind, content))
            if kind == "status" and content["execution_state"] == "idle":
                return Told(self.reply(request), outputs)

    def _asks(self):
        try:
            return self.client.get_stdin_msg(timeout=0.0)
        except Empty:
            return False

    def reply(self, request, channel="shell"):
        while True:
            message = getattr(self.client, f"get_{channel}_msg")(timeout=DEADLINE)
            if message["parent_header"].get("msg_id") == request:
                return message["content"]

    def wait_for_output(self, request, wanted):
        """Wait until a cell has printed `wanted`."""
        seen = ""
        deadline = time.monotonic() + DEADLINE
        while wanted not in seen:
            assert time.monotonic() < deadline, f"{wanted!r} did not come; only {seen!r}"
            message = self.client.get_iopub_msg(timeout=DEADLINE)
            if (
                message["parent_header"].get("msg_id") == request
                and message["msg_type"] == "stream"
            ):
                seen += message["content"]["text"]

    def control(self, kind, **content):
        """Send a request on the control channel; its reply."""
        message = self.client.session.msg(kind, content)
        self.client.control_channel.send(message)
        return self.reply(message["header"]["msg_id"], "control")

    def execute_in_subshell(self, subshell, code):
        message = self.client.session.msg("execute_request", _execution(code))
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return self.finish(message["header"]["msg_id"])


def _execution(code):
    return {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }
