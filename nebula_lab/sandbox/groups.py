"""Makes the control groups of one manager's hosts."""

from __future__ import annotations

import logging

from nebula_lab.confine.cgroup_places import Place, find
from nebula_lab.confine.cgroups import Group
from nebula_lab.sandbox.host_group import HostGroup
from nebula_lab.sandbox.run_folder import RunFolder

_log = logging.getLogger("nebula_lab")


class Groups:
    """Names them after the run folder, so that the sweeper finds them.

    Args:
        run_folder: of the manager.
    """

    def __init__(self, run_folder: RunFolder) -> None:
        self._run_folder = run_folder
        self._place: Place | None = None

    def make(self, name: str, *, is_wanted: bool) -> HostGroup:
        """The group of a host; an empty one where none is wanted, or none is to be had after all.

        What it was to do is left to sampling then.
        """
        if not is_wanted:
            return HostGroup(None)
        try:
            if self._place is None:
                self._place = find()
            return HostGroup(Group(self._place, f"{self._run_folder.path.name}-{name}"))
        except OSError as error:
            _log.info("a host gets no control group: %s", error)
            return HostGroup(None)
