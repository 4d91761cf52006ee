"""Builds the component of sandbox Wasm before the first test needs it, whose time is limited."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

# Kept from run to run, and of no manager but those of tests.
CACHE = Path.home() / ".cache/nebula-lab-tests/wasm"


@lru_cache(maxsize=2)
def need_wasm(*, has_fuel: bool = False) -> None:
    """See to it that it is there; half a minute, once for a machine and a state of its sources."""
    from nebula_lab.sandbox.wasm.building import Order
    from nebula_lab.sandbox.wasm.generic import compiled_component

    compiled_component(Order(has_fuel=has_fuel))


def main() -> None:
    """Have it there before the tests, and nothing that it has taken the place of."""
    from nebula_lab.sandbox.wasm.generic import remove_others

    os.environ["NEBULA_LAB_WASM_CACHE"] = str(CACHE)
    for has_fuel in (False, True):
        need_wasm(has_fuel=has_fuel)
    remove_others()


if __name__ == "__main__":
    main()
