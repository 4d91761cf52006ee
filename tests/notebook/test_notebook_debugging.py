"""`%plugin debug` and `%plugin console`."""

from __future__ import annotations

import builtins

import pytest
from IPython.core.error import StdinNotImplementedError, UsageError

from nebula_lab.errors import ExecutionFailedError, NothingToDebugError


@pytest.fixture
def failed(notebook):
    """A notebook in which a call has failed."""
    assert isinstance(notebook.run("%plugin call counter boom").error, ExecutionFailedError)
    return notebook


@pytest.fixture
def typed(monkeypatch):
    """Types lines at the prompt; gives the prompts that came."""

    def type_in(*lines):
        prompts = []
        left = iter(lines)

        def answer(prompt=""):
            prompts.append(prompt)
            line = next(left)
            if isinstance(line, type):
                raise line
            return line

        monkeypatch.setattr(builtins, "input", answer)
        return prompts

    return type_in


def test_commands_on_the_line_print_what_they_give(failed):
    cell = failed.run('%plugin debug counter -c "p self.count" -c "p 1 + 1"')
    assert cell.error is None
    assert cell.stdout == "0\n2\n"


def test_commands_on_the_line_begin_at_the_frame_that_raised(failed):
    failed.run('%plugin debug counter -c "p 1" -c "!x = 1" -c "up"')
    assert "-> return 1 // 0" in failed.run('%plugin debug counter -c "where"').stdout


def test_the_stack_is_shown_and_then_lines_are_asked_for(failed, typed):
    prompts = typed("p self.count", "q")
    shown = failed.run("%plugin debug counter").stdout
    assert shown.startswith("counter.boom: ZeroDivisionError: ")
    assert "-> return 1 // 0" in shown
    assert shown.endswith("\n0\n")
    assert prompts == ["counter> ", "counter> "]


def test_an_empty_line_says_the_last_one_again(failed, typed):
    typed("p 'again'", "", "quit")
    assert failed.run("%plugin debug counter").stdout.count("'again'") == 2


def test_a_command_that_takes_too_long_does_not_end_the_session(failed, typed):
    typed("!import time\nwhile True: time.sleep(0.01)", "p 'after'", "q")
    shown = failed.run("%plugin debug counter --timeout 2").stdout
    assert "no answer within 2 s" in shown
    assert shown.endswith("'after'\n")


@pytest.mark.parametrize("end", [KeyboardInterrupt, EOFError])
def test_an_interrupt_at_the_prompt_ends_it(failed, typed, end):
    typed(end)
    assert failed.run("%plugin debug counter").error is None


def test_where_nothing_can_be_typed_it_says_how_to_go_on(failed, typed):
    typed(StdinNotImplementedError)
    shown = failed.run("%plugin debug counter").stdout
    assert "-> return 1 // 0" in shown
    assert '%plugin debug counter -c "up" -c "p name"' in shown


def test_without_a_failed_call_it_is_an_error(notebook):
    notebook.run("%plugin load counter")
    error = notebook.run("%plugin debug counter").error
    assert isinstance(error, NothingToDebugError)
    assert "no call of it has failed" in str(error)


def test_a_plugin_has_to_be_named(notebook):
    assert isinstance(notebook.run("%plugin debug").error, UsageError)


def test_plugins_and_options_are_completed(notebook):
    assert "counter" in notebook.complete("%plugin debug ")
    assert "--command" in notebook.complete("%plugin debug counter --")


def test_the_help_lists_what_can_be_typed(notebook):
    assert "pp EXPRESSION" in notebook.run("%plugin debug --help").stdout


def test_an_error_of_a_call_between_plugins_shows_the_frames_of_both(notebook):
    (notebook.plugins / "asker.py").write_text(
        (notebook.plugins / "dependent.py")
        .read_text()
        .replace("dependent", "asker")
        .replace('"add", {"n": n}', '"boom"')
    )
    notebook.run("%plugin config plugin_resource.yaml")
    shown = notebook.run("%plugin call asker twice n=1").stdout
    assert "The plugin's own traceback, in asker.twice:" in shown
    assert "The plugin's own traceback, in counter.boom:" in shown
    assert shown.count("return 1 // 0") == 1


def test_a_plugin_in_this_process_has_no_kernel_to_attach_to(notebook):
    shown = notebook.run("%plugin console counter").stdout
    assert "has no kernel of its own" in shown
    assert "%%in counter" in shown


def test_the_help_of_console_tells_of_in(notebook):
    assert "%%in ID" in notebook.run("%plugin console --help").stdout


def test_a_plugin_that_is_not_loaded_is_loaded_to_attach_to_it(notebook):
    (notebook.folder / "plugin_resource.yaml").write_text('plugin_dir: "plugins"\n')
    notebook.run("%plugin config plugin_resource.yaml")
    lines = notebook.run("%plugin console counter").stdout.splitlines()
    command = next(line for line in lines if line.startswith("jupyter console --existing "))
    path = notebook.run("plugins.connection_file('counter')").value
    assert command.split()[-1] == str(path)
    assert path.is_file()
