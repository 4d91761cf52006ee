"""Starting processes, without being allowed to."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

from .attack import PROGRAM_RAN, attack
from .system import EXIT_77, call, wait_for

_EXIT = f"raise SystemExit({PROGRAM_RAN})"
_ARGUMENTS = [sys.executable, "-I", "-S", "-c", _EXIT]
_BOMB = 300
_VFORK = 0x4000


def _ran(code):
    if code != PROGRAM_RAN:
        raise ChildProcessError(f"the program ended with {code}")
    return code


@attack()
def fork(target):
    pid = os.fork()
    if pid == 0:
        os._exit(PROGRAM_RAN)
    return _ran(wait_for(pid))


@attack()
def fork_bomb(target):
    """As many as there can be, but no more than 300; they end with their parent."""
    reading, writing = os.pipe()
    children = []
    try:
        for _ in range(_BOMB):
            try:
                pid = os.fork()
            except OSError:
                if not children:
                    raise
                break
            if pid == 0:
                os.close(writing)
                os.read(reading, 1)
                os._exit(0)
            children.append(pid)
        return len(children)
    finally:
        os.close(writing)
        os.close(reading)
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _raw(name, *arguments):
    pid = call(name, *arguments, holding=True)
    if pid == 0:
        os._exit(PROGRAM_RAN)
    return _ran(wait_for(pid))


@attack()
def raw_clone(target):
    return _raw("clone", signal.SIGCHLD, 0, 0, 0, 0)


@attack()
def raw_clone_as_vfork(target):
    return _raw("clone", signal.SIGCHLD | _VFORK, 0, 0, 0, 0)


@attack()
def raw_clone3(target):
    arguments = (ctypes.c_uint64 * 11)()
    arguments[4] = signal.SIGCHLD
    return _raw("clone3", arguments, ctypes.sizeof(arguments))


@attack()
def run_program(target):
    return _ran(subprocess.run(_ARGUMENTS, check=False).returncode)


@attack()
def run_shell(target):
    return _ran(os.waitstatus_to_exitcode(os.system(f"exit {PROGRAM_RAN}")))


@attack()
def posix_spawn(target):
    return _ran(wait_for(os.posix_spawn(sys.executable, _ARGUMENTS, {})))


@attack()
def multiprocess(target):
    child = multiprocessing.get_context("fork").Process(target=os._exit, args=(PROGRAM_RAN,))
    child.start()
    child.join()
    return _ran(child.exitcode)


@attack()
def open_terminal(target):
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os._exit(PROGRAM_RAN)
    try:
        return _ran(wait_for(pid))
    finally:
        os.close(terminal)


# These would replace the process that they run in.


@attack(after=f"exit {PROGRAM_RAN}")
def become_program(target):
    os.execv(sys.executable, _ARGUMENTS)


@attack(after=f"exit {PROGRAM_RAN}")
def become_dropped_program(target):
    program = Path(target["scratch"], "program")
    program.write_bytes(EXIT_77)
    program.chmod(0o755)
    os.execv(program, ["program"])


@attack(after=f"exit {PROGRAM_RAN}")
def become_dropped_script(target):
    script = Path(target["scratch"], "script")
    script.write_text(f"#!{os.path.realpath(sys.executable)}\n{_EXIT}\n")
    script.chmod(0o755)
    os.execve(script, ["script"], {})


@attack(after=f"exit {PROGRAM_RAN}")
def become_program_in_memory(target):
    descriptor = os.memfd_create("program")
    os.write(descriptor, EXIT_77)
    os.execve(descriptor, ["program"], {})


@attack(after=f"exit {PROGRAM_RAN}")
def become_program_by_loader(target):
    """The dynamic loader runs a file that is not executable."""
    script = Path(target["scratch"], "own-python")
    script.write_bytes(Path(sys.executable).read_bytes())
    for loader in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"):
        if os.path.exists(loader):
            os.execve(loader, [loader, str(script), *_ARGUMENTS[1:]], dict(os.environ))
    raise FileNotFoundError("no loader")


@attack(after=f"exit {PROGRAM_RAN}")
def become_program_by_execveat(target):
    descriptor = os.memfd_create("program")
    os.write(descriptor, EXIT_77)
    arguments = (ctypes.c_char_p * 2)(b"program", None)
    call("execveat", descriptor, b"", arguments, (ctypes.c_char_p * 1)(None), 0x1000)
