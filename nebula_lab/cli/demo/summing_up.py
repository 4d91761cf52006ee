"""The last step: the tables of plugins, their health and their metrics."""

from __future__ import annotations

from nebula_lab.cli.demo.stage import Stage
from nebula_lab.plugin import HealthState
from nebula_lab.views import health_table, metrics_table, plugin_list

# What the steps before have done; see editing.py and mishaps.py.
_RELOADS = {"base_resource": 2}
_RESTARTS = {"crasher": 1, "thumbnailer": 1}
_FAILURES = {"crasher": 1, "sleeper": 2}


def sum_up(stage: Stage) -> None:
    """Ask everybody, and hold the counts against what was done."""
    plugins = stage.plugins
    found = plugins.list_plugins()
    health = {info.id: plugins.plugin_health(info.id) for info in found}
    metrics = plugins.metrics()
    for view in (plugin_list(found), health_table(health), metrics_table(metrics)):
        stage.show(view)
        print()
    well = all(status.state is not HealthState.UNHEALTHY for status in health.values())
    stage.expect(well, "every plugin is well, also those that were killed")
    counted = {
        "reloads": {id_: one.reloads for id_, one in metrics.plugins.items() if one.reloads},
        "restarts": {id_: one.restarts for id_, one in metrics.plugins.items() if one.restarts},
        "failures": {id_: one.failures for id_, one in metrics.plugins.items() if one.failures},
    }
    done = {"reloads": _RELOADS, "restarts": _RESTARTS, "failures": _FAILURES}
    stage.expect(counted == done, "reloads, restarts and failures are those that were made")
    total = sum(one.executions for one in metrics.plugins.values())
    stage.expect(
        metrics.executions_total == total > 0, f"all {total} calls are counted, each with its time"
    )
