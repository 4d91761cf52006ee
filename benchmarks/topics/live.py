"""Code that is edited while it is used, against what reloads it in the process itself."""

from __future__ import annotations

from benchmarks import living
from benchmarks.contender import Contender
from benchmarks.peers import reloaders
from benchmarks.result import Figure, Plan, Result, Row, Table, Topic, timing_table
from benchmarks.spread import Spread, of_rounds

COLD, SPARE = "**plugin, no spare**", "**plugin, a spare**"
RELOAD = "`importlib.reload`, in process, not watched"
AUTORELOAD = "`%autoreload 2`, in process, at the next cell"
JURIGGED = "jurigged, in process"
HELD, CRASH = "calls held by a reload", "killed, to the next answer"
LOAD = "reloads under the calls of four threads"
ROUNDS = 12
RELOADS = 1000


def _savers() -> list[Contender]:
    return [
        Contender(RELOAD, reloaders.by_reload),
        Contender(AUTORELOAD, reloaders.by_autoreload),
        Contender(JURIGGED, reloaders.by_jurigged, package="jurigged"),
        Contender(COLD, living.saving, (0,)),
        Contender(SPARE, living.saving, (1,)),
    ]


def _own() -> list[Contender]:
    return [Contender(HELD, living.holding), Contender(CRASH, living.crashing)]


def _loaded(plan: Plan) -> Contender:
    return Contender(LOAD, living.under_load, (plan.amount(RELOADS, 12),))


def contenders(plan: Plan) -> list[Contender]:
    return [*_savers(), *_own(), _loaded(plan)]


def run(plan: Plan) -> Result:
    rounds = plan.amount(ROUNDS)
    saved = plan.take_turns(_savers(), rounds)
    own = plan.take_turns(_own(), rounds)
    ((load,),) = plan.take_turns([_loaded(plan)], 1, uncounted=0)[LOAD]
    base = {"× `importlib.reload`": RELOAD}
    tables = (
        timing_table(
            f"From the last byte saved to the first answer, {rounds} rounds", saved, "ms", base
        ),
        timing_table(f"What nobody else does, {rounds} rounds", own, "ms", {}),
        _load_table(plan.amount(RELOADS, 12), load),
    )
    measured = {
        "live.saved": of_rounds(saved[COLD]).times(1e3),
        "live.held": of_rounds(own[HELD]).times(1e3),
        "live.crash": of_rounds(own[CRASH]).times(1e3),
        "live.failed": Spread.of(load["failed"]),
        "live.lost": Spread.of(load["lost"]),
        "live.memory": Spread.of(load["memory"]),
        "live.descriptors": Spread.of(load["descriptors"]),
    }
    return Result(tables, measured)


def _load_table(reloads: int, load: dict[str, list[float]]) -> Table:
    columns = (
        "calls failed",
        "calls lost",
        "memory, to that after 10",
        "descriptors more than after 10",
    )
    units = ("", "", "×", "")
    figures = tuple(
        Figure(Spread.of(load[part]), unit)
        for part, unit in zip(("failed", "lost", "memory", "descriptors"), units, strict=True)
    )
    return Table(f"{reloads:,} reloads under load", columns, (Row("**plugin**", figures),))


TOPIC = Topic("live", "Live code: edited or killed while it is used", contenders, run)
