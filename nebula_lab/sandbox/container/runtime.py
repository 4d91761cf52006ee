"""The program that runs containers: what it is asked, and what its failures mean.

The command line of podman and docker is one and the same for all that is asked here, and needs
nobody to serve a socket; see ADR 12.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nebula_lab.errors.containers import ContainerRuntimeError, ImageError
from nebula_lab.plugin.safe_text import line

# Seconds. To remove a container can take as long as the kernel takes to end a process.
PATIENCE = 60.0
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)?")
# From these on they know every option that is used here; podman the time of `rm` since then.
_OLDEST = {"podman": (4, 0), "docker": (20, 10)}
_SAID = 2_000
_BEING_REMOVED = ("no such container", "is already in progress")


@dataclass(frozen=True)
class Trouble:
    """Why a runtime refused, as its words show.

    Attributes:
        words: of which one is in what it wrote, in small letters.
        message: what that means, with a place for the program's name.
        hint: what to do, likewise.
        error: the error to raise.
    """

    words: tuple[str, ...]
    message: str
    hint: str
    error: type[ContainerRuntimeError] = ContainerRuntimeError


_TROUBLES = (
    Trouble(
        ("image not known", "no such image", "unable to find image", "manifest unknown"),
        "{name} does not have the image",
        "Pull or build it first, or leave `image` out to have one made of this Python.",
        ImageError,
    ),
    Trouble(
        ("permission denied while trying to connect", "dial unix /var/run/docker.sock: connect: p"),
        "{name} is there, but you have no permission to use it",
        "Have yourself added to the group docker, or use runtime: podman, which needs none.",
    ),
    Trouble(
        (
            "cannot connect to the docker daemon",
            "docker daemon running",
            "connection refused",
        ),
        "{name} is there, but its service does not run",
        "Start it (`systemctl start docker`), or use runtime: podman, which needs none.",
    ),
    Trouble(
        ("/etc/subuid", "newuidmap", "cannot set up namespace", "insufficient uids"),
        "{name} can't give you users of your own",
        "Install uidmap, and have a line for you in /etc/subuid and /etc/subgid.",
    ),
    Trouble(
        ("unknown flag", "unknown shorthand flag", "flag provided but not defined"),
        "{name} is too old",
        "podman from version 4.0 on will do, and docker from 20.10 on.",
    ),
    Trouble(
        ("permission denied", "operation not permitted"),
        "{name} is not permitted to run a container here",
        "`nebula-lab doctor` tries it and says more.",
    ),
    Trouble(
        ("no suitable oci runtime", "default oci runtime", "oci runtime not found"),
        "{name} lacks the program that starts its containers",
        "Install runc or crun.",
    ),
    Trouble(
        ('could not find "conmon"', "could not find a working conmon"),
        "{name} lacks conmon",
        "Install conmon.",
    ),
)


class Runtime:
    """podman or docker.

    Args:
        name: of the program, or its path.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_podman = "docker" not in Path(name).name

    def program(self) -> str:
        """Its path.

        Raises:
            ContainerRuntimeError: it is not there.
        """
        found = shutil.which(self.name)
        if found is None:
            raise ContainerRuntimeError(
                f"there is no program {self.name} here, which is to run containers",
                runtime=self.name,
                hint="Install podman (Debian: apt-get install podman runc), name another program "
                "in security.sandbox.runtime, or choose sandbox: Process.",
            )
        return found

    def run(
        self,
        arguments: Sequence[str],
        *,
        feed: Callable[[subprocess.Popen[bytes]], object] | None = None,
        timeout: float = PATIENCE,
    ) -> str:
        """What it writes when it is asked this.

        Args:
            arguments: the command and its options.
            feed: writes its input.
            timeout: seconds.

        Raises:
            ContainerRuntimeError: it does not do it; the error says why, as far as it shows.
        """
        process = self.begin(arguments, has_input=feed is not None)
        try:
            if feed is not None:
                feed(process)
            out, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise ContainerRuntimeError(
                f"{self.name} {arguments[0]} did not end within {timeout:g} s",
                runtime=self.name,
                hint=f"Try `{self.name} info`; its service may hang.",
            ) from None
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        if process.returncode:
            raise self.trouble(said.decode("utf-8", "replace"), arguments[0])
        return out.decode("utf-8", "replace")

    def begin(
        self, arguments: Sequence[str], *, has_input: bool = False
    ) -> subprocess.Popen[bytes]:
        """Have it begin; in a session of its own, so that nobody's Ctrl-C ends it half-way.

        Raises:
            ContainerRuntimeError: it is not there, or can't be run.
        """
        program = self.program()
        try:
            return subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                cwd="/",
            )
        except OSError as error:
            raise ContainerRuntimeError(
                f"{program} can't be run: {error.strerror}",
                runtime=self.name,
                hint="Look at its mode and at what it is.",
            ) from error

    def remove(self, names: Sequence[str]) -> None:
        """End containers at once and remove them; those that are just being removed count.

        Raises:
            ContainerRuntimeError: that can't be done.
        """
        # podman would ask the first process to end, which takes no such signal, for ten seconds.
        at_once = ["-t", "0"] if self.is_podman else []
        try:
            self.run(["rm", "-f", *at_once, *names])
        except ContainerRuntimeError as error:
            if not any(word in error.said.lower() for word in _BEING_REMOVED):
                raise

    def trouble(self, said: str, command: str) -> ContainerRuntimeError:
        """The error for what it wrote when it failed."""
        small = said.lower()
        words = line(said.strip()[-_SAID:], _SAID)
        for known in _TROUBLES:
            if any(word in small for word in known.words):
                message = known.message.format(name=self.name)
                return known.error(
                    f"{message}: {words}", runtime=self.name, hint=known.hint, said=words
                )
        too_old = self._too_old()
        if too_old is not None:
            return too_old
        return ContainerRuntimeError(
            f"{self.name} {command} failed: {words or 'it says nothing'}",
            runtime=self.name,
            hint="`nebula-lab doctor` tries it and says more.",
            said=words,
        )

    def version(self) -> tuple[int, int] | None:
        """Its version, as far as it can be told."""
        try:
            found = subprocess.run(
                [self.program(), "--version"], capture_output=True, timeout=PATIENCE, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return None
        match = _VERSION.search(found.stdout.decode("utf-8", "replace"))
        return None if match is None else (int(match[1]), int(match[2]))

    def _too_old(self) -> ContainerRuntimeError | None:
        found, oldest = self.version(), _OLDEST["podman" if self.is_podman else "docker"]
        if found is None or found >= oldest:
            return None
        wanted = ".".join(map(str, oldest))
        return ContainerRuntimeError(
            f"{self.name} {'.'.join(map(str, found))} is too old: {wanted} or later is wanted",
            runtime=self.name,
            hint="Install a newer one.",
        )
