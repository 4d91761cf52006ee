"""A plugin's line to its host, over the functions that the component imports."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn, Protocol

from nebula_lab.agent.tracebacks import came_of
from nebula_lab.guest.exchange import Exchange
from nebula_lab.plugin import Context, PluginError
from nebula_lab.wire.tagged_json import dumps, loads


class HostFunctions(Protocol):
    """What the interfaces `host` and `more` of `wit/python-host.wit` have."""

    def log(self, level: int, message: str) -> None: ...
    def output(self, stream: str, text: str) -> None: ...
    def progress(self, done: float, total: float | None, text: str) -> None: ...
    def call(self, plugin: str, operation: str, params: str, timeout: float | None) -> str: ...
    def sleep(self, seconds: float) -> bool: ...
    def leave(self, code: int) -> None: ...


class GuestContext(Context):
    """The context of the one plugin that runs here.

    Args:
        refusal: what `call` raises, with the error's text as its value.
    """

    def __init__(
        self,
        plugin_id: str,
        config: dict[str, Any],
        scratch_dir: Path,
        host: HostFunctions,
        exchange: Exchange,
        refusal: type[Exception],
    ) -> None:
        self._plugin_id = plugin_id
        self._config = config
        self._scratch_dir = scratch_dir
        self._host = host
        self._exchange = exchange
        self._refusal = refusal

    @property
    def plugin_id(self) -> str:
        return self._plugin_id

    @property
    def config(self) -> dict[str, Any]:
        return self._config

    @property
    def scratch_dir(self) -> Path:
        return self._scratch_dir

    def call(
        self,
        plugin_id: str,
        operation: str,
        params: dict[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        text = dumps(params or {}, self._exchange.put, "params")
        flush()
        try:
            answer = self._host.call(plugin_id, operation, text, timeout)
        except self._refusal as refusal:
            told = json.loads(refusal.value)  # type: ignore[attr-defined]
            if told["cancelled"]:
                raise KeyboardInterrupt from None
            failed = PluginError(f"{told['type']}: {told['message']}")
            raise came_of(failed, told["request"]) from None
        return loads(answer, self._exchange.take)["value"]

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        self._host.progress(float(done), None if total is None else float(total), str(text))

    def log(self, message: str, level: str = "info") -> None:
        number = logging.getLevelNamesMapping().get(level.upper())
        if number is None:
            raise PluginError(
                f"there is no log level {level!r}",
                hint="Levels are debug, info, warning, error and critical.",
            )
        flush()
        self._host.log(number, str(message))


class Printed:
    """A text stream whose lines go to the host.

    Args:
        name: "stdout" or "stderr".
    """

    encoding = "utf-8"
    errors = "backslashreplace"
    closed = False
    _FLUSH_AT = 4096

    def __init__(self, name: str, host: HostFunctions) -> None:
        self.name = f"<{name}>"
        self._name = name
        self._host = host
        self._held: list[str] = []
        self._size = 0

    def write(self, text: str) -> int:
        self._held.append(text)
        self._size += len(text)
        if "\n" in text or self._size >= self._FLUSH_AT:
            self.flush()
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if self._held:
            text = "".join(self._held)
            self._held, self._size = [], 0
            self._host.output(self._name, text.encode("utf-8", self.errors).decode())

    def isatty(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


class LogLines(logging.Handler):
    """Sends records to the plugin's log."""

    def __init__(self, host: HostFunctions) -> None:
        super().__init__()
        self._host = host

    def emit(self, record: logging.LogRecord) -> None:
        flush()
        self._host.log(max(0, record.levelno), self.format(record))


def flush() -> None:
    """Send what has been printed so far."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def connect(host: HostFunctions) -> None:
    """Have what is printed, logged and slept go through the host."""
    sys.stdout, sys.stderr = Printed("stdout", host), Printed("stderr", host)
    logging.getLogger().addHandler(LogLines(host))

    def sleep(seconds: Any, /) -> None:
        """As `time.sleep`, but the host can end it."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        flush()
        if host.sleep(float(seconds)):
            raise KeyboardInterrupt

    def leave(status: int) -> NoReturn:
        """As `os._exit`, whose code would not get through."""
        host.leave(status)
        raise SystemExit(status)  # it does not come to this

    time.sleep = sleep
    os._exit = leave
