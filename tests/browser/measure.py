"""Measures the dashboard in a real JupyterLab: `python tests/browser/measure.py`, prints JSON.

- `first_paint_ms`: from the end of the cell `%plugin` until 20 rows are on the page
- `click_ms`: from a click until the answer is on the page, while `time.sleep` runs and while
  nothing does: the difference is what a busy kernel costs
- `cpu_percent`: of the kernel with 50 plugins in processes of their own, as parts of one core: with
  no dashboard, with one that is seen, with one that is seen and calls each quarter of a second,
  with the same calls and none seen, and with one that is hidden
- `graph`: how long a graph of 500 plugins and their 754 dependencies takes until it is drawn, and
  the most processor time of one task of the page meanwhile, in which it does nothing else
- `many`: a dashboard of 200 plugins that are called 40 times a second, while it is scrolled: frames
  a second, and the most processor time of one task of the page
- `gzip_bytes`: of what a widget carries
"""

from __future__ import annotations

import gzip
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from chromium import ARGUMENTS, chromium
from lab_server import LabServer
from notebook_page import PATIENCE, NotebookPage, write_notebook
from playwright.sync_api import Browser, Page, sync_playwright

import nebula_lab

STATIC = Path(nebula_lab.__file__).parent / "notebook" / "static"
LOOK = 20.0  # seconds
ROUNDS = 7
TIMELINE = ["devtools.timeline", "disabled-by-default-devtools.timeline"]
PLUGIN = """
from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {{"id": "{id}", "version": "1.0.0"}}
class It(Plugin):
    @operation
    def add(self, n: int = 1) -> int:
        return n
def plugin_entry():
    return It()
"""
PAINT = """number => new Promise((resolve, reject) => {
    const cell = window.jupyterapp.shell.currentWidget.content.widgets[number];
    const begun = performance.now();
    let ended;
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = number;
    void window.jupyterapp.commands.execute('notebook:run-cell').then(() => {
        ended = performance.now();
    });
    const look = () => {
        const rows = cell.node.querySelectorAll('.nl-row').length;
        if (ended !== undefined && rows === 20) {
            resolve(performance.now() - ended);
        } else if (performance.now() > PATIENCE + (ended ?? begun)) {
            const says = cell.node.querySelector('.nl-bar')?.textContent;
            reject(new Error(`${rows} rows, cell ended: ${ended !== undefined}, it says: ${says}`));
        } else {
            requestAnimationFrame(look);
        }
    };
    look();
})""".replace("PATIENCE", str(PATIENCE))
CLICK = """() => new Promise((resolve, reject) => {
    const below = document.querySelector('.nl-below:not([hidden])');
    const [, operations, , history] = below.querySelectorAll('[role=tab]');
    operations.click();
    const panel = below.querySelector('.nl-history');
    panel.replaceChildren();
    const begun = performance.now();
    history.click();
    const look = () => {
        if (panel.querySelector('table, .nl-quiet')) {
            resolve(performance.now() - begun);
        } else if (performance.now() > PATIENCE + begun) {
            reject(new Error(`no answer; the panel says: ${panel.textContent}`));
        } else {
            setTimeout(look, 1);
        }
    };
    look();
})""".replace("PATIENCE", str(PATIENCE))
CALLS = """
import threading, time
calling = threading.Event()
def call():
    while calling.is_set():
        for one in list(plugins)[:10]:
            plugins.execute(one, "add")
        time.sleep(0.25)
def begin():
    calling.set()
    threading.Thread(target=call, daemon=True).start()
"""

# Scrolls whatever the rows scroll in, up and down, and counts frames.
SCROLL = """async ([row, seconds]) => {
    let box = document.querySelector(row);
    while (box.scrollHeight <= box.clientHeight || getComputedStyle(box).overflowY === 'visible') {
        box = box.parentElement;
    }
    const until = performance.now() + 1000 * seconds;
    let frames = 0;
    while (performance.now() < until) {
        const now = await new Promise(resolve => requestAnimationFrame(resolve));
        frames += 1;
        box.scrollTop = (0.5 - 0.5 * Math.cos(now / 1000)) * (box.scrollHeight - box.clientHeight);
    }
    return frames;
}"""

