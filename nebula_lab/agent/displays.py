"""Where what a plugin's process displays goes: to the caller, or to the console of a cell."""

from __future__ import annotations

from typing import Any

from ipykernel.displayhook import ZMQShellDisplayHook
from ipykernel.jsonutil import encode_images
from ipykernel.zmqshell import ZMQDisplayPublisher

from nebula_lab.agent.job import current_job
from nebula_lab.agent.server import Server
from nebula_lab.wire.errors import ValueNotSupportedError
from nebula_lab.wire.messages import Display
from nebula_lab.wire.values import encode_value


def _send_display(server: Server, action: str, bundle: dict[str, Any]) -> bool:
    """Send what the running call displays; False where no call runs."""
    job = current_job.get()
    if job is None:
        return False
    try:
        encoded = encode_value(bundle, "display")
    except ValueNotSupportedError:
        text = str(bundle.get("data", {}).get("text/plain", "(a display that can't be sent)"))
        encoded = encode_value({"data": {"text/plain": text}, "metadata": {}, "transient": {}})
    for message in job.flushed():
        server.send(message)
    server.send(Display(job.label, action, encoded))
    return True


class PluginDisplayPublisher(ZMQDisplayPublisher):
    """Sends displays of a call over the channel, and those of a console's cell to the console."""

    server: Server

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **kwargs: Any,
    ) -> None:
        bundle = {
            "data": encode_images(data),
            "metadata": metadata or {},
            "transient": transient or {},
        }
        if not _send_display(self.server, "update" if update else "display", bundle):
            super().publish(data, metadata, transient=transient, update=update, **kwargs)

    def clear_output(self, wait: bool = False) -> None:
        if not _send_display(self.server, "clear", {"data": {}, "wait": wait}):
            super().clear_output(wait)


class PluginDisplayHook(ZMQShellDisplayHook):
    """Shows the value of a cell's last line."""

    server: Server

    def write_format_data(
        self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None
    ) -> None:
        bundle = {"data": encode_images(format_dict), "metadata": md_dict or {}, "transient": {}}
        if current_job.get() is None:
            super().write_format_data(format_dict, md_dict)
        else:
            _send_display(self.server, "display", bundle)

    def finish_displayhook(self) -> None:
        if current_job.get() is None:
            super().finish_displayhook()
        else:
            self.msg = None
