"""What a view is told, when, and what that costs while nobody looks."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
from front_end import FrontEnd

from nebula_lab import PluginError, PluginManager
from nebula_lab.live.feed import TURN
from nebula_lab.live.hub import LiveHub


def live_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "nebula-live"]


def test_a_view_is_sent_everything_and_then_what_is_different(front_end, manager):
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.of("snapshot"), "a snapshot")
    assert front_end.rows["counter"]["state"] == "Discovered"

    manager.load_plugin("counter")
    front_end.wait(lambda: front_end.rows["counter"]["state"] == "Loaded", "the new state")
    changes = [change for message in front_end.of("changes") for change in message["plugins"]]
    assert all("version" not in change for change in changes)
    assert len(front_end.of("snapshot")) == 1


def test_calls_are_counted_and_timed(front_end, manager):
    manager.load_plugin("counter")
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.rows, "a snapshot")
    for _ in range(20):
        manager.execute("counter", "add")
    row = lambda: front_end.rows["counter"]  # noqa: E731
    front_end.wait(lambda: row()["executions"] == 20, "the count")
    front_end.wait(lambda: row()["latency"], "the durations")
    p50, p95, p99 = row()["latency"]
    assert 0 < p50 <= p95 <= p99 < 30  # seconds
    front_end.wait(lambda: row()["rate"] == 0, "the rate to fall back when calls cease")


def test_the_health_of_a_plugin_is_asked_for_by_itself(front_end, manager):
    manager.load_plugin("counter")
    front_end.watch("plugins")
    front_end.wait(
        lambda: front_end.rows and front_end.rows["counter"]["health"] == "Degraded", "its health"
    )
    assert front_end.rows["counter"]["healthMessage"] == "tired"


def test_a_plugin_that_comes_or_goes_is_told_of(front_end, manager, write):
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.rows, "a snapshot")
    path = write("other")
    manager.rediscover()  # which is no event
    front_end.wait(lambda: "other" in front_end.rows, "the new plugin")
    path.unlink()
    manager.rediscover()
    front_end.wait(lambda: "other" not in front_end.rows, "the end of it")


def test_what_went_wrong_stands_in_the_row(front_end, manager, write):
    write("broken", "raise RuntimeError('not today')")
    manager.rediscover()
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.rows, "a snapshot")
    failure = front_end.ask("load", plugin="broken")
    assert failure["type"] == "failure"
    assert "not today" in failure["details"]
    front_end.wait(lambda: front_end.rows["broken"]["state"] == "Failed", "the state")
    front_end.wait(lambda: "not today" in front_end.rows["broken"]["error"], "the reason")


def test_the_last_of_all_errors_stands_in_the_row(front_end, manager, write):
    """Also one from before anybody looked, and until the plugin is brought up anew."""
    error = lambda: front_end.rows["counter"]["error"]  # noqa: E731
    fail = lambda: failure_of(manager, "counter", "boom")  # noqa: E731
    fail()
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.rows, "a snapshot")
    assert error() == "boom: ValueError: no more"
    assert front_end.rows["counter"]["errorAt"] > 0

    write("counter", "raise RuntimeError('not today')")
    assert front_end.ask("reload", plugin="counter")["type"] == "failure"
    front_end.wait(lambda: "not today" in error(), "the failed reload")
    fail()
    front_end.wait(lambda: error().startswith("boom: "), "the failed call after it")

    front_end.ask("suspend", plugin="counter")
    manager.execute("counter", "add")  # resumes it, which nobody has asked for
    front_end.wait(lambda: front_end.rows["counter"]["state"] == "Active", "its return")
    assert error()
    write("counter")
    front_end.ask("reload", plugin="counter")
    front_end.wait(lambda: not error(), "the end of it after a reload")
    assert front_end.rows["counter"]["errorAt"] is None
    fail()
    front_end.wait(error, "another failed call")
    front_end.ask("restart", plugin="counter")
    front_end.wait(lambda: not error(), "the end of it after a restart")


def failure_of(manager, plugin_id: str, operation: str) -> str:
    with pytest.raises(PluginError) as failure:
        manager.execute(plugin_id, operation)
    return failure.value.message


def test_all_of_a_cycle_are_left_out_with_the_reason(front_end, manager, write):
    write("ring_a", dependencies=["ring_b"])
    write("ring_b", dependencies=["ring_a"])
    manager.rediscover()
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.rows, "a snapshot")
    for plugin_id in ("ring_a", "ring_b"):
        assert front_end.rows[plugin_id]["leftOut"].startswith("depends on itself: ring_a → ring_b")


def test_a_view_that_is_hidden_costs_nothing(front_end, hub, manager):
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.of("snapshot"), "a snapshot")
    assert live_threads()
    dispatcher = manager._engine.dispatcher
    assert dispatcher._subscribers

    front_end.watch()
    front_end.wait(lambda: not live_threads(), "the end of the thread")
    assert not dispatcher._subscribers
    assert not hub.feed.is_running

    front_end.watch("plugins")
    front_end.wait(lambda: len(front_end.of("snapshot")) == 2, "another snapshot")


def test_a_view_that_is_not_heard_of_is_let_rest_and_comes_back(front_end, hub, monkeypatch):
    monkeypatch.setattr("nebula_lab.live.hub.SILENCE", 0.1)
    front_end.watch("plugins")
    front_end.wait(lambda: not live_threads(), "the end of the thread")
    monkeypatch.undo()
    front_end.send("beat")
    front_end.wait(lambda: len(front_end.of("snapshot")) == 2, "another snapshot")


def test_a_page_that_comes_anew_is_sent_everything(front_end):
    """The page before it, which had the same comm, need not have said that it goes."""
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.of("snapshot"), "a snapshot")
    front_end.send("hello", protocol=1)
    front_end.watch("plugins")
    front_end.wait(lambda: len(front_end.of("snapshot")) == 2, "another snapshot")


def test_a_greeting_that_comes_late_leaves_a_view_that_is_fed(front_end):
    """As where the cell that shows it goes on for long: the greeting waits for its end."""
    front_end.watch("plugins", serial=2)
    front_end.wait(lambda: front_end.of("snapshot"), "a snapshot")
    front_end.watch(serial=1)  # older than what came before it
    assert front_end.session.is_fed
    front_end.send("hello", protocol=1)
    assert not front_end.session.is_fed
    front_end.watch(serial=1)
    front_end.watch("plugins", serial=2)  # which it says again when it is welcome
    front_end.wait(lambda: len(front_end.of("snapshot")) == 2, "another snapshot")
    front_end.watch(serial=1)
    assert front_end.session.is_fed


def test_that_a_plugin_rests_is_no_error(front_end, manager):
    front_end.watch("plugins")
    manager.load_plugin("counter")
    manager._engine.lifecycle.suspend("counter", "nobody called it for 60 s")
    front_end.wait(lambda: front_end.rows["counter"]["state"] == "Suspended", "the new state")
    assert not front_end.rows["counter"]["error"]


def test_a_problem_that_is_another_one_is_told_of(front_end, manager, write):
    """Also where there are as many as before, and nothing but the look around shows it."""
    write("picky", dependencies=["counter >=9.0"])
    manager.rediscover()
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.rows, "a snapshot")
    before = front_end.of("snapshot")[-1]["totals"]
    assert "9.0" in front_end.rows["picky"]["leftOut"]
    write("picky", dependencies=["counter >=8.0"])
    manager.rediscover()
    front_end.wait(lambda: "8.0" in front_end.rows["picky"]["leftOut"], "the new reason")
    after = [message["totals"] for message in front_end.of("changes") if message["totals"]][-1]
    assert after["problems"] != before["problems"]
    assert after["errors"] == before["errors"]


def test_the_same_graph_is_not_sent_again(front_end, manager, write):
    front_end.watch("graph", "plugins")
    front_end.wait(lambda: front_end.of("graphChanged"), "the graph")
    write("broken", "raise RuntimeError('not today')", requires_nebula=">=99")
    manager.rediscover()
    front_end.wait(lambda: len(front_end.of("changes")) > 0, "what is new")
    graphs = [message["graph"] for message in front_end.of("graphChanged")]
    assert all(one != other for one, other in itertools.pairwise(graphs))


def test_a_front_end_whose_messages_arrive_while_a_cell_runs_is_let_rest(
    manager, wait_until, monkeypatch
):
    """It has a subshell; else a page that is closed would be fed for as long as the cell runs."""
    monkeypatch.setattr("nebula_lab.live.hub.SILENCE", 0.1)
    hub = LiveHub(lambda: manager, is_deaf=lambda: True)
    try:
        front_end = FrontEnd(hub, wait_until)
        aside = threading.Thread(target=front_end.watch, args=("plugins",))
        aside.start()
        aside.join()
        wait_until(lambda: not front_end.session.is_fed, "its rest")
    finally:
        hub.close()


def test_a_view_whose_messages_can_not_arrive_is_not_let_rest(manager, wait_until, monkeypatch):
    monkeypatch.setattr("nebula_lab.live.hub.SILENCE", 0.1)
    deaf = LiveHub(lambda: manager, is_deaf=lambda: True)
    try:
        front_end = FrontEnd(deaf, wait_until)
        front_end.watch("plugins")
        turns = deaf.feed.turns
        wait_until(lambda: deaf.feed.turns > turns + 1, "two looks around")
        assert front_end.session.is_fed
    finally:
        deaf.close()


def test_pushes_keep_their_distance(front_end, manager):
    manager.load_plugin("counter")
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.of("snapshot"), "a snapshot")
    deadline = time.monotonic() + 20
    while len(front_end.of("changes")) < 5:
        assert time.monotonic() < deadline
        for _ in range(100):
            manager.execute("counter", "add")
    moments = [message["at"] for message in front_end.of("changes")]
    # Several may be late together, and then come at once: what holds is their number.
    assert len(moments) <= (moments[-1] - moments[0]) / TURN + 2


def test_two_views_are_fed_by_one_thread(hub, manager, wait_until):
    views = [FrontEnd(hub, wait_until) for _ in range(3)]
    for view in views:
        view.watch("plugins")
        view.wait(lambda view=view: view.of("snapshot"), "a snapshot")
    assert len(live_threads()) == 1
    manager.load_plugin("counter")
    for view in views:
        view.wait(lambda view=view: view.rows["counter"]["state"] == "Loaded", "the state")


def test_a_view_whose_front_end_is_gone_holds_up_no_other(hub, manager, wait_until):
    def gone(message):
        raise ConnectionError("closed")

    hub.open(gone).receive({"type": "watch", "topics": ["plugins"]})
    front_end = FrontEnd(hub, wait_until)
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.rows, "a snapshot")
    manager.load_plugin("counter")
    front_end.wait(lambda: front_end.rows["counter"]["state"] == "Loaded", "the state")


def test_another_manager_is_shown_in_its_place(front_end, hub, manager, write, tmp_path):
    front_end.watch("plugins", "graph")
    front_end.wait(lambda: front_end.of("snapshot"), "a snapshot")
    write("elsewhere", folder="others")
    config = {"plugin_dir": tmp_path / "others", "security": {"sandbox": "None"}}
    with PluginManager(config) as other:
        hub.feed.follow(other)
        manager.close()
        front_end.wait(lambda: set(front_end.rows) == {"elsewhere"}, "the other plugins")


def test_a_manager_that_is_closed_leaves_the_view_standing(front_end, manager):
    front_end.watch("plugins")
    front_end.wait(lambda: front_end.of("snapshot"), "a snapshot")
    manager.close()
    failure = front_end.ask("load", plugin="counter")
    assert failure["error"] == "ManagerClosedError"


def test_the_graph_is_sent_with_its_cycles_and_conflicts(front_end, manager, write):
    write("ring_a", dependencies=["ring_b"])
    write("ring_b", dependencies=["ring_a >=1.0"])
    write("picky", dependencies=["counter >=9.0"])
    write("lost", dependencies=["nowhere"])
    manager.rediscover()
    front_end.watch("graph")
    graph = front_end.wait(lambda: front_end.of("graphChanged"), "the graph")[-1]["graph"]
    nodes = {node["id"]: node for node in graph["nodes"]}
    edges = {(edge["dependent"], edge["dependency"]): edge for edge in graph["edges"]}
    assert nodes["nowhere"]["state"] == "missing"
    assert nodes["ring_a"]["state"] == "left out"
    assert "counter" in nodes["picky"]["conflict"]
    assert edges["ring_a", "ring_b"]["kind"] == "cycle"
    assert edges["picky", "counter"]["kind"] == "unsuitable"
    assert "picky.py" in edges["picky", "counter"]["where"]
    [cycle] = graph["cycles"]
    assert cycle["path"] == ["ring_a", "ring_b"]
    assert ["ring_a.py" in text for text in cycle["declared"]] == [True, False]


@pytest.mark.in_sandbox("Process")
def test_lines_are_followed_from_the_first_that_is_kept(front_end, manager):
    manager.execute("counter", "say", {"text": "before"})
    front_end.watch(logs=["counter"])
    texts = lambda: [  # noqa: E731
        line["text"] for message in front_end.of("logLines") for line in message["lines"]
    ]
    front_end.wait(lambda: texts() == ["before", "before"], "what was written before")
    manager.execute("counter", "say", {"text": "after"})
    front_end.wait(lambda: texts()[2:] == ["after", "after"], "what is written now")
    assert not any(message["missed"] for message in front_end.of("logLines"))


@pytest.mark.in_sandbox("Process")
def test_lines_that_are_thrown_away_meanwhile_are_counted(front_end, manager):
    manager.load_plugin("counter")
    front_end.watch(logs=["counter"])
    front_end.wait(lambda: front_end.of("logLines"), "the beginning")
    manager.execute("counter", "say", {"text": "\n".join(map(str, range(3000)))})
    front_end.wait(lambda: any(one["missed"] for one in front_end.of("logLines")), "the gap")


def test_a_plugin_that_had_no_time_is_asked_for_its_health_soon_after(front_end, manager):
    manager.load_plugin("counter")
    number = front_end.start("call", plugin="counter", operation="nap", params={"seconds": 2.5})
    front_end.wait(lambda: manager.plugin_info("counter").state.value == "Active", "the call")
    assert manager.health_if_idle("counter") is None
    front_end.watch("plugins")
    # Within ten seconds, which is when it would be asked again had it said something.
    front_end.wait(
        lambda: front_end.rows and front_end.rows["counter"]["health"] == "Degraded", "its health"
    )
    front_end.end_of(number)
