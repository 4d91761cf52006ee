"""What the error of a failed call shows: the plugin's own frames, with the lines that ran."""

from __future__ import annotations

import pytest

from nebula_lab.errors import ExecutionFailedError, LoadFailedError, remote_tracebacks

FAILING = """
@operation
def boom(self) -> int:
    return 1 // 0
@operation
def caused(self):
    try:
        self.boom()
    except ZeroDivisionError as error:
        raise ValueError("no quotient") from error
@operation
def while_handling(self):
    try:
        self.boom()
    except ZeroDivisionError:
        raise KeyError("gone")
@operation
def group(self):
    raise ExceptionGroup("both", [ValueError("one"), ExceptionGroup("inner", [KeyError("two")])])
@operation
def noted(self):
    error = ValueError("bad")
    error.add_note("row 7 of sales.csv")
    raise error
@operation
def wrong_code(self):
    exec("x = = 3")
@operation
def deep(self, n: int = 0):
    return self.deeper(n)
def deeper(self, n):
    return self.deep(n + 1)
@operation
def mute(self):
    raise Mute
@operation
def mute_runtime(self):
    raise MuteRuntime
@operation
def leaves(self):
    raise Leaves
@operation
def odd_notes(self):
    error = ValueError("bad")
    error.__notes__ = 7
    raise error
@operation
def long_chain(self):
    error = None
    for number in range(3_000):
        following = ValueError(str(number))
        following.__context__ = error
        error = following
    raise error
@operation
def fine(self) -> int:
    return 1
"""
MUTE = """
class Mute(Exception):
    def __str__(self): raise OSError
class MuteRuntime(RuntimeError):
    def __str__(self): raise OSError
class Leaves(Exception):
    def __str__(self): raise SystemExit
"""
CALLER = """
@operation
def twice(self, to: str):
    return self.context.call(to, "boom")
@operation
def passed_on(self, to: str):
    return self.context.call("caller", "twice", {"to": to})
@operation
def wrapped(self, to: str):
    try:
        self.context.call(to, "boom")
    except Exception as error:
        raise ValueError("no answer") from error
@operation
def survived(self, to: str):
    try:
        self.context.call(to, "boom")
    except Exception:
        pass
    {}["of my own"]
"""


@pytest.fixture(scope="module", params=["Process", "None"])
def plugins(request, shared_folder):
    path = shared_folder.plugin("failing", FAILING)
    path.write_text(path.read_text().replace("class It", f"{MUTE}\nclass It"))
    shared_folder.plugin("caller", CALLER, dependencies=["failing"])
    shared_folder.plugin("outer", CALLER, dependencies=["failing", "caller"])
    with shared_folder.manager(request.param) as manager:
        yield manager


def error_of(plugins, operation, plugin="failing", params=None) -> ExecutionFailedError:
    with pytest.raises(ExecutionFailedError) as caught:
        plugins.execute(plugin, operation, params)
    return caught.value


def shown(plugins, operation) -> str:
    return error_of(plugins, operation).remote_traceback


def test_the_lines_are_those_that_ran_and_not_those_on_disk(plugins, shared_folder):
    path = shared_folder.path / "failing.py"
    source = path.read_text()
    plugins.execute("failing", "fine")
    try:
        path.write_text(source.replace("return 1 // 0", "return 2 // 0"))
        assert "    return 1 // 0\n" in shown(plugins, "boom")
    finally:
        path.write_text(source)


def test_after_a_reload_that_failed_the_lines_are_those_that_still_run(plugins, shared_folder):
    path = shared_folder.path / "failing.py"
    source = path.read_text()
    plugins.execute("failing", "fine")
    try:
        path.write_text(source.replace("return 1 // 0", "return 2 // 0") + "\nraise OSError\n")
        with pytest.raises(LoadFailedError):
            plugins.reload_plugin("failing")
        assert "    return 1 // 0\n" in shown(plugins, "boom")
    finally:
        path.write_text(source)


def test_a_cause_and_its_frames_are_shown(plugins):
    text = shown(plugins, "caused")
    assert text.index("ZeroDivisionError") < text.index("direct cause") < text.index("no quotient")


def test_an_error_while_another_was_handled_shows_both(plugins):
    text = shown(plugins, "while_handling")
    assert text.index("ZeroDivisionError") < text.index("During handling") < text.index("gone")


def test_a_group_shows_each_of_its_errors(plugins):
    text = shown(plugins, "group")
    assert "ValueError: one" in text
    assert "KeyError: 'two'" in text


def test_notes_are_shown(plugins):
    assert shown(plugins, "noted").endswith("ValueError: bad\nrow 7 of sales.csv")


def test_a_syntax_error_shows_the_code_and_the_place(plugins):
    text = shown(plugins, "wrong_code")
    assert 'exec("x = = 3")' in text
    assert "    x = = 3\n        ^\nSyntaxError: invalid syntax" in text


def test_a_recursion_without_end_is_cut_in_its_middle(plugins):
    text = shown(plugins, "deep")
    assert text.startswith("Traceback (most recent call last):")
    assert "RecursionError: maximum recursion depth exceeded" in text[-200:]
    assert len(text) < 25_000


@pytest.mark.parametrize("operation", ["mute", "mute_runtime", "leaves"])
def test_an_error_whose_text_can_not_be_had_is_told_and_harms_nothing(plugins, operation):
    error = error_of(plugins, operation)
    assert "whose text can't be had" in error.message
    assert f"in {operation}" in error.remote_traceback
    assert plugins.execute("failing", "fine") == 1


def test_notes_that_are_none_harm_nothing(plugins):
    assert "ValueError: bad" in shown(plugins, "odd_notes")


def test_a_long_chain_of_errors_is_told(plugins):
    assert shown(plugins, "long_chain").endswith("ValueError: 2999")


# Calls between plugins


def test_a_call_that_failed_in_another_plugin_shows_the_frames_of_both(plugins):
    error = error_of(plugins, "twice", "caller", {"to": "failing"})
    (outer, mine), (inner, theirs) = remote_tracebacks(error)
    assert (outer, inner) == ("caller.twice", "failing.boom")
    assert 'self.context.call(to, "boom")' in mine
    assert "return 1 // 0" in theirs
    assert "return 1 // 0" not in mine


def test_the_error_of_the_other_plugin_is_there_as_an_object(plugins):
    cause = error_of(plugins, "twice", "caller", {"to": "failing"}).remote_cause
    assert isinstance(cause, ExecutionFailedError)
    assert (cause.plugin_id, cause.operation, cause.error_type) == (
        "failing", "boom", "ZeroDivisionError",
    )  # fmt: skip


def test_the_text_has_each_plugins_frames_under_its_name_once(plugins):
    text = str(error_of(plugins, "passed_on", "outer", {"to": "failing"}))
    names = ["In outer.passed_on:", "In caller.twice:", "In failing.boom:"]
    places = [text.index(name) for name in names]
    assert places == sorted(places)
    assert text.count("return 1 // 0") == 1


def test_a_failed_call_is_found_behind_the_error_that_was_made_of_it(plugins):
    error = error_of(plugins, "wrapped", "caller", {"to": "failing"})
    assert error.error_type == "ValueError"
    assert error.remote_cause.error_type == "ZeroDivisionError"


def test_a_failed_call_that_was_coped_with_is_not_blamed(plugins):
    assert error_of(plugins, "survived", "caller", {"to": "failing"}).remote_cause is None
