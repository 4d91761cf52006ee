"""The pages that show one widget: what they are sent, and who is answered."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from nebula_lab.live.pages import MOST_PAGES, Pages


class Widget:
    """What all pages hear, as a browser's: everything, and each page takes its own."""

    def __init__(self, hub) -> None:
        self.said: list[dict[str, Any]] = []
        self.pages = Pages(hub.open, self.said.append)

    def hears(self, page: str, kind: str, **values: Any) -> None:
        self.pages.receive({"page": page, "message": {"type": kind, **values}})

    def of(self, page: str, kind: str) -> list[dict[str, Any]]:
        messages = [one["message"] for one in list(self.said) if one["page"] == page]
        return [message for message in messages if message["type"] == kind]


@pytest.fixture
def widget(hub):
    made = Widget(hub)
    yield made
    made.pages.close()


def test_a_page_that_hides_takes_nothing_from_another(widget, manager, wait_until):
    for page in ("one", "two"):
        widget.hears(page, "watch", topics=["plugins"])
        wait_until(lambda page=page: widget.of(page, "snapshot"), "a snapshot")
    widget.hears("one", "watch", topics=[])
    manager.load_plugin("counter")
    wait_until(lambda: widget.of("two", "changes"), "the change")
    assert not widget.of("one", "changes")


def test_the_same_number_is_a_request_of_each_page(widget, wait_until):
    for page, n in (("one", 1), ("two", 10)):
        call = {"plugin": "counter", "operation": "add", "params": {"n": n}}
        widget.hears(page, "call", id=1, **call)
        wait_until(lambda page=page: widget.of(page, "answer"), "an answer")
    texts = [widget.of(page, "answer")[0]["answer"]["text"] for page in ("one", "two")]
    assert texts == ["1", "11"]


def test_all_pages_are_told_when_the_other_side_goes(widget, hub):
    for page in ("one", "two"):
        widget.hears(page, "hello", protocol=1)
    hub.close()
    assert widget.of("one", "farewell") == widget.of("two", "farewell") == [{"type": "farewell"}]


def test_a_page_that_comes_after_that_is_told_too(widget, hub):
    hub.close()
    widget.hears("late", "hello", protocol=1)
    assert widget.of("late", "farewell")
    assert not widget.of("late", "welcome")


def test_so_many_pages_are_known_and_the_silent_ones_go(widget, hub):
    for number in range(MOST_PAGES + 3):
        widget.hears(str(number), "hello", protocol=1)
    told = [number for number in range(MOST_PAGES + 3) if widget.of(str(number), "farewell")]
    assert told == [0, 1, 2]


@pytest.mark.parametrize(
    "data", [None, "text", {}, {"page": 1, "message": {}}, {"page": "", "message": {}}]
)
def test_what_is_from_no_page_is_left_alone(widget, data):
    widget.pages.receive(data)
    assert widget.said == []


def test_a_page_is_told_whether_its_messages_arrive_while_a_cell_runs(widget):
    widget.hears("main", "hello", protocol=1)
    aside = threading.Thread(target=widget.hears, args=("aside", "hello"), kwargs={"protocol": 1})
    aside.start()
    aside.join()
    told = [widget.of(page, "welcome")[0]["direct"] for page in ("main", "aside")]
    assert told == [False, True]