# The widget alone on a page, with a model whose kernel answers and then sends a graph.
DRAW = """async ([source, graph]) => {
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    const widget = (await import(url)).default();
    const listeners = [];
    const tell = (page, message) => listeners.forEach(one => one({ page, message }));
    let page;
    const model = {
        on: (name, listener) => name === 'msg:custom' && listeners.push(listener),
        off: () => undefined,
        send: sent => {
            page = sent.page;
            const { type, protocol } = sent.message;
            if (type === 'hello') {
                const welcome = { type: 'welcome', protocol, version: '', direct: true };
                setTimeout(() => tell(page, welcome));
            }
        },
    };
    widget.initialize({ model });
    widget.render({ model, el: document.body });
    await new Promise(resolve => setTimeout(resolve, 500));
    const begun = performance.now();
    tell(page, { type: 'graphChanged', graph });
    const summary = document.querySelector('.nl-summary');
    while (!summary.textContent.includes(String(graph.nodes.length))) {
        if (performance.now() > PATIENCE + begun) {
            throw new Error(`no graph; it says: ${summary.textContent}`);
        }
        await new Promise(resolve => setTimeout(resolve, 10));
    }
    return Math.round(performance.now() - begun);
}""".replace("PATIENCE", str(PATIENCE))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="measure-") as folder:
        server = LabServer(Path(folder))
        try:
            server.wait()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
                found = {
                    "first_paint_ms": first_paint(server, browser.new_page()),
                    **with_fifty(server, browser.new_page()),
                    "many": with_two_hundred(server, browser),
                    "graph": large_graph(browser),
                    "gzip_bytes": sizes(),
                }
                browser.close()
        finally:
            server.close()
    print(json.dumps(found, indent=2))


def opened(server: LabServer, page: Page, count: int, cells: list[str]) -> NotebookPage:
    folder = server.root / f"with{count}"
    (folder / "plugins").mkdir(parents=True)
    for number in range(count):
        one = f"plugin_{number:02}"
        (folder / "plugins" / f"{one}.py").write_text(PLUGIN.format(id=one))
    write_notebook(folder / "test.ipynb", cells)
    notebook = NotebookPage(page, server.url, f"with{count}/test.ipynb")
    notebook.open()
    return notebook


def first_paint(server: LabServer, page: Page) -> dict[str, float]:
    """The first time a session shows one, and the times after it."""
    notebook = opened(server, page, 20, ["%load_ext nebula_lab"] + ["%plugin"] * ROUNDS)
    notebook.run(0)
    times = []
    for number in range(1, ROUNDS + 1):
        notebook.command("notebook:clear-all-cell-outputs")  # what is below the fold is not drawn
        times.append(page.evaluate(PAINT, number))
    server.end_kernels()
    return {"first": round(times[0]), "median_after": round(statistics.median(times[1:]))}


def with_fifty(server: LabServer, page: Page) -> dict[str, object]:
    cells = [
        "%load_ext nebula_lab",
        "for one in plugins: plugins.load_plugin(one)",
        CALLS,
        "%plugin",
        "import time; time.sleep(8)",
        "begin()",
        "calling.clear()",
    ]
    notebook = opened(server, page, 50, cells)
    for number in range(3):
        notebook.run(number)
    kernel = kernel_process()
    cpu = {"none": percent(kernel)}
    notebook.run(3)
    page.wait_for_selector(".nl-row")
    clicks = click_times(notebook)
    cpu["seen"] = percent(kernel)
    notebook.run(5)
    cpu["seen_with_calls"] = percent(kernel)
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 3")
    notebook.command("notebook:hide-cell-outputs")
    cpu["hidden_with_calls"] = percent(kernel)
    notebook.run(6)
    cpu["hidden"] = percent(kernel)
    return {"click_ms": clicks, "cpu_percent": cpu}


