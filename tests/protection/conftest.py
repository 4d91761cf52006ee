"""A protected registry with one plugin in two versions."""

from __future__ import annotations

import subprocess

import pytest
from registry_lab import Lab, offer


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path)
    offer(lab.root, "counter", "1.0.0", "1.1.0")
    lab.init()
    return lab


@pytest.fixture
def ssh_agent(tmp_path, monkeypatch):
    """An agent of its own, to which keys can be added."""
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    process.stdout.readline()  # it says where it is once it listens

    class Agent:
        def add(self, key):
            subprocess.run(["ssh-add", "-q", key], check=True, timeout=30)

    yield Agent()
    process.terminate()
    process.stdout.close()
    process.wait(30)
