"""Sandbox Container."""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.environments.stages import BuildWatcher, Stage
from nebula_lab.errors import ExitReport, LoadFailedError, ManagerClosedError
from nebula_lab.errors.containers import ContainerRuntimeError, ImageError
from nebula_lab.model import Container, PluginConfig, PluginDescriptor, SandboxMode, Version
from nebula_lab.model.policy import EffectivePolicy, Limits, effective_policy
from nebula_lab.reports.exit_report import EndCause
from nebula_lab.sandbox.base import Grants, Host, HostSpec, Sandbox
from nebula_lab.sandbox.container.abilities import Abilities, abilities_of
from nebula_lab.sandbox.container.command import Plan
from nebula_lab.sandbox.container.group import ContainerGroup
from nebula_lab.sandbox.container.host import ContainerHost
from nebula_lab.sandbox.container.kept_image import KeptImage
from nebula_lab.sandbox.container.launch import ContainerLauncher
from nebula_lab.sandbox.container.owners import own_name, remove_abandoned, remove_own
from nebula_lab.sandbox.container.profile import container_profile
from nebula_lab.sandbox.container.runtime import Runtime
from nebula_lab.sandbox.greeting import connected, greet
from nebula_lab.sandbox.kernel_process import KernelOrder
from nebula_lab.sandbox.own_folders import own_folders
from nebula_lab.sandbox.probing import Prober
from nebula_lab.sandbox.process_host import Berth
from nebula_lab.sandbox.profile import Profile
from nebula_lab.sandbox.run_folder import RunFolder
from nebula_lab.sandbox.spares import SparePool
from nebula_lab.sandbox.surroundings import Surroundings
from nebula_lab.sandbox.sweep import Sweep
from nebula_lab.transport.loop import LoopThread

_log = logging.getLogger("nebula_lab")
_IN_A_NOTEBOOK = 1
_PATIENCE = 60.0  # seconds for a container to come up, on a machine under heavy load
_UNASKING = PluginDescriptor(id="spare", version=Version.parse("0.0.0"), path=Path("/"))
_BY_CONTAINER = Mechanism(True, "the container's")
_NO_GROUP = Mechanism(False, "the runtime has no control group for it")
_NONE = Abilities(memory=False, threads=False, processor=False, is_rootless=False)
_NOT_TAKEN = Mechanism(False, "a container has files of its own", "It is of no use there.")


