"""What a value that is not kept is called, for those who wonder where it went."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.agent.state.naming import shown

# By the names of classes, so that nothing is imported to ask. The first base that is here counts.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "socket.socket": "a socket, which can't be copied",
        "_socket.socket": "a socket, which can't be copied",
        "ssl.SSLSocket": "a TLS connection, which can't be copied",
        "_io.BytesIO": "a file in memory",
        "_io.StringIO": "a file in memory",
        "_io._IOBase": "an open file",
        "_io._TextIOBase": "an open file",
        "tempfile._TemporaryFileWrapper": "an open file",
        "mmap.mmap": "a memory-mapped file",
        "numpy.memmap": "a memory-mapped file",
        "_thread.lock": "a lock",
        "_thread.RLock": "a lock",
        "threading._RLock": "a lock",
        "threading.Condition": "a condition of threads",
        "threading.Event": "an event of threads",
        "threading.Semaphore": "a semaphore",
        "threading.Barrier": "a barrier of threads",
        "asyncio.locks.Lock": "a lock",
        "asyncio.locks.Event": "an event of asyncio",
        "asyncio.locks.Condition": "a condition of asyncio",
        "asyncio.locks.Semaphore": "a semaphore",
        "asyncio.queues.Queue": "a queue of asyncio",
        "threading.Thread": "a thread",
        "_thread._local": "data of a thread",
        "queue.Queue": "a queue between threads",
        "_queue.SimpleQueue": "a queue between threads",
        "concurrent.futures._base.Executor": "a pool of workers",
        "concurrent.futures._base.Future": "a future",
        "_asyncio.Future": "a future",
        "_asyncio.Task": "a running task",
        "asyncio.events.AbstractEventLoop": "an event loop",
        "subprocess.Popen": "a process",
        "multiprocessing.process.BaseProcess": "a process",
        "sqlite3.Connection": "a database connection",
        "sqlite3.Cursor": "a database cursor",
        "builtins.generator": "a generator",
        "builtins.async_generator": "a generator",
        "builtins.coroutine": "a coroutine",
        "builtins.function": "a function",
        "builtins.builtin_function_or_method": "a function",
        "builtins.method": "a method",
        "functools.partial": "a function with arguments",
        "builtins.module": "a module",
        "builtins.type": "a class",
        "builtins.memoryview": "a view of another object's memory",
        "weakref.ReferenceType": "a weak reference",
        "builtins.property": "a property",
        "logging.Logger": "a logger",
        "nebula_lab.plugin.host.Context": "the host's context",
        "nebula_lab.plugin.plugin.Plugin": "a plugin",
        "contextvars.ContextVar": "a context variable",
    }
)


def words_for(value: Any) -> str:
    """What a value is, as in «a lock» or «an instance of Thing»."""
    kind = type(value)
    for base in kind.__mro__:
        found = _WORDS.get(f"{base.__module__}.{base.__qualname__}")
        if found is not None:
            return found
    if kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__"):
        return "an iterator"
    if kind.__module__ == "builtins":
        article = "an" if shown(kind)[0] in "aeiou" else "a"
        return f"{article} {shown(kind)}"
    return f"an instance of {shown(kind)}"
