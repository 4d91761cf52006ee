"""What an operation prints, shows and logs reaches the call that ran it, ahead of its result."""

from __future__ import annotations

import logging

import pytest


def test_prints_warnings_and_log_records_come_in_order(plugins, notebook):
    assert plugins.execute("calm", "speak") == "six"
    seen = notebook.seen()
    assert [event[0] for event in seen] == ["stdout", "stderr", "log", "stderr", "stdout"]
    assert (seen[0][1], seen[1][1], seen[4][1]) == ("one\n", "two\n", "five")
    assert seen[2][1:] == (logging.WARNING, "three")
    assert "UserWarning: four" in seen[3][1]


def test_displays_their_updates_and_clearing_come_in_order(plugins, notebook):
    plugins.execute("calm", "show")
    seen = notebook.seen()
    assert [event[0] for event in seen] == [
        "stdout", "display", "update", "stdout", "update", "stdout",
    ]  # fmt: skip
    shown, updated, cleared = seen[1][1], seen[2][1], seen[4][1]
    assert shown["data"]["text/markdown"] == "**1**"
    assert updated["data"]["text/markdown"] == "**2**"
    assert shown["transient"]["display_id"] == updated["transient"]["display_id"]
    assert cleared == {"data": {"text/plain": ""}, "metadata": {}, "transient": shown["transient"]}


SOURCES = {
    "child": "from a child\n",
    "fork": "from a fork\n",
    "raw": "past python\n",
    "threads": "from a thread\nfrom a pool\n",
}


@pytest.mark.parametrize("operation", SOURCES)
def test_output_that_does_not_come_from_the_operations_own_frames_reaches_its_caller(
    plugins, notebook, operation
):
    plugins.execute("calm", operation)
    assert SOURCES[operation] in notebook.text()


def test_a_channel_is_whole_after_the_plugin_forked(plugins):
    plugins.execute("calm", "fork")
    assert plugins.execute("calm", "add", {"a": 1}) == 2


def test_a_thousand_lines_come_in_order(plugins, notebook):
    assert plugins.execute("calm", "print_lines", {"count": 1000}) == 1000
    assert notebook.text() == "".join(f"line {number}\n" for number in range(1000))


def test_a_million_characters_come_whole_and_in_order(plugins, notebook):
    plugins.execute("calm", "flood", {"characters": 1_000_000})
    lines = notebook.text().splitlines()
    assert [int(line[:9]) for line in lines] == list(range(0, 1_000_000, 1000))
    assert {len(line) for line in lines} == {999}


def test_a_line_without_its_end_comes_ahead_of_the_result(plugins, notebook):
    plugins.execute("calm", "say", {"text": "a\nb"})
    assert notebook.text() == "a\nb\n"


def test_async_calls_at_once_are_each_shown_their_own_lines(plugins, notebook, in_background):
    calls = {
        name: in_background(_said, plugins, notebook, "tasks", name) for name in ("a", "b", "c")
    }
    for name, call in calls.items():
        assert call.result() == "".join(f"{name} {number}\n" for number in range(100))


def test_calls_on_threads_at_once_are_each_shown_their_own_lines(plugins, notebook, in_background):
    calls = {
        name: in_background(_said, plugins, notebook, "crowd", name)
        for name in ("a", "b", "c", "d")
    }
    for name, call in calls.items():
        lines = "".join(f"{name} {number}\n" for number in range(100))
        assert call.result() == f"{lines}{name} has a thread\n"


def _said(plugins, notebook, plugin_id, name):
    plugins.execute(plugin_id, "say", {"name": name, "count": 100})
    return notebook.text()


def test_what_a_thread_prints_after_its_call_goes_to_the_plugins_log_only(
    plugins, notebook, tmp_path, wait_until
):
    plugins.execute("calm", "leave_a_thread", {"path": f"{tmp_path}/go"})
    path = tmp_path / "go"
    plugins.execute("calm", "say", {"text": "another call"})
    path.touch()
    late = "from a thread that was left behind"
    wait_until(
        lambda: late in "".join(line.text for line in plugins.logs("calm")), "the thread's line"
    )
    assert late not in "".join(str(event) for _, event in notebook.events)


def test_an_item_of_a_stream_comes_after_what_was_printed_before_it(plugins, notebook):
    seen = []
    for item in plugins.execute("tasks", "count", {"upto": 5}):
        seen.append((item, notebook.text().count("item")))
    assert [item for item, _ in seen] == [0, 1, 2, 3, 4]
    assert all(printed > item for item, printed in seen)


def test_half_a_pair_of_surrogates_is_printed_escaped(plugins, notebook):
    with pytest.raises(Exception, match="half a pair"):
        plugins.execute("calm", "surrogates")
    assert notebook.text() == "half a pair: \\ud83d\n"
