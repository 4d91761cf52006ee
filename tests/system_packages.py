"""Gets what tests need of the system, all at once, where it may: Chromium, podman and docker.

With nothing but the standard library, so that it can be done before the environment is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PODMAN, DOCKER = ("podman",), ("dockerd",)
UIDMAP = ("newuidmap",)  # for podman as an ordinary user
# Debian's packages, by the programs of which one must be there.
_PACKAGES = {
    CHROMIUM: ("chromium",),
    PODMAN: ("podman", "runc"),
    DOCKER: ("docker.io",),
    UIDMAP: ("uidmap",),
}


def found(names: tuple[str, ...]) -> str | None:
    """The path of the first of these programs that is here."""
    return next(filter(None, map(shutil.which, names)), None)


def install(*wanted: tuple[str, ...]) -> None:
    """Have programs there, each known by its names; nothing happens where that can't be."""
    missing = [name for names in wanted if not found(names) for name in _PACKAGES[names]]
    if not missing or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"Installing {', '.join(missing)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        subprocess.run(
            ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *command],
            env=environment,
            capture_output=True,
            check=False,
            timeout=600,
        )


if __name__ == "__main__":
    install(CHROMIUM, PODMAN, DOCKER, UIDMAP)
