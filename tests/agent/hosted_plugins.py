"""Where the plugins are that the tests of the agent load into kernels."""

from __future__ import annotations

from pathlib import Path

HOSTED = Path(__file__).with_name("hosted")
