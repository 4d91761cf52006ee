"""Commands of system calls that do many things, and who may give them."""

from __future__ import annotations

__all__ = [
    "FCNTL",
    "IOCTL",
    "IOCTL_OF_COPIES",
    "IOCTL_OF_FILE_SYSTEMS",
    "PRCTL",
    "PRCTL_NEVER",
]

_SPAWN, _METADATA, _EVERYTHING, _NO_ONE = "spawn", "metadata", "everything", "no one"
_UNSEEN = "unseen"
# Which right a command needs. F_SETOWN and its like have the kernel send any signal to any process
# of the same user, SIGKILL too; a lease holds up whoever opens the file.
FCNTL = {
    38: _UNSEEN,  # F_OFD_SETLKW: two that wait for each other keep a file that is not open any more
    8: _SPAWN,  # F_SETOWN
    10: _SPAWN,  # F_SETSIG
    15: _SPAWN,  # F_SETOWN_EX
    1024: _EVERYTHING,  # F_SETLEASE
    1026: _EVERYTHING,  # F_NOTIFY
    1031: _EVERYTHING,  # F_SETPIPE_SZ: all pipes of a user have room for so much together
}
IOCTL = {
    0x5412: _NO_ONE,  # TIOCSTI: types into the terminal
    0x541C: _NO_ONE,  # TIOCLINUX: pastes into it
    0x541D: _NO_ONE,  # TIOCCONS: takes the console's output
    0x8901: _SPAWN,  # FIOSETOWN
    0x8902: _SPAWN,  # SIOCSPGRP
    0x40086602: _METADATA,  # FS_IOC_SETFLAGS
    0x40087602: _METADATA,  # FS_IOC_SETVERSION
    0x401C5820: _METADATA,  # FS_IOC_FSSETXATTR
    0x40806685: _METADATA,  # FS_IOC_ENABLE_VERITY: nobody can write to that file again
    0x800C6613: _METADATA,  # FS_IOC_SET_ENCRYPTION_POLICY: of any empty folder
}
# All commands of btrfs and bcachefs, which make and remove whole trees: Landlock sees none of them.
# To copy from one open file into another is a command of btrfs's too, and of others' by now.
IOCTL_OF_FILE_SYSTEMS = (0x9400, 0xBC00)
IOCTL_OF_COPIES = (
    0x40049409,  # FICLONE
    0x4020940D,  # FICLONERANGE
    0xC0189436,  # FIDEDUPERANGE
)

PRCTL = (
    1,  # PR_SET_PDEATHSIG
    2,  # PR_GET_PDEATHSIG
    3,  # PR_GET_DUMPABLE
    7,  # PR_GET_KEEPCAPS
    13,  # PR_GET_TIMING
    15,  # PR_SET_NAME
    16,  # PR_GET_NAME
    21,  # PR_GET_SECCOMP
    23,  # PR_CAPBSET_READ
    25,  # PR_GET_TSC
    27,  # PR_GET_SECUREBITS
    29,  # PR_SET_TIMERSLACK
    30,  # PR_GET_TIMERSLACK
    34,  # PR_MCE_KILL_GET
    37,  # PR_GET_CHILD_SUBREAPER
    38,  # PR_SET_NO_NEW_PRIVS
    39,  # PR_GET_NO_NEW_PRIVS
    40,  # PR_GET_TID_ADDRESS
    41,  # PR_SET_THP_DISABLE: allocators set it
    42,  # PR_GET_THP_DISABLE
    51,  # PR_SVE_GET_VL
    52,  # PR_GET_SPECULATION_CTRL
    56,  # PR_GET_TAGGED_ADDR_CTRL
    58,  # PR_GET_IO_FLUSHER
    61,  # PR_PAC_GET_ENABLED_KEYS
    64,  # PR_SME_GET_VL
    66,  # PR_GET_MDWE
    68,  # PR_GET_MEMORY_MERGE
    74,  # PR_GET_SHADOW_STACK_STATUS
    0x41555856,  # PR_GET_AUXV
    0x53564D41,  # PR_SET_VMA
)
PRCTL_NEVER = (
    4,  # PR_SET_DUMPABLE: would open its memory to other processes of the user
    8,  # PR_SET_KEEPCAPS
    24,  # PR_CAPBSET_DROP
    28,  # PR_SET_SECUREBITS
    31,  # PR_TASK_PERF_EVENTS_DISABLE
    32,  # PR_TASK_PERF_EVENTS_ENABLE
    35,  # PR_SET_MM
    36,  # PR_SET_CHILD_SUBREAPER: would keep its processes from the one that ends them
    47,  # PR_CAP_AMBIENT
    62,  # PR_SCHED_CORE
    0x59616D61,  # PR_SET_PTRACER
)
