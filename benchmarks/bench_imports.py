"""What imports cost above a bare interpreter. Run: python benchmarks/bench_imports.py [rounds]"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

CONTENDERS = {
    "bare interpreter": "pass",
    "nebula_lab": "import nebula_lab",
    "nebula_lab.plugin": "import nebula_lab.plugin",
    "PluginManager": "from nebula_lab import PluginManager",
    "ipykernel": "import ipykernel.kernelapp",
}


def main(rounds: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(rounds + 1):
        for name, code in CONTENDERS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times[name].append(time.perf_counter() - started)
    bare = statistics.median(times["bare interpreter"][1:])
    print(f"{'':20}{'ms':>8}{'ms more':>10}")
    for name, taken in times.items():
        median = statistics.median(taken[1:])
        print(f"{name:20}{median * 1e3:8.1f}{(median - bare) * 1e3:10.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
