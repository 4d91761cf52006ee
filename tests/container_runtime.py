"""Finds the podman that tests run containers with, and gets Debian's where it may."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache

import pytest
from system_packages import PODMAN, found, install


@lru_cache(maxsize=1)
def _trouble() -> str:
    """Why no container can be run here; empty where one can. The image is built for it."""
    install(PODMAN)
    if not found(PODMAN):
        return "no podman is here, and it could not be installed: apt-get install podman runc"
    from nebula_lab.errors import ContainerRuntimeError
    from nebula_lab.sandbox.container.image import OwnImage
    from nebula_lab.sandbox.container.runtime import Runtime

    try:
        OwnImage(Runtime("podman")).build(print)
    except ContainerRuntimeError as error:
        return str(error)
    return ""


def need_containers() -> None:
    """Skip a test where there are no containers, and fail it under CI."""
    reason = _trouble()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


def containers() -> list[str]:
    """Those of ours that there are, of whichever manager."""
    listed = ["podman", "ps", "-a", "--filter", "label=nebula-lab.host", "--format", "{{.Names}}"]
    return subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()


def main() -> None:
    """Have it there before the tests, with the image of containers, of which one is kept."""
    reason = _trouble()
    if reason:
        print(f"Tests of containers will not run: {reason}")
        return
    from nebula_lab.sandbox.container.image import OwnImage
    from nebula_lab.sandbox.container.runtime import Runtime

    OwnImage(Runtime("podman")).remove_others()


if __name__ == "__main__":
    main()
