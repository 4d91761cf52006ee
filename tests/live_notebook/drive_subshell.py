"""Clicks while a cell runs, as a front end with subshells does: `python drive_subshell.py FOLDER`.

Prints what it saw as JSON. A program of its own, since jupyter_client leaves its event loop and
sockets to the end of the process. No browser: the messages are those that JupyterLab sends.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.manager import KernelManager

DEADLINE = 30.0
RUNS = "the cell runs"


class FrontEnd:
    """A kernel, one comm to it, and what has come over that."""

    def __init__(self, folder: Path, connections: str) -> None:
        self.manager = KernelManager(
            kernel_name="python3", transport="ipc", connection_file=f"{connections}/kernel.json"
        )
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE)
        self.seen: list[dict[str, Any]] = []

    def read_until(self, is_it: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first message on IOPub that is the one, seen before or not."""
        for message in self.seen:
            if is_it(message):
                return message
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            self.seen.append(message)
            if is_it(message):
                return message
        raise TimeoutError("a message did not come")

    def run(self, cell: str) -> list[dict[str, Any]]:
        """Run a cell; what it displayed, by MIME type."""
        before = len(self.seen)
        self.client.execute_interactive(cell, timeout=DEADLINE, output_hook=self.seen.append)
        return [_data(one) for one in self.seen[before:] if one["msg_type"] == "display_data"]

    def new_subshell(self) -> str:
        request = self.client.session.msg("create_subshell_request")
        self.client.control_channel.send(request)
        while True:
            reply = self.client.get_control_msg(timeout=DEADLINE)
            if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                return reply["content"]["subshell_id"]

    def send(self, kind: str, content: dict[str, Any], subshell: str | None = None) -> None:
        message = self.client.session.msg(kind, content)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)

    def answer_over(self, comm: str, subshell: str, wrap: Callable[[Any], Any]) -> float:
        """Seconds from a click to its answer, over a comm on which the kernel pushes too."""
        number = 1 + len(self.seen)
        started = time.monotonic()
        data = wrap({"type": "problems", "id": number})
        self.send("comm_msg", {"comm_id": comm, "data": data}, subshell)
        self.read_until(lambda message: _is_answer(message, comm, number))
        return time.monotonic() - started

    def wait_for_push(self, comm: str) -> None:
        self.read_until(
            lambda message: _comm(message) == comm and '"snapshot"' in json.dumps(_data(message))
        )


def _comm(message: dict[str, Any]) -> str:
    return message["content"].get("comm_id", "")


def _data(message: dict[str, Any]) -> Any:
    return message["content"].get("data", {})


def _is_answer(message: dict[str, Any], comm: str, number: int) -> bool:
    if message["msg_type"] != "comm_msg" or _comm(message) != comm:
        return False
    content = _data(message)
    content = content.get("content", content)
    content = content.get("message", content)  # from a widget, for one of its pages
    return content.get("type") == "answer" and content.get("id") == number


def _plain(message: Any) -> Any:
    return message


def _custom(message: Any) -> Any:
    """As a widget's front end sends it."""
    return {"method": "custom", "content": {"page": "page", "message": message}}


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="nb-") as connections:
        end = FrontEnd(folder, connections)
        try:
            seen = look(end, folder)
        finally:
            end.client.stop_channels()
            end.manager.shutdown_kernel(now=True)
    print(json.dumps(seen))


def look(end: FrontEnd, folder: Path) -> dict[str, Any]:
    """Show both views, and click on the dashboard and the sidebar's comm while a cell runs."""
    end.run("%load_ext nebula_lab")
    sidebar = uuid.uuid4().hex
    end.send("comm_open", {"comm_id": sidebar, "target_name": "nebula_lab", "data": {}})
    shown = {"dashboard": end.run("%plugin"), "graph": end.run("%plugin graph")}
    opened = [one for one in end.seen if one["msg_type"] == "comm_open"]
    widget, _ = [_comm(one) for one in opened if "anywidget" in json.dumps(_data(one))]

    subshell = end.new_subshell()
    end.client.execute(
        f"import pathlib, time\nprint({RUNS!r}, flush=True)\n"
        "while not pathlib.Path('go_on').exists(): time.sleep(0.01)"
    )
    end.read_until(lambda message: RUNS in message["content"].get("text", ""))
    took = {}
    for name, comm, wrap in (("comm", sidebar, _plain), ("widget", widget, _custom)):
        watch = wrap({"type": "watch", "topics": ["plugins"]})
        end.send("comm_msg", {"comm_id": comm, "data": watch}, subshell)
        end.wait_for_push(comm)
        took[name] = sorted(end.answer_over(comm, subshell, wrap) for _ in range(5))[2]
    (folder / "go_on").touch()
    shown["end"] = end.run("%unload_ext nebula_lab")
    return {"took": took, "shown": shown}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