def with_two_hundred(server: LabServer, browser: Browser) -> dict[str, int]:
    server.end_kernels()
    page = browser.new_page()
    load = "for one in list(plugins)[{}:{}]: plugins.load_plugin(one)"
    loads = [load.format(first, first + 25) for first in range(0, 200, 25)]
    cells = ["%load_ext nebula_lab", *loads, CALLS, "%plugin", "begin()"]
    notebook = opened(server, page, 200, cells)
    for number in range(len(cells)):
        notebook.run(number)
    page.wait_for_selector(".nl-row")
    browser.start_tracing(page=page, categories=TIMELINE)
    frames = page.evaluate(SCROLL, [".nl-row", LOOK])
    events = json.loads(browser.stop_tracing())["traceEvents"]
    server.end_kernels()
    return {"frames_a_second": round(frames / LOOK), "longest_task_cpu_ms": longest_task(events)}


def click_times(notebook: NotebookPage) -> dict[str, float]:
    page = notebook.page
    page.locator(".nl-opener").first.click()
    idle = [page.evaluate(CLICK) for _ in range(ROUNDS)]
    notebook.start(4)
    page.wait_for_timeout(500)  # the cell has begun
    busy = [page.evaluate(CLICK) for _ in range(ROUNDS)]
    assert notebook.count_of(4) is None, "the cell ended too early"
    page.wait_for_timeout(8_000)
    page.locator(".nl-opener").first.click()
    return {
        "idle_median": round(statistics.median(idle), 1),
        "busy_median": round(statistics.median(busy), 1),
        "busy_longest": round(max(busy), 1),
    }


def kernel_process() -> psutil.Process:
    """The kernel: the largest of what the server has started as one."""
    below = psutil.Process().children(recursive=True)
    kernels = [one for one in below if "ipykernel_launcher" in " ".join(one.cmdline())]
    return min(kernels, key=lambda one: one.create_time())


def percent(process: psutil.Process) -> float:
    """Of one core, over a while that begins when things have settled."""
    time.sleep(3)
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(LOOK)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return round(100 * used / (time.monotonic() - began), 2)


def large_graph(browser: Browser) -> dict[str, int]:
    ids = [f"plugin_{number:03}" for number in range(500)]
    chance = random.Random(1)
    edges = [
        {"dependent": one, "dependency": ids[needed], "requirement": ">=1.0", "kind": "plain"}
        for number, one in enumerate(ids[1:], 1)
        for needed in {
            chance.randrange(max(0, number - 60), number)
            for _ in range(chance.choice([0, 1, 1, 2, 2, 3]))
        }
    ]
    nodes = [{"id": one, "version": "1.0", "state": "Loaded", "conflict": ""} for one in ids]
    page = browser.new_page()
    page.add_style_tag(content=(STATIC / "widgets.css").read_text())
    graph = {"kind": "graph", "nodes": nodes, "edges": edges, "cycles": []}
    browser.start_tracing(page=page, categories=TIMELINE)
    drawn = page.evaluate(DRAW, [(STATIC / "graph.js").read_text(), graph])
    events = json.loads(browser.stop_tracing())["traceEvents"]
    return {"drawn_ms": drawn, "longest_task_cpu_ms": longest_task(events)}


def longest_task(events: list[dict[str, Any]]) -> int:
    """Of what paints, in milliseconds of processor time."""
    painting = {(one["pid"], one["tid"]) for one in events if one["name"] == "Paint"}
    tasks = [
        one.get("tdur", 0)
        for one in events
        if one["name"] == "RunTask" and (one["pid"], one["tid"]) in painting
    ]
    return round(max(tasks) / 1000)


def sizes() -> dict[str, int]:
    return {
        name: len(gzip.compress((STATIC / name).read_bytes(), mtime=0))
        for name in ("dashboard.js", "graph.js", "widgets.css")
    }


if __name__ == "__main__":
    main()
