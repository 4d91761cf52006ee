"""What is good, doubtful or bad, in colours that follow the theme."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from nebula_lab.model.state import PluginState
from nebula_lab.plugin.health import HealthState


class Tone(Enum):
    """How a reader should take a value; the value is a CSS colour.

    The words beside it say the same, so nothing is lost without the colour.
    """

    GOOD = "var(--jp-success-color1, #2e7d32)"
    BUSY = "var(--jp-info-color1, #0277bd)"
    DOUBTFUL = "var(--jp-warn-color1, #b45309)"
    BAD = "var(--jp-error-color1, #c62828)"
    QUIET = "var(--jp-ui-font-color3, #757575)"


# Where there is no colour.
SIGNS: Mapping[Tone, str] = {
    Tone.GOOD: "✓",
    Tone.BUSY: "…",
    Tone.DOUBTFUL: "·",
    Tone.BAD: "✗",
    Tone.QUIET: "–",
}
STATE_TONES: Mapping[PluginState, Tone] = {
    PluginState.DISCOVERED: Tone.QUIET,
    PluginState.LOADING: Tone.BUSY,
    PluginState.LOADED: Tone.GOOD,
    PluginState.ACTIVE: Tone.GOOD,
    PluginState.SUSPENDED: Tone.DOUBTFUL,
    PluginState.FAILED: Tone.BAD,
    PluginState.UNLOADING: Tone.BUSY,
}
HEALTH_TONES: Mapping[HealthState, Tone] = {
    HealthState.HEALTHY: Tone.GOOD,
    HealthState.DEGRADED: Tone.DOUBTFUL,
    HealthState.UNHEALTHY: Tone.BAD,
}
