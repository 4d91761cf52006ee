"""What becomes of looking at a host where it is not possible for a while."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from nebula_lab.confine.places import Places
from nebula_lab.model.policy import Limits
from nebula_lab.sandbox.family import Family
from nebula_lab.sandbox.usage import Duties, UsageWatch
from nebula_lab.transport.loop import LoopThread


def test_a_look_that_fails_is_not_the_last(tmp_path):
    home = tmp_path / "home"
    home.symlink_to("home")  # it can't be listed: too many links
    waiting = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    pidfd = os.pidfd_open(waiting.pid)
    loop, told, said = LoopThread(), threading.Event(), []

    def end(reason):
        said.append(reason)
        told.set()

    def is_busy():
        # Asked after the first look, which has failed.
        if home.is_symlink():
            home.unlink()
            home.mkdir()
            (home / "large").write_bytes(bytes(1 << 20))
        return True

    limits = Limits(memory=1 << 30, cpu_percent=None, files=9, threads=9, scratch=1 << 16)
    watched = Duties(threads=False, memory=False, files=True, sockets=False, processor=False)
    places = Places(ipc="", plugin="", home=str(home), root="")
    family = Family(waiting.pid, pidfd, has_descendants=False)
    watch = UsageWatch(family, places, limits, watched, loop, is_busy, lambda: 0, end, print)
    try:
        watch.start()
        assert told.wait(30)
        assert "max_scratch" in said[0]
    finally:
        watch.let_go()
        loop.call(watch.close)
        waiting.communicate(b"\n")
        loop.close()
        os.close(pidfd)
