"""Steps that find plugins, order them and bring them up."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from nebula_lab import PluginConfig, PluginState
from nebula_lab.cli.demo.stage import Stage
from nebula_lab.cli.opening import open_manager
from nebula_lab.cli.progress import NoProgress
from nebula_lab.cli.terminal import TerminalSink
from nebula_lab.model import ProblemKind
from nebula_lab.views import graph_view, plugin_list, problem_list, unenforced_note

_AT_ONCE = 4  # kernels that boot side by side
_REPORTS = {
    ProblemKind.CYCLE: "a cycle is reported as a path, with the file and line of each dependency",
    ProblemKind.VERSION_MISMATCH: "a conflict is reported with both sides",
    ProblemKind.MISSING_DEPENDENCY: "a missing dependency is reported with who asks for it",
}


def discover(stage: Stage) -> None:
    """Read what plugins say of themselves."""
    found = stage.plugins.list_plugins()
    stage.show(plugin_list(found))
    stage.expect(len(found) > 0, f"{len(found)} plugins were found in {stage.samples}")
    stage.expect(all(info.pid is None for info in found), "none of them was run for it")
    stage.show(problem_list(stage.plugins.problems))
    stage.expect(not stage.plugins.problems, "nothing is wrong with them")


def resolve(stage: Stage) -> None:
    """Put dependencies before what needs them."""
    order = stage.plugins.load_order
    states = {info.id: info.state for info in stage.plugins.list_plugins()}
    stage.show(graph_view(stage.plugins.graph, states))
    stage.say(f"load order: {', '.join(order)}")
    edges = [(a, b) for a, b in stage.plugins.graph.edges if a in order and b in order]
    in_order = all(order.index(needed) < order.index(one) for one, needed in edges)
    stage.expect(bool(edges) and in_order, "dependencies come before what needs them")


def load(stage: Stage) -> None:
    """Start a kernel for each plugin."""
    order = stage.plugins.load_order
    stage.show(unenforced_note(stage.plugins.unenforced))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(stage.plugins.load_plugin, order), 1):
            stage.progress.report("loading", done, len(order), order[done - 1])
    found = stage.plugins.list_plugins()
    pids = {info.pid for info in found}
    loaded = bool(found) and all(
        info.state in (PluginState.LOADED, PluginState.ACTIVE) for info in found
    )
    stage.expect(loaded, f"all {len(found)} plugins are loaded")
    own = len(pids) == len(found) and None not in pids and os.getpid() not in pids
    stage.expect(own, "each runs in a process of its own")
    kernels = [stage.plugins.connection_file(info.id) for info in found]
    attachable = all(file is not None and file.is_file() for file in kernels)
    stage.expect(attachable, "each is a Jupyter kernel with a connection file to attach to")


def report_broken(stage: Stage) -> None:
    """Point a second manager at plugins that can't be loaded."""
    folder = stage.workspace / "broken"
    config = PluginConfig(plugin_dir=folder, hot_reload=False)
    with open_manager(config, TerminalSink(NoProgress()), tell=False) as broken:
        stage.show(problem_list(broken.problems))
        kinds = {problem.kind for problem in broken.problems}
        for kind, fact in _REPORTS.items():
            stage.expect(kind in kinds, fact)
        cycles = [problem for problem in broken.problems if problem.kind == ProblemKind.CYCLE]
        located = all(d.location and d.location.line for c in cycles for d in c.declarations)
        stage.expect(bool(cycles) and located, "each edge of the cycle has a file and a line")
        stage.expect(
            broken["archive"].ping() == "pong", "what is outside of the broken part is served"
        )