class ContainerSandbox(Sandbox):
    """Sandbox Container.

    Args:
        loop: watches hosts.
        run_folder: sockets and plugins' files go there.
        settings: how containers are run.
        config: what plugins may use, and how many spares there are to be.
        is_idle: whether neither a load nor a call goes on.
    """

    mode = SandboxMode.CONTAINER

    def __init__(
        self,
        loop: LoopThread,
        run_folder: RunFolder,
        settings: Container,
        config: PluginConfig,
        is_idle: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._run_folder = run_folder
        self._settings = settings
        self._config = config
        self._runtime = Runtime(settings.runtime)
        self._owner = os.pidfd_open(os.getpid())
        self._owner_name = own_name()
        self._owner_pid = os.getpid()
        self._sweep = Sweep(loop)
        self._prober = Prober()
        self._choosing = threading.Lock()
        self._image = KeptImage(self._runtime, settings.packages)
        self._known: Abilities | None = None
        self._is_closed = False
        self._tidying: threading.Thread | None = None
        self._spare_lives = itertools.count(1)
        self.spares = SparePool(
            loop, self._start_spare, self._usual_profile, is_idle, config.zygote.spares or 0
        )

    def machine(self) -> Machine:
        """What a container can be held to: what its runtime does, and the filter of the host."""
        real = self._prober.machine()
        can = self._abilities()
        return Machine(
            landlock=_NOT_TAKEN,
            seccomp=real.seccomp,
            namespaces=_BY_CONTAINER,
            pid_namespace=_BY_CONTAINER,
            scopes=_NOT_TAKEN,
            counts_threads=_BY_CONTAINER if can.threads else _NO_GROUP,
            cgroups=_BY_CONTAINER if can.processor else _NO_GROUP,
            cgroup_memory=_BY_CONTAINER if can.memory else _NO_GROUP,
            sees_calls=_NOT_TAKEN,
        )

    def _abilities(self) -> Abilities:
        """What the runtime can do; asked once, and again where it gave no answer."""
        if self._known is None:
            try:
                self._known = abilities_of(self._runtime)
            except ContainerRuntimeError as error:  # to start a container meets it too, and says so
                _log.info("what containers can be held to is not known: %s", error)
                return _NONE
        return self._known

    def kept_folders(self) -> tuple[Path, ...]:
        return own_folders(self._run_folder)

    def warm_up(self) -> None:
        self._tidy_once()
        if self._config.zygote.spares is None:
            self.spares.size = _IN_A_NOTEBOOK
        self.spares.top_up_later()

    def _tidy_once(self) -> None:
        with self._choosing:
            if self._tidying is None and os.getpid() == self._owner_pid:
                thread = threading.Thread(target=self._tidy, name="nebula-containers", daemon=True)
                self._tidying = thread
                thread.start()

    def _tidy(self) -> None:
        try:
            count = remove_abandoned(self._runtime)
        except ContainerRuntimeError as error:
            _log.info("containers that others left behind were not looked for: %s", error)
            return
        if count:
            _log.info("%d containers were removed whose manager is gone", count)

    def is_ready(self) -> bool:
        try:
            return self._settings.image is not None or self._image.was_there()
        except ContainerRuntimeError:
            return True  # to start a container meets it too, and says so

    def get_ready(self, watcher: BuildWatcher) -> None:
        watcher.tell(Stage(0, 1, "building the image (usually ten seconds to half a minute)"))
        try:
            self._build(watcher.is_cancelled)
        except ContainerRuntimeError as error:
            if self._is_closed:
                raise ManagerClosedError("the manager has been closed") from None
            if not watcher.is_cancelled():
                _log.info("the image of containers was not built: %s", error)
                return  # likewise
            raise
        watcher.tell(Stage(1, 1, ""))

    def stop_preparing(self) -> None:
        self._is_closed = True

    def _build(self, is_cancelled: Callable[[], bool]) -> None:
        self._image.build(lambda: self._is_closed or is_cancelled())

    def start(self, spec: HostSpec) -> Host:
        with self.spares.not_now():
            surroundings = Surroundings.now()
            profile = self._profile(spec.policy, spec.grants)
            host = self.spares.take(surroundings, profile)
            if host is None:
                host = self._started(spec, surroundings, profile)
                greet(host, spec)
            self._tidy_once()
            return connected(host, spec, self.machine())

    def _started(
        self, spec: HostSpec, surroundings: Surroundings, profile: Profile
    ) -> ContainerHost:
        try:
            return self._start_one(f"h{spec.life}", spec.plugin_id, surroundings, profile)
        except (ContainerRuntimeError, OSError) as error:
            reason = error.message if isinstance(error, ContainerRuntimeError) else str(error)
            raise LoadFailedError(
                f"its container could not be started: {reason}",
                plugin_id=spec.plugin_id,
                hint=getattr(error, "hint", "") or None,
                report=ExitReport(f"not started: {reason}", cause=EndCause.NOT_STARTED),
            ) from error

    def _start_spare(self, surroundings: Surroundings, profile: Profile) -> ContainerHost:
        try:
            if not self.is_ready():
                self._build(lambda: False)
            return self._start_one(f"s{next(self._spare_lives)}", "(spare)", surroundings, profile)
        except ContainerRuntimeError as error:  # the next load meets it too, and says so
            raise OSError(error.message) from error

    def _usual_profile(self, surroundings: Surroundings) -> Profile:
        return self._profile(effective_policy(_UNASKING, self._config, self.machine()), Grants())

    def _profile(self, policy: EffectivePolicy, grants: Grants) -> Profile:
        filters = self._prober.machine().seccomp.works
        return container_profile(policy, grants, filters=filters)

    def _start_one(
        self, name: str, title: str, surroundings: Surroundings, profile: Profile
    ) -> ContainerHost:
        """Start a container. Where our own image is not there, it is not taken to be any more.

        Args:
            name: of its folder, and so of what is its own.
            title: for people.
            surroundings: what it inherits.
            profile: how it is confined.

        Raises:
            ContainerRuntimeError: the runtime does not do it.
            OSError: it could not be started for another reason.
        """
        berth = Berth(
            title=title,
            folder=self._run_folder.ensure() / name,
            mark=f"{self._run_folder.mark}{name.removeprefix('h')}.",
            surroundings=surroundings,
            profile=profile,
            owner=self._owner,
        )
        image = self._settings.image
        if image is not None:
            return self._start_of(image, berth)
        try:
            return self._start_of(self._image.name, berth)
        except ImageError:  # somebody has removed it
            self._image.forget()
            raise

    def _start_of(self, image: str, berth: Berth) -> ContainerHost:
        group = ContainerGroup(holds_processor=self._abilities().processor)
        plan = partial(self._plan, image, berth.folder)
        launcher = ContainerLauncher(self._runtime, plan, group, _PATIENCE)
        has_kernel = self._settings.kernel
        berth = replace(berth, group=lambda: group)
        return ContainerHost(berth, self._loop, launcher, self._sweep, has_kernel=has_kernel)

    def _plan(self, image: str, folder: Path, order: KernelOrder) -> Plan:
        confinement, limits = order.confined.confinement, self._config.security.resource_limits
        plan = Plan(
            name=f"{folder.parent.name}-{folder.name}",
            owner=self._owner_name,
            mark=order.mark,
            settings=self._settings,
            image=image,
            limits=Limits(
                memory=confinement.memory,
                cpu_percent=limits.max_cpu_percent,
                files=confinement.files,
                threads=limits.max_threads,
                scratch=confinement.home_size,
            ),
            confined=order.confined,
            door=folder / "door",
            uid=os.getuid(),
            gid=os.getgid(),
            abilities=self._abilities(),
        )
        # Nobody else gets through the folder above; what is shown in the container is for its user.
        Path(order.confined.places.plugin).chmod(0o755)
        if self._settings.kernel and plan.user != os.getuid():
            ipc = Path(order.confined.places.ipc)
            for path in (ipc, *ipc.iterdir()):
                os.chown(path, plan.user, plan.user)
        return plan

    def close(self) -> None:
        if os.getpid() != self._owner_pid:
            return
        self.spares.close()
        owner, self._owner = self._owner, -1
        if owner >= 0:
            os.close(owner)
        tidying = self._tidying
        if tidying is None:
            return
        tidying.join()
        try:
            remove_own(self._runtime, self._run_folder.path.name)
        except ContainerRuntimeError as error:
            _log.warning("containers may have been left behind: %s", error)
