"""What a machine can enforce, as found by trying it."""

from __future__ import annotations

import msgspec


class Mechanism(msgspec.Struct, frozen=True):
    """One way of confining a process.

    Attributes:
        works: whether it held when it was tried.
        detail: the version that there is, or why it does not work.
        cure: what a person can do about it; empty where it works.
        version: of the kernel's interface to it, where it has one.
    """

    works: bool
    detail: str = ""
    cure: str = ""
    version: int = 0


class Machine(msgspec.Struct, frozen=True):
    """The mechanisms of one machine, for one user.

    Attributes:
        landlock: files, ports, signals; see landlock(7).
        seccomp: a filter of system calls; see seccomp(2).
        namespaces: a user, mount, IPC and network namespace of a process's own.
        pid_namespace: one more for its children.
        scopes: Landlock keeps signals inside.
        counts_threads: the kernel counts threads of this user, which it does not do for root.
        cgroups: control groups that this user can make, with limits of processor and threads; see
            cgroups(7).
        cgroup_memory: the same with limits of memory.
        sees_calls: who started a process sees which system call it waits in; see
            `sandbox.nameless_files`.
    """

    landlock: Mechanism
    seccomp: Mechanism
    namespaces: Mechanism
    pid_namespace: Mechanism
    scopes: Mechanism
    counts_threads: Mechanism
    cgroups: Mechanism
    cgroup_memory: Mechanism
    sees_calls: Mechanism
