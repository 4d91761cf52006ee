"""Works on a thread of its own."""

import threading

from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {"id": "threaded", "version": "1.0.0"}


class Threaded(Plugin):
    @operation
    def add_on_a_thread(self, a: int, b: int) -> int:
        found = []
        thread = threading.Thread(target=lambda: found.append(a + b))
        thread.start()
        thread.join()
        return found[0]


def plugin_entry():
    return Threaded()
