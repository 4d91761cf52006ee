"""Which system calls belong together: what any plugin needs, what each right is for, what no one.

Calls whose arguments decide are in `nebula_lab.confine.system_call_policy`. What is in none of
these, such as `vmsplice` and `io_submit`, is for plugins with the capability SystemCalls.
"""

from __future__ import annotations

__all__ = ["ALWAYS_DENIED", "BOOT", "METADATA", "NETWORK", "ORDINARY", "SHARED_MEMORY", "SPAWN"]


def _names(*texts: str) -> frozenset[str]:
    return frozenset(" ".join(texts).split())


_FILES = """
    access cachestat chdir close copy_file_range creat dup dup2 dup3 faccessat
    faccessat2 fadvise64 fallocate fchdir fdatasync flock fstat fstatfs fsync ftruncate getcwd
    getdents getdents64 link linkat lseek lstat mkdir mkdirat newfstatat open openat openat2 pipe
    pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
    rename renameat renameat2 rmdir sendfile splice stat statfs statx symlink symlinkat
    sync_file_range truncate umask unlink unlinkat write writev
"""
_MEMORY = """
    brk get_mempolicy madvise membarrier mincore mlock mlock2 mlockall mprotect
    mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
"""
_WAITING = """
    alarm clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl
    epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 getitimer gettimeofday nanosleep pause poll
    ppoll pselect6 select setitimer time timer_create timer_delete timer_getoverrun timer_gettime
    timer_settime timerfd_create timerfd_gettime timerfd_settime
"""
_SIGNALS = """
    restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend
    rt_sigtimedwait sigaltstack signalfd signalfd4
"""
_THREADS = """
    arch_prctl exit exit_group futex futex_requeue futex_wait futex_waitv futex_wake getcpu gettid
    rseq sched_yield set_robust_list set_tid_address
"""
# To ask is harmless, also about others: what is to be hidden of them /proc shows, not these.
_QUESTIONS = """
    capget getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getrandom
    getresgid getresuid getrlimit getrusage getsid getuid ioprio_get sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_rr_get_interval sysinfo times uname
"""
# A limit can only be lowered, and only children can be waited for.
_OWN_PROCESS = "setrlimit wait4 waitid"
# What works on sockets that are there already: a booted kernel's go on taking clients.
_OPEN_SOCKETS = """
    accept accept4 getpeername getsockname getsockopt recvfrom recvmmsg recvmsg sendmmsg sendmsg
    sendto setsockopt shutdown
"""
# The kernel itself makes a process call these, if an administrator traces it.
_TRACED = "uprobe uretprobe"

ORDINARY = _names(
    _FILES,
    _MEMORY,
    _WAITING,
    _SIGNALS,
    _THREADS,
    _QUESTIONS,
    _OWN_PROCESS,
    _OPEN_SOCKETS,
    _TRACED,
)

NETWORK = _names("bind connect listen")

# A new session or group is for processes; a plugin alone could leave those that it is ended with.
SPAWN = _names("""
    execve execveat fork pidfd_open pidfd_send_signal setpgid setsid vfork
""")

# What a kernel needs once, in a process that becomes its interpreter after it has been confined.
BOOT = _names("bind connect execve listen seccomp")

# What Landlock lets anyone do to any file of the same user. To read or to watch is in it too: an
# attribute can say where a file was downloaded from, a watch when another program writes one.
METADATA = _names("""
    chmod chown fchmod fchmodat fchmodat2 fchown fchownat fgetxattr file_getattr file_setattr
    flistxattr fremovexattr futimesat getxattr getxattrat inotify_add_watch inotify_init
    inotify_init1 inotify_rm_watch lchown lgetxattr listxattr listxattrat llistxattr lremovexattr
    removexattr removexattrat utime utimensat utimes
""")

# Memory and queues that outlive their processes and are not counted as theirs.
SHARED_MEMORY = _names("""
    memfd_create memfd_secret mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink
    msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget
""")

_OTHER_PROCESSES = """
    get_robust_list kcmp migrate_pages move_pages pidfd_getfd process_madvise process_mrelease
    process_vm_readv process_vm_writev ptrace
"""
_FILE_SYSTEMS = """
    chroot fanotify_init fanotify_mark fsconfig fsmount fsopen fspick mount mount_setattr move_mount
    name_to_handle_at open_by_handle_at open_tree open_tree_attr pivot_root quotactl quotactl_fd
    setns umount2 unshare
"""
_IDENTITY = """
    capset lsm_set_self_attr setfsgid setfsuid setgid setgroups setregid setresgid setresuid
    setreuid setuid
"""
_MACHINE = """
    _sysctl acct adjtimex clock_adjtime clock_settime create_module delete_module finit_module
    init_module ioperm iopl kexec_file_load kexec_load reboot setdomainname sethostname settimeofday
    swapoff swapon syslog vhangup
"""
_LARGE_AND_BROKEN_BEFORE = """
    add_key bpf io_uring_enter io_uring_register io_uring_setup keyctl perf_event_open request_key
    userfaultfd
"""
# Counts as a stack, and so as no data; nobody needs it who does not switch stacks by himself.
_UNCOUNTED = "map_shadow_stack"
_OBSOLETE = """
    afs_syscall epoll_ctl_old epoll_wait_old get_kernel_syms get_thread_area getpmsg lookup_dcookie
    nfsservctl putpmsg query_module security set_thread_area tuxcall uselib vserver
"""
ALWAYS_DENIED = _names(
    _OTHER_PROCESSES,
    _FILE_SYSTEMS,
    _IDENTITY,
    _MACHINE,
    _LARGE_AND_BROKEN_BEFORE,
    _UNCOUNTED,
    _OBSOLETE,
)
