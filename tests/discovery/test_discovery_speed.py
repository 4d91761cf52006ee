"""What finding plugins may cost, held against the least that it could."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "bench_discovery.py"


def _benchmark():
    spec = importlib.util.spec_from_file_location("bench_discovery", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_thousand_manifests_cost_at_most_three_times_reading_and_parsing_them(tmp_path):
    benchmark = _benchmark()
    benchmark.write_plugins(tmp_path, 1000)
    # Processor time, and the best of the rounds, so that other work on the machine counts less.
    floor, ours = map(min, benchmark.measure(tmp_path, 1000, 5, time.process_time))
    assert ours <= 3.0 * floor
