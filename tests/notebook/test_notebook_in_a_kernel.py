"""A notebook as Jupyter runs it, on plugins in kernels of their own: executed once, then read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

EXECUTE = Path(__file__).with_name("execute_notebook.py")

SHOWMAN = '''\
%%plugin showman
import logging, sys, time
from nebula_lab.plugin import Plugin, context, operation

class Showman(Plugin):
    def initialize(self, config):
        self.shows = 0

    @operation
    def talk(self, text: str) -> str:
        """Print to both streams."""
        self.shows += 1
        print(text)
        print(text, file=sys.stderr)
        return text.upper()

    @operation
    def picture(self) -> None:
        """Display a picture, and a script that nobody should see."""
        from IPython.display import display
        display({"text/plain": "a picture", "text/html": "<b>a picture</b>",
                 "application/javascript": "alert(1)"}, raw=True)

    @operation
    def warn(self) -> None:
        """Log a warning."""
        logging.getLogger("showman").warning("the %s is low", "curtain")

    @operation
    def work(self, seconds: float) -> None:
        """Take a while, and say how far it is."""
        for step in range(5):
            context.progress(step, 5, "working")
            time.sleep(seconds / 5)

    @operation
    def count(self, to: int):
        """Count, one by one."""
        yield from range(to)

    @operation
    def boom(self) -> None:
        """Fail."""
        raise LookupError("nothing up my sleeve")

def plugin_entry():
    return Showman()
'''
CELLS = {
    "load": "%load_ext nebula_lab",
    "write": SHOWMAN,
    "call": "%plugin call showman talk text=hello",
    "between": "print('before')\nplugins['showman'].talk(text='now')\nprint('after')",
    "picture": "%plugin call showman picture",
    "warn": "%plugin call showman warn",
    "short work": "%plugin call showman work seconds=0",
    "long work": "%plugin call showman work seconds=1.6",
    "stream": "list(plugins.execute('showman', 'count', {'to': 3}))",
    "boom": "plugins.execute('showman', 'boom')",
    "usage": "%plugin lod",
    "table": "%plugin list",
    "logs": "%plugin logs showman",
    "in": "%%in showman\nprint('shows:', plugin.shows)\nplugin.shows",
    "in boom": "%%in showman\n{}['rabbit']",
    "console": "%plugin console showman",
    "end": "plugins.close()",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """The outputs of each cell, by the cell's name."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "plugins").mkdir()
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    path = folder / "notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    subprocess.run([sys.executable, EXECUTE, path], check=True, timeout=90)
    executed = nbformat.read(path, as_version=4).cells
    return {name: cell.outputs for name, cell in zip(CELLS, executed, strict=True)}


def text_of(outputs, stream="stdout"):
    return "".join(
        one.text for one in outputs if one.output_type == "stream" and one.name == stream
    )


def types_of(outputs):
    return [one.output_type for one in outputs]


def test_the_extension_says_what_there_is(outputs):
    assert text_of(outputs["load"]).startswith("nebula_lab: no plugins.\n")


def test_a_cell_becomes_a_plugin(outputs):
    assert "Operations: boom, count, picture, talk, warn, work (new: " in text_of(outputs["write"])


def test_what_a_plugin_prints_appears_under_the_cell_ahead_of_the_result(outputs):
    shown = outputs["call"]
    assert (text_of(shown), text_of(shown, "stderr")) == ("hello\n", "hello\n")
    assert types_of(shown)[-1] == "execute_result"
    assert shown[-1].data == {"text/plain": "'HELLO'"}


def test_output_keeps_its_order_among_the_cells_own(outputs):
    assert text_of(outputs["between"]) == "before\nnow\nafter\n"


def test_a_display_of_a_plugin_is_shown_without_what_a_browser_runs(outputs):
    (shown,) = outputs["picture"]
    why = "left out: the plugin has no capability RichDisplay"
    notes = f"(text/html {why})\n(application/javascript {why})"
    assert shown.data == {"text/plain": f"a picture\n{notes}"}


def test_a_warning_is_shown_once(outputs):
    assert text_of(outputs["warn"], "stderr") == "WARNING showman: the curtain is low\n"


def test_short_work_leaves_no_trace(outputs):
    assert outputs["short work"] == []


def test_long_work_leaves_an_empty_output(outputs):
    (shown,) = outputs["long work"]
    assert shown.data["text/plain"] == ""


def test_a_stream_can_be_read_in_a_cell(outputs):
    assert outputs["stream"][-1].data["text/plain"] == "[0, 1, 2]"


def test_an_error_is_a_box_with_the_plugins_own_traceback_folded(outputs):
    box, _ = outputs["boom"]
    assert "<details><summary>The plugin&#x27;s own traceback</summary>" in box.data["text/html"]
    text = box.data["text/plain"]
    assert 'raise LookupError("nothing up my sleeve")' in text
    assert "Cell In[10], line 1" in text
    assert "nebula_lab/" not in text.replace("nebula_lab/agent", "")


def test_an_error_is_an_error_to_programs_in_a_few_words(outputs):
    _, shown = outputs["boom"]
    assert (shown.output_type, shown.ename) == ("error", "ExecutionFailedError")
    assert shown.evalue == "LookupError: nothing up my sleeve"
    assert shown.traceback == [
        "\x1b[31mExecutionFailedError\x1b[0m: showman.boom: LookupError: nothing up my sleeve",
        '  showman.py:43: raise LookupError("nothing up my sleeve")',
    ]


def test_a_wrong_subcommand_says_what_is_near(outputs):
    assert "did you mean load" in text_of(outputs["usage"], "stderr")


def test_tables_are_html_with_a_plain_twin(outputs):
    (shown,) = outputs["table"]
    assert sorted(shown.data) == ["text/html", "text/plain"]
    assert "showman" in shown.data["text/plain"]


def test_logs_have_what_was_printed_and_logged(outputs):
    text = outputs["logs"][0].data["text/plain"]
    assert "stdout    hello" in text
    assert "WARNING   the curtain is low" in text


def test_in_runs_the_cell_in_the_plugins_kernel(outputs):
    assert "shows: 2\n" in text_of(outputs["in"])


def test_an_error_in_the_plugins_kernel_is_an_error_of_the_cell(outputs):
    *_, box, shown = outputs["in boom"]
    assert shown.output_type == "error"
    assert "KeyError: 'rabbit'" in "\n".join(shown.traceback)
    assert "{}['rabbit']" in box.data["text/plain"]


def test_the_console_command_names_a_connection_file(outputs):
    assert "jupyter console --existing /" in text_of(outputs["console"])
