"""What the tests of the proxy start is closed after each."""

from __future__ import annotations

import pytest
from proxy_lab import Lab


@pytest.fixture
def lab():
    lab = Lab()
    yield lab
    lab.close()
