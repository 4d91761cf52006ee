"""An image of ours that somebody removes while managers count on it."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from nebula_lab.sandbox.container.image import OwnImage
from nebula_lab.sandbox.container.owners import own_name
from nebula_lab.sandbox.container.runtime import Runtime

SOURCE = """
class Adder(Plugin):
    @operation
    def add(self, a: int, b: int = 2) -> int:
        return a + b

def plugin_entry():
    return Adder()
"""
# An image of these tests' own, which no others count on.
OWN = {"type": "Container", "runtime": "podman", "packages": ["pluggy"]}
TIMEOUT = 8.0


@pytest.fixture
def image(podman):
    """The one that it goes by; what it has is the usual one's, which takes no time to build."""
    runtime = Runtime("podman")
    usual, own = OwnImage(runtime), OwnImage(runtime, ("pluggy",))
    usual.build(print)
    runtime.run(["tag", usual.name, own.name])
    yield own
    if own.is_there():
        _take_name_from(own)


def _take_name_from(image):
    subprocess.run(["podman", "untag", image.name, image.name], check=True, capture_output=True)


def test_a_call_has_its_whole_time_where_the_image_is_built_anew(
    image, opened, plugin_file, monkeypatch
):
    def last_as_long_as_a_call_may(self, *args, **kwargs):
        time.sleep(TIMEOUT)
        self._runtime.run(["tag", OwnImage(self._runtime).name, self.name])

    plugin_file("adder", SOURCE)
    plugins = opened(sandbox=OWN)
    assert plugins.execute("adder", "add", {"a": 1}) == 3
    plugins.unload_plugin("adder")
    _take_name_from(image)
    monkeypatch.setattr(OwnImage, "build", last_as_long_as_a_call_may)
    assert plugins.execute("adder", "add", {"a": 40}, timeout=TIMEOUT) == 42


class Recording:
    """A runtime that takes whatever is asked of it."""

    name = "podman"

    def __init__(self, *images):
        self.images = images
        self.removed = []

    def run(self, arguments, **kwargs):
        if arguments[0] == "rmi":
            self.removed.append(arguments[1])
        return "\n".join(self.images) if "--format" in arguments else ""


OURS = "localhost/nebula-lab-host"
LIVING = f"{OURS}:making-{own_name()}-0123456789ab"
LEFT = f"{OURS}:making-{own_name().partition('-')[0]}-999999999-1--0123456789ab"
ELSEWHERE = f"{OURS}:making-0123456789ab-{os.getpid()}-1--0123456789ab"


def test_an_image_that_another_installation_is_making_is_left_to_it():
    runtime = Recording(LIVING, LEFT, ELSEWHERE)
    OwnImage(runtime).build(print)
    *left, own = runtime.removed
    assert left == [LEFT]
    assert own_name() in own


def test_images_that_are_being_made_are_not_among_the_others():
    image = OwnImage(Recording(LIVING, LEFT, ELSEWHERE, f"{OURS}:0123456789ab"))
    assert image.remove_others() == [LEFT, f"{OURS}:0123456789ab"]
