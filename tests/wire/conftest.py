"""The protocol is bytes in and bytes out."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    """Nothing here starts a process, opens a file or a socket, so nobody looks for any."""
