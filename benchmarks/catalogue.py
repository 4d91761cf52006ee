"""Every topic."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.result import Topic
from benchmarks.topics import (
    arrays,
    calls,
    choosing,
    deadlines,
    discovery,
    imports,
    live,
    loads,
    memory,
    resolver,
    sandboxes,
    scale,
    threads,
)

# In the order in which they run, and stand in the document.
TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        one.TOPIC.name: one.TOPIC
        for one in (
            calls,
            threads,
            deadlines,
            arrays,
            loads,
            sandboxes,
            memory,
            scale,
            live,
            imports,
            resolver,
            choosing,
            discovery,
        )
    }
)
