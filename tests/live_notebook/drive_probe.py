"""Asks a kernel whether we are loaded while a cell draws: `python drive_probe.py FOLDER`.

Prints what it saw as JSON. The messages are those that the sidebar sends.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from drive_subshell import DEADLINE, FrontEnd

HOOKS = """
fired = []
for moment in ("pre_execute", "post_execute", "pre_run_cell", "post_run_cell"):
    get_ipython().events.register(moment, lambda *given, moment=moment: fired.append(moment))
"""
DRAWS = """
import pathlib, time
import matplotlib.pyplot as plt
fired.clear()
plt.plot([1, 2])
print("the cell runs", flush=True)
while not pathlib.Path("go_on").exists(): time.sleep(0.01)
assert fired == [], fired
"""


def marks(end: FrontEnd, subshell: str | None = None) -> int:
    """How many comms the kernel lists that say that we are loaded."""
    request = end.client.session.msg("comm_info_request", {"target_name": "nebula_lab.loaded"})
    if subshell is not None:
        request["header"]["subshell_id"] = subshell
    end.client.shell_channel.send(request)
    while True:
        reply = end.client.get_shell_msg(timeout=DEADLINE)
        if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
            return len(reply["content"]["comms"])


def look(end: FrontEnd, folder: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {"before": marks(end)}
    end.run("%matplotlib inline")
    end.run(HOOKS)
    subshell = end.new_subshell()
    cell = end.client.execute(DRAWS)
    end.read_until(lambda message: "the cell runs" in message["content"].get("text", ""))
    seen["while a cell runs"] = marks(end, subshell)
    (folder / "go_on").touch()
    end.read_until(
        lambda message: (
            message["parent_header"].get("msg_id") == cell
            and message["content"].get("execution_state") == "idle"
        )
    )
    of_cell = [one for one in end.seen if one["parent_header"].get("msg_id") == cell]
    seen["errors"] = [one["content"]["evalue"] for one in of_cell if one["msg_type"] == "error"]
    seen["figures"] = sum(
        "image/png" in one["content"].get("data", {})
        for one in of_cell
        if one["msg_type"] == "display_data"
    )
    end.run("%load_ext nebula_lab")
    seen["loaded"] = marks(end)
    end.run("%reload_ext nebula_lab")
    seen["loaded anew"] = marks(end)
    end.run("%unload_ext nebula_lab")
    seen["unloaded"] = marks(end)
    seen["comm messages"] = [one["msg_type"] for one in end.seen if "comm" in one["msg_type"]]
    return seen


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="nb-") as connections:
        end = FrontEnd(folder, connections)
        try:
            seen = look(end, folder)
        finally:
            end.client.stop_channels()
            end.manager.shutdown_kernel(now=True)
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
