"""Sandbox Process: every plugin in a Jupyter kernel of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from nebula_lab.confine.machine import Machine
from nebula_lab.environments.environment import Environment
from nebula_lab.environments.import_folders import ImportFolder
from nebula_lab.errors import ExitReport, LoadFailedError
from nebula_lab.model import PluginConfig, PluginDescriptor, SandboxMode, Version
from nebula_lab.model.discovery_strategy import FileSystem
from nebula_lab.model.policy import EffectivePolicy, effective_policy
from nebula_lab.reports.exit_report import EndCause
from nebula_lab.sandbox.base import Grants, Host, HostSpec, Sandbox
from nebula_lab.sandbox.greeting import connected, greet
from nebula_lab.sandbox.groups import Groups
from nebula_lab.sandbox.launcher import Launcher
from nebula_lab.sandbox.leftovers import kill_marked
from nebula_lab.sandbox.nursery import nursery
from nebula_lab.sandbox.own_folders import own_folders
from nebula_lab.sandbox.probing import Prober
from nebula_lab.sandbox.process_host import Berth, ProcessHost
from nebula_lab.sandbox.profile import Profile, profile_for
from nebula_lab.sandbox.run_folder import RunFolder
from nebula_lab.sandbox.spares import SparePool
from nebula_lab.sandbox.surroundings import Surroundings
from nebula_lab.sandbox.sweep import Sweep
from nebula_lab.sandbox.visible_files import VisibleFiles
from nebula_lab.transport.loop import LoopThread

_IN_A_NOTEBOOK = 1
# Made without its model, which nothing else may need yet.
_UNASKING = PluginDescriptor.model_construct(
    id="spare", name="spare", version=Version.parse("0.0.0"), path=Path("/")
)


class ProcessSandbox(Sandbox):
    """Sandbox Process.

    Args:
        loop: watches kernels.
        run_folder: connection files, sockets and scratch folders go there.
        config: how to start kernels.
        is_idle: whether neither a load nor a call goes on.
    """

    mode = SandboxMode.PROCESS

    def __init__(
        self,
        loop: LoopThread,
        run_folder: RunFolder,
        config: PluginConfig,
        is_idle: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._run_folder = run_folder
        self._owner = os.pidfd_open(os.getpid())
        self._wanted_spares = config.zygote.spares
        self._sweep = Sweep(loop)
        self._spare_lives = itertools.count(1)
        self.launcher = Launcher(config.zygote, nursery())
        self._prober = Prober()
        self._groups = Groups(run_folder)
        self._config = config
        self._kept = own_folders(run_folder)
        self._made_by_others = self._kept[1:]
        self._visible = VisibleFiles(
            self.launcher.environment, tuple(map(str, self._kept)), _searched(config)
        )
        self.spares = SparePool(
            loop, self._start_spare, self._usual_profile, is_idle, config.zygote.spares or 0
        )

    def machine(self) -> Machine:
        return self._prober.machine()

    def kept_folders(self) -> tuple[Path, ...]:
        return self._kept

    def import_folders(self) -> tuple[ImportFolder, ...]:
        return self._visible.import_folders(os.environ.get("PYTHONPATH", ""))

    def warm_up(self) -> None:
        self.launcher.warm_up()
        self.machine()
        if self._wanted_spares is None:
            self.spares.size = _IN_A_NOTEBOOK
        self.spares.top_up_later()

    def start(self, spec: HostSpec) -> Host:
        with self.spares.not_now():
            surroundings = Surroundings.now()
            profile = self._profile(spec.policy, spec.grants, surroundings, spec.environment)
            spare = self.spares.take(surroundings, profile)
            if spare is not None:
                return connected(spare, spec, self.machine())
            name = f"h{spec.life}"
            berth = self._berth(name, f"{spec.life}", spec.plugin_id, surroundings, profile)
            try:
                host = ProcessHost(berth, self._loop, self.launcher, self._sweep)
            except OSError as error:
                reason = error or type(error).__name__
                raise LoadFailedError(
                    f"its kernel could not be started: {reason}",
                    plugin_id=spec.plugin_id,
                    report=ExitReport(f"not started: {reason}", cause=EndCause.NOT_STARTED),
                ) from error
            greet(host, spec)
            return connected(host, spec, self.machine())

    def _start_spare(self, surroundings: Surroundings, profile: Profile) -> ProcessHost:
        life = next(self._spare_lives)
        berth = self._berth(f"s{life}", f"s{life}", "(spare)", surroundings, profile)
        return ProcessHost(berth, self._loop, self.launcher, self._sweep)

    def _usual_profile(self, surroundings: Surroundings) -> Profile:
        policy = effective_policy(_UNASKING, self._config, self.machine())
        return self._profile(policy, Grants(), surroundings)

    def _profile(
        self,
        policy: EffectivePolicy,
        grants: Grants,
        surroundings: Surroundings,
        environment: Environment | None = None,
    ) -> Profile:
        visible = self._visible if environment is None else self._visible_in(environment)
        return profile_for(policy, grants, self.machine(), visible, surroundings, environment)

    def _visible_in(self, environment: Environment) -> VisibleFiles:
        return VisibleFiles(environment, self._visible.own, self._visible.hidden)

    def _berth(
        self, folder: str, life: str, plugin_id: str, surroundings: Surroundings, profile: Profile
    ) -> Berth:
        for kept in self._made_by_others:
            _make(kept)
        return Berth(
            title=plugin_id,
            folder=self._run_folder.ensure() / folder,
            mark=f"{self._run_folder.mark}{life}.",
            surroundings=surroundings,
            profile=profile,
            owner=self._owner,
            group=partial(self._groups.make, folder, is_wanted=profile.is_grouped),
            entrust=self._run_folder.entrust,
        )

    def close(self) -> None:
        self.spares.close()
        marks = self.launcher.close()
        if self._run_folder.path.exists():
            marks.append(self._run_folder.mark)
        if marks:
            kill_marked(*marks)  # what a zygote may have made that nobody asked for
        owner, self._owner = self._owner, -1
        if owner >= 0:
            os.close(owner)

    def disown(self) -> None:
        self.launcher.disown()


def _make(folder: Path) -> None:
    """Make a folder that is to be hidden: it can be only if it is there when a host starts."""
    with contextlib.suppress(OSError):  # where we can't make it, nor can whoever it is for
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(0o700, exist_ok=True)


def _searched(config: PluginConfig) -> tuple[str, ...]:
    """Real paths of the folders that are searched for plugins."""
    if config.plugin_dir is None or not isinstance(config.discovery, FileSystem):
        return ()
    return (str(config.plugin_dir.resolve()),)
