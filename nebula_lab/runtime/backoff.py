"""How long to wait before a plugin that crashed is started again."""

from __future__ import annotations

import random

from nebula_lab.model import RestartPolicy


def delay_before(crashes: int, policy: RestartPolicy) -> float:
    """Seconds to wait after so many crashes within the policy's window.

    None at all after the first, since most crashes happen once. Then exponentially more, half of
    it left to chance: plugins that crashed together do not start together.
    """
    if crashes < 2:
        return 0.0
    # Beyond a thousand doublings a float has no room for it.
    longest: float = min(policy.max_backoff, policy.backoff * 2.0 ** min(crashes - 2, 1000))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
