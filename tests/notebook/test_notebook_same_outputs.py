"""What a cell shows is the same every time: whatever a race could change, tried again and again.

The notebooks are run as they are (`tests/notebooks`); here one kernel runs the cells
that depend on order and timing many times over, which costs a hundredth as much for each time.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

EXECUTE = Path(__file__).with_name("execute_notebook.py")
CONFIG = """\
plugin_dir: plugins
restart: {max_restarts: 1000, backoff: 0}
security: {capabilities: [ProcessSpawn, FileSystem]}
"""
PLAYER = '''\
import logging, os, sys, time
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {
    "id": "player",
    "version": "1.0.0",
    "security": {"capabilities": ["ProcessSpawn", "FileSystem"]},
}

class Player(Plugin):
    def initialize(self, config):
        self.played = 0

    @operation
    def medley(self) -> str:
        """Everything that shows, in turn."""
        from IPython.display import display
        for number in range(5):
            print("print", number)
            print("error", number, file=sys.stderr)
            display({"text/plain": f"display {number}"}, raw=True)
            logging.getLogger("player").warning("log %d", number)
            print("unended", number, end="")
        return "played"

    @operation
    def raw(self) -> str:
        """Write past the channel, and have a child do so."""
        os.write(1, b"raw\\n")
        os.system("echo from a child")
        return "written"

    @operation
    def boom(self) -> None:
        print("about to fail")
        print("really", file=sys.stderr)
        raise LookupError("failed")

    @operation
    def late(self) -> None:
        print("about to be late")
        time.sleep(60)

    @operation
    def die(self) -> None:
        # No print beside it: a crash may show what came by the channel and by the pipe either way.
        os.write(2, b"last words\\n")
        os._exit(3)

    @operation
    def count(self, to: int):
        for number in range(to):
            print("counted", number)
            yield number

    def save_state(self):
        return {"played": self.played}

    def restore_state(self, state):
        print("restored")
        self.played = state["played"]

def plugin_entry():
    print("made")
    return Player()
'''
# Each cell with how often it is run.
CELLS = {
    # First, since a crash shows all that its process wrote past the channel.
    "die": ("plugins['player'].die()", 3),
    "medley": ("print('before')\nplugins['player'].medley()", 60),
    "raw": ("plugins['player'].raw()", 50),
    "boom": ("print('before')\nplugins['player'].boom()", 10),
    "count": ("for number in plugins['player'].count(to=5):\n    print('got', number)", 50),
    # Long enough for it to print first, whatever else the machine has to do.
    "late": ("plugins.execute('player', 'late', timeout=1.5)", 3),
    "reload": ("%plugin reload player", 3),
    "in": ("%%in player\nprint('in')\ndisplay('shown')\nplugin.played", 20),
}
WARM_UP = "%load_ext nebula_lab\nplugins.load_plugin('player')"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """For each cell, by name, what it showed each time."""
    folder = tmp_path_factory.mktemp("same")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "player.py").write_text(PLAYER)
    (folder / "plugin_resource.yaml").write_text(CONFIG)
    names = [name for name, (_, times) in CELLS.items() for _ in range(times)]
    sources = [WARM_UP, *(CELLS[name][0] for name in names), "plugins.close()"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    path = folder / "notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    subprocess.run([sys.executable, EXECUTE, path], check=True, timeout=110)
    shown = [cell.outputs for cell in nbformat.read(path, as_version=4).cells[1:-1]]
    return {
        name: [comparable(one) for one, its in zip(shown, names, strict=True) if its == name]
        for name in CELLS
    }


def comparable(outputs):
    """What a reader sees: texts of one stream that follow each other are one, cells no numbers."""
    texts = []
    for one in outputs:
        match one.output_type:
            case "stream":
                texts.append((one.name, one.text))
            case "error":
                texts.append((one.ename, _without_numbers("\n".join(one.traceback))))
            case kind:
                texts.append((kind, _without_numbers(str(one.data))))
    return merged(texts)


def merged(shown):
    result = []
    for kind, text in shown:
        if result and result[-1][0] == kind in ("stdout", "stderr"):
            result[-1] = (kind, result[-1][1] + text)
        else:
            result.append((kind, text))
    return result


def _without_numbers(text):
    # Threads are told where somebody happened to look before it ended.
    used = r"it lived for [^<\n]*? in memory(, had \d+ threads when last counted)?"
    text = re.sub(used, "what it had used", text)
    return re.sub(r"Cell In\[[0-9]+\]", "Cell In[n]", text)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_shows_the_same_every_time(outputs, name):
    first, *others = outputs[name]
    assert len(others) == CELLS[name][1] - 1
    for number, other in enumerate(others, 1):
        assert other == first, f"round {number} differs"


def test_all_of_a_medley_shows_in_the_order_in_which_it_was_played(outputs):
    rounds = []
    for number in range(5):
        rounds += [
            ("stdout", f"print {number}\n"),
            ("stderr", f"error {number}\n"),
            ("display_data", str({"text/plain": f"display {number}"})),
            ("stderr", f"WARNING player: log {number}\n"),
            ("stdout", f"unended {number}"),
        ]
    expected = [
        ("stdout", "before\n"),
        *rounds,
        ("execute_result", str({"text/plain": "'played'"})),
    ]
    assert outputs["medley"][0] == merged(expected)


def test_what_is_written_past_the_channel_shows_ahead_of_the_result(outputs):
    assert outputs["raw"][0] == [
        ("stdout", "raw\nfrom a child\n"),
        ("execute_result", str({"text/plain": "'written'"})),
    ]


def test_a_stream_prints_each_item_before_the_cell_has_it(outputs):
    assert outputs["count"][0] == [
        ("stdout", "".join(f"counted {number}\ngot {number}\n" for number in range(5)))
    ]
