"""Holds back what a host writes, logs and displays beyond its budget, and says how much it was.

It stands where messages arrive: behind it they wait for whoever made the call, perhaps for long,
and cost the manager memory. What is let through keeps its order, and a note stands where something
is missing, at the latest ahead of the call's answer.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from nebula_lab.transport.budget import Budget
from nebula_lab.wire.messages import Display, Log, Message, Output, Progress
from nebula_lab.wire.parcel import Delivery

SHOWN = frozenset({Output, Log, Display, Progress})
# Characters a second, and at once. Jupyter's server itself passes on 1 MB a second and drops a
# whole cell's output beyond that; a burst is what a person may scroll through.
TEXT_RATE, TEXT_BURST = 1_000_000, 5_000_000
# What a message costs besides its characters, so that there are at most 5,000 a second, and 25,000
# at once: one took the manager 40 µs on two busy cores, which makes a fifth of a core.
RECORD_COST = 200
# Bytes; a figure has 20 to 200 kB, and one bundle may have as much as the burst. Publishing one
# takes a notebook 0.3 ms and its browser more.
DISPLAY_RATE, DISPLAY_BURST = 2_000_000, 20_000_000
DISPLAYS_A_SECOND, DISPLAYS_AT_ONCE = 50, 500
LARGEST_DISPLAY = 15_000_000  # bytes: 10 MB of an image in base64, and what stands beside it
# Characters and bytes of what nobody has taken yet, for one call.
MOST_WAITING = 32_000_000
LONGEST_RECORD = 64 * 1024  # characters of a log record
_LONGEST_NAME = 1_000
_TEXT_NOTE = "… {:,} characters left out (a plugin may write 1 MB a second)\n"
_DISPLAY_NOTE = "… {:,} displays left out (a plugin may show 50 a second)\n"


class _Account:
    """What has become of one call's output."""

    __slots__ = ("characters", "displays", "in_line", "waiting")

    def __init__(self) -> None:
        self.characters = 0  # left out and not told of yet, as are the displays
        self.displays = 0
        self.waiting = 0
        self.in_line = False  # what was let through ended in the middle of a line

    def owed_note(self) -> str:
        """What is to be told of it; "" if nothing is."""
        text = _TEXT_NOTE.format(self.characters) if self.characters else ""
        return text + (_DISPLAY_NOTE.format(self.displays) if self.displays else "")

    def note(self, call: int) -> list[Message]:
        """The note as a message, on a line of its own; nothing is owed any more."""
        text = self.owed_note()
        if not text:
            return []
        self.characters = self.displays = 0
        start = "\n" if self.in_line else ""
        self.in_line = False
        return [Output(call, "stderr", start + text)]


class FloodGate:
    """Decides about each message of one host that is to be shown.

    Args:
        clock: seconds that only grow.

    Attributes:
        accounts: by number of the call, of those with output; 0 is for what belongs to none.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.accounts: dict[int, _Account] = {}
        self._text = Budget(TEXT_RATE, TEXT_BURST, clock)
        self._bytes = Budget(DISPLAY_RATE, DISPLAY_BURST, clock)
        self._displays = Budget(DISPLAYS_A_SECOND, DISPLAYS_AT_ONCE, clock)
        # What is written past the channel is read by another thread, perhaps.
        self._deciding = threading.Lock()

    def admit(self, message: Any, call: int, *, is_taken: bool) -> list[Message]:
        """What to pass on in the place of a message; nothing, or a note ahead of it.

        Args:
            message: of one of the kinds in `SHOWN`.
            call: the number of the call that listens; 0 if none does.
            is_taken: nothing that was passed on before waits any more.
        """
        with self._deciding:
            account = self.accounts.get(call)
            if account is None:
                account = self.accounts[call] = _Account()
            if is_taken:
                account.waiting = 0
            return self._decided(account, call, message)

    def _decided(self, account: _Account, call: int, message: Any) -> list[Message]:
        missing = account.characters, account.displays
        account.characters = account.displays = 0
        admitted = _DECISIONS[type(message)](self, account, message)
        # What is cut off this very message is told of after it.
        fresh = account.characters, account.displays
        account.characters, account.displays = missing
        notes = [] if admitted is None else account.note(call)
        account.characters += fresh[0]
        account.displays += fresh[1]
        if admitted is None:
            return []
        if isinstance(admitted, Output):
            account.in_line = not admitted.text.endswith("\n")
        return [*notes, admitted]

    def settle(self, call: int) -> list[Message]:
        """The note that a call is still owed; its account is closed."""
        with self._deciding:
            account = self.accounts.pop(call, None)
            return [] if account is None else account.note(call)

    def pending_note(self) -> str:
        """What of the output of no call is missing and has not been told; "" if nothing is."""
        with self._deciding:
            account = self.accounts.get(0)
            return "" if account is None else account.owed_note()

    def _output(self, account: _Account, message: Output) -> Output | None:
        size = len(message.text)
        left = self._affordable(account, size)
        if left <= 0:
            account.characters += size
            return None
        if left < size:
            account.characters += size - left
            message = msgspec.structs.replace(message, text=message.text[:left])
        return message

    def _affordable(self, account: _Account, size: int) -> int:
        cost = size + RECORD_COST
        if account.waiting + cost > MOST_WAITING:
            return 0
        taken = int(self._text.take(cost))
        account.waiting += taken
        return taken - RECORD_COST

    def _log(self, account: _Account, message: Log) -> Log | None:
        size = len(message.message)
        if size > LONGEST_RECORD or len(message.logger) > _LONGEST_NAME:
            message = msgspec.structs.replace(
                message,
                message=message.message[:LONGEST_RECORD],
                logger=message.logger[:_LONGEST_NAME],
            )
        if self._affordable(account, len(message.message)) < len(message.message):
            account.characters += size
            return None
        return message

    def _progress(self, account: _Account, message: Progress) -> Progress | None:
        # The next one says more than one that is left out, which nobody has to know of.
        if not math.isfinite(message.done) or not math.isfinite(message.total or 0.0):
            return None
        if len(message.text) > _LONGEST_NAME:
            message = msgspec.structs.replace(message, text=message.text[:_LONGEST_NAME])
        return message if self._text.take_whole(RECORD_COST + len(message.text)) else None

    def _display(self, account: _Account, message: Display) -> Display | None:
        size = LARGEST_DISPLAY + 1
        # Bundles are JSON: none has what travels beside a message.
        if not isinstance(message.bundle, Delivery):
            size = len(memoryview(message.bundle))  # type: ignore[arg-type]
        fits = size <= LARGEST_DISPLAY and account.waiting + size <= MOST_WAITING
        if not fits or not self._displays.take_whole(1) or not self._bytes.take_whole(size):
            account.displays += 1
            return None
        account.waiting += size
        return message


_DECISIONS: dict[type, Callable[[FloodGate, _Account, Any], Message | None]] = {
    Output: FloodGate._output,
    Log: FloodGate._log,
    Progress: FloodGate._progress,
    Display: FloodGate._display,
}
