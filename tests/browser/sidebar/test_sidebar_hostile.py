"""Whatever a kernel sends is shown as text, and the panel keeps its shape."""

from __future__ import annotations

import json

import pytest
from notebook_page import NotebookPage, write_notebook
from playwright.sync_api import expect
from sidebar_page import Sidebar

IMAGE = "<img src=x onerror=\"window.hacked='image'\">"
LINK = "javascript:window.hacked='link'"
REVERSED = "\u202egnp.exe\u2066\u200b"
LONG = "L" * 1_000_000
TEXTS = {
    "image": IMAGE,
    "link": LINK,
    "reversed": REVERSED,
    "long": LONG,
    "template": "${alert(1)}{{7*7}}",
}

# A kernel that has turned on its user: it answers as ours would, with texts that nobody cleaned.
HOSTILE_KERNEL = """
import json, time
from pathlib import Path
TEXTS = json.loads(Path("texts.json").read_text())

def row(name, text):
    return {
        "id": name + text, "name": text, "version": text, "description": text, "state": "Failed",
        "leftOut": text, "sandbox": text, "rights": [text], "pid": 1, "health": "Unhealthy",
        "healthMessage": text, "executions": 1, "failures": 1, "rate": 0.0,
        "latency": [0.1, 0.1, 0.1], "cpu": 1.0, "memory": 1, "reloads": 0, "restarts": 0,
        "loadedAt": 0.0, "lastUsed": 0.0, "error": text, "errorAt": 0.0,
    }

rows = [row(*one) for one in TEXTS.items()]
totals = {"plugins": 5, "serving": 0, "failed": 5, "executions": 0, "failures": 0,
          "errors": 5, "notes": 0}
text = "".join(one[:500] for one in TEXTS.values())
ANSWERS = {
    "problems": {"kind": "problems", "leftOut": 0, "problems": [
        {"plugin": t, "kind": t, "severity": "error", "message": t, "where": t, "cure": t}
        for t in TEXTS.values()]},
    "samples": {"kind": "samples", "leftOut": 0, "samples": [
        {"plugin": n + t[:900], "operation": t, "description": t, "code": t, "magic": t}
        for n, t in TEXTS.items()]},
}

comms = []

def snapshot(rows):
    return {"type": "snapshot", "at": 0.0, "plugins": rows, "totals": totals, "trends": []}

def opened(comm, message):
    comms.append(comm)
    def answer(message):
        data = message["content"]["data"]
        if data["type"] == "hello":
            comm.send({"type": "welcome", "protocol": data["protocol"], "version": "0"})
        elif data["type"] == "watch":
            if "plugins" in data["topics"]:
                comm.send(snapshot(rows))
            for plugin in data.get("logs", ()):
                lines = [{"at": 0.0, "level": 40, "stream": "stderr", "text": t}
                         for t in TEXTS.values()]
                comm.send({"type": "logLines", "plugin": plugin, "missed": 0, "lines": lines})
        elif data["type"] in ANSWERS:
            comm.send({"type": "answer", "id": data["id"], "answer": ANSWERS[data["type"]]})
        elif "id" in data:
            comm.send({"type": "failure", "id": data["id"], "error": text, "message": text,
                       "hint": text, "details": text * 9})
    comm.on_msg(answer)

JUNK = [
    {}, {"type": None}, {"type": "snapshot"}, {"type": "changes", "plugins": 7},
    {"type": "answer"}, {"type": "logLines", "plugin": {}}, {"type": "welcome"},
    {"type": ["snapshot"]},
]
def send_junk():
    for comm in comms:
        for junk in JUNK:
            comm.send(junk)
        comm.send({"type": "welcome", "protocol": 1, "version": "0"})
        comm.send(snapshot([row("later", "")]))

from comm.base_comm import BaseComm

class Mark(BaseComm):
    def publish_msg(self, *args, **keys): pass

manager = get_ipython().kernel.comm_manager
manager.register_target("nebula_lab", opened)
manager.register_comm(Mark(target_name="nebula_lab.loaded", primary=False))
"nebula_lab"
"""


@pytest.fixture(scope="module")
def hostile(lab, desk_page, desk_folder) -> Sidebar:
    """The panel beside a notebook whose kernel is hostile."""
    (desk_folder / "texts.json").write_text(json.dumps(TEXTS))
    write_notebook(desk_folder / "hostile.ipynb", [HOSTILE_KERNEL])
    path = str((desk_folder / "hostile.ipynb").relative_to(lab.root))
    notebook = NotebookPage(desk_page, lab.url, path)
    notebook.open(mode="lab")
    sidebar = Sidebar(desk_page)
    sidebar.show()
    notebook.run(0)
    expect(sidebar.rows).to_have_count(len(TEXTS))
    return sidebar


@pytest.fixture(autouse=True)
def nothing_ran_and_the_layout_held(hostile):
    """After each test: no script ran, no element was made of a text, nothing sticks out."""
    yield
    page = hostile.page
    assert page.evaluate("window.hacked") is None
    assert hostile.panel.locator("img, script, iframe, a[href^='javascript']").count() == 0
    box, main = hostile.panel.bounding_box(), page.locator("#jp-main-dock-panel").bounding_box()
    assert box["x"] + box["width"] <= main["x"] + 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def row_of(sidebar, name):
    return sidebar.panel.locator(f'.nl-side-item[data-plugin^="{name}"] .nl-side-row')


def test_names_are_text(hostile):
    expect(row_of(hostile, "image")).to_contain_text("<img src=x onerror")
    expect(row_of(hostile, "link")).to_contain_text("javascript:")


def test_a_text_that_turns_the_direction_turns_no_other(hostile):
    name = row_of(hostile, "reversed").locator(".nl-side-name")
    assert name.evaluate("node => getComputedStyle(node).unicodeBidi") == "isolate"


def test_a_name_of_a_megabyte_takes_one_line(hostile):
    assert row_of(hostile, "long").bounding_box()["height"] < 80
    assert len(row_of(hostile, "long").inner_text()) < 5_000


def test_details_are_text(hostile):
    for name in TEXTS:
        row_of(hostile, name).click()
        details = hostile.panel.locator(f'.nl-side-item[data-plugin^="{name}"] .nl-side-detail')
        expect(details).to_be_visible()
        row_of(hostile, name).click()


def test_a_failure_is_text(hostile):
    row_of(hostile, "image").click()
    hostile.panel.locator(".nl-side-fold summary").last.click()
    expect(hostile.panel.locator(".nl-failure").last).to_contain_text("<img src=x")
    row_of(hostile, "image").click()


def test_samples_are_text_and_are_inserted_as_they_are_shown(hostile):
    samples = hostile.section("samples").locator(".nl-side-sample")
    expect(samples).to_have_count(len(TEXTS))
    samples.first.click()
    source = hostile.page.evaluate(
        "window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.source"
    )
    assert source == IMAGE


def test_problems_are_text(hostile):
    expect(hostile.section("problems").locator(".nl-problem")).to_have_count(len(TEXTS))


def test_logs_are_text(hostile):
    expect(hostile.section("logs").locator(".nl-log-line")).to_have_count(len(TEXTS))


def test_messages_that_are_no_messages_are_got_over(hostile):
    hostile.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({ code: 'send_junk()', silent: true }).done"""
    )
    expect(hostile.item("later")).to_be_visible()
