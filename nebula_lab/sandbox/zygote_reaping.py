"""The hosts that a zygote has been told to give up, until it says what they had used."""

from __future__ import annotations

from concurrent.futures import Future

from nebula_lab.agent.zygote_messages import Reaped
from nebula_lab.sandbox.kernel_process import Used
from nebula_lab.sandbox.zygote_socket import ZygoteError


class Reaping:
    """Whoever waits to be told what a host had used, by the zygote's numbers. Any thread."""

    def __init__(self) -> None:
        self._waiting: dict[int, Future[Used | None]] = {}

    def begin(self, number: int, used: Future[Used | None]) -> None:
        """Have `used` told, sooner or later."""
        self._waiting[number] = used

    def take(self, report: Reaped) -> None:
        """Tell what the zygote says.

        Raises:
            ZygoteError: it says so of one that it was not told to give up.
        """
        used = self._waiting.pop(report.number, None)
        if used is None:
            raise ZygoteError("it gave up what it was not told to")
        used.set_result(Used(report.peak_memory, report.processor_time))

    def give_up(self) -> None:
        """Tell all who wait that nobody will know."""
        for number in list(self._waiting):
            used = self._waiting.pop(number, None)
            if used is not None:
                used.set_result(None)
