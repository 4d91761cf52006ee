"""Asks once more where that may help: what is asked for can be asked for any number of times."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import tenacity

from nebula_lab.errors import RegistryDownError
from nebula_lab.registry.client.patience import Patience

__all__ = ["retrying"]

Result = TypeVar("Result")


def retrying(act: Callable[[], Result], patience: Patience, stopped: threading.Event) -> Result:
    """What `act` gives, at the latest at its last attempt.

    Only a `RegistryDownError` is worth another attempt: what a registry refuses or says wrongly
    it would say again.

    Args:
        act: asks the registry.
        patience: how often, and with which pauses.
        stopped: ends a pause.

    Raises:
        RegistryError: what the last attempt raised.
    """
    backoff = tenacity.wait_random_exponential(
        multiplier=patience.first_pause, max=patience.longest_pause
    )

    def pause(state: tenacity.RetryCallState) -> float:
        asked = _asked_for(state)
        return backoff(state) if asked is None else asked

    def is_enough(state: tenacity.RetryCallState) -> bool:
        return (
            stopped.is_set()
            or state.attempt_number >= patience.attempts
            or (_asked_for(state) or 0.0) > patience.longest_pause
        )

    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(RegistryDownError),
        stop=is_enough,
        wait=pause,
        sleep=tenacity.sleep_using_event(stopped),
        reraise=True,
    )
    return attempts(act)


def _asked_for(state: tenacity.RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error.retry_after if isinstance(error, RegistryDownError) else None
