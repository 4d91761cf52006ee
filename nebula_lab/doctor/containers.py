"""Whether containers can be run here, for sandbox Container."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from nebula_lab.doctor.finding import Finding, Verdict
from nebula_lab.errors import ContainerRuntimeError
from nebula_lab.model import Container, PluginConfig
from nebula_lab.sandbox.container.image import OwnImage
from nebula_lab.sandbox.container.image_files import EXECUTABLE
from nebula_lab.sandbox.container.runtime import Runtime

_USUAL = ("podman", "docker")
_NAME = "containers"
_OVERLAY = (
    'Have it use overlay. podman: [storage] and driver = "overlay" in '
    "~/.config/containers/storage.conf, with no images yet. docker: --storage-driver overlay2."
)


def containers(config: PluginConfig) -> tuple[Finding, ...]:
    """One finding for each runtime that is there or is asked for, or one that there is none."""
    wanted = tuple(dict.fromkeys(_chosen(config)))
    names = dict.fromkeys((*wanted, *(name for name in _USUAL if shutil.which(name))))
    if not names:
        return (
            Finding(
                _NAME,
                Verdict.NOTE,
                "there is neither podman nor docker, so no plugin can run in a container",
                "If one is to: install podman (Debian: apt-get install podman runc).",
            ),
        )
    return tuple(_finding(name, is_wanted=name in wanted) for name in names)


def _chosen(config: PluginConfig) -> Iterator[str]:
    security = config.security
    for setting in (security.sandbox, security.container, *security.sandboxes.values()):
        if isinstance(setting, Container):
            yield setting.runtime


def _finding(name: str, *, is_wanted: bool) -> Finding:
    """Try a runtime by what a plugin would need of it."""
    runtime = Runtime(name)
    try:
        runtime.run(["ps", "-q"])
        version = runtime.version()
        shown = f"{name} {'.'.join(map(str, version))}" if version else name
        if _copies_images(runtime):
            detail = f"{shown} answers; it copies the whole image for each container, which is slow"
            return Finding(_NAME, Verdict.NOTE, detail, _OVERLAY)
        image = OwnImage(runtime)
        if not image.is_there():
            return Finding(
                _NAME, Verdict.FINE, f"{shown} answers; the image is built with the first plugin"
            )
        _try(runtime, image.name)
        return Finding(_NAME, Verdict.FINE, f"{shown} runs them; the image is {image.name}")
    except ContainerRuntimeError as error:
        verdict = Verdict.GAP if is_wanted else Verdict.NOTE
        return Finding(_NAME, verdict, error.message, error.hint or "")


def _copies_images(runtime: Runtime) -> bool:
    form = "{{.Store.GraphDriverName}}" if runtime.is_podman else "{{.Driver}}"
    return runtime.run(["info", "--format", form]).strip() == "vfs"


def _try(runtime: Runtime, image: str) -> None:
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
    walls = ["--network", "none", "--read-only", "--cap-drop", "all"]
    program = ["--entrypoint", EXECUTABLE, image, "-I", "-S", "-c", ""]
    runtime.run(["run", "--rm", "--pull", "never", *limits, *walls, *program])
