"""The items of an operation that gives them one by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from nebula_lab.runtime.conversation import Conversation
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.wire.messages import Credit, Item

# Items that may be on their way: enough to keep a plugin busy, few enough to hold it back.
WINDOW = 16


class Stream:
    """An iterator over the items. The plugin waits while nobody takes them.

    It holds the plugin's place until it ends or is closed: use it in a `with`, or to its end.
    The time-out of the call is the time to wait for each item.
    """

    def __init__(
        self,
        conversation: Conversation,
        invocation: Invocation,
        on_end: Callable[[BaseException | None], None],
        on_abandoned: Callable[[Callable[[], None]], None],
    ) -> None:
        self._conversation = conversation
        self._invocation = invocation
        self._on_end = on_end
        self._on_abandoned = on_abandoned
        self._taken = 0
        self._ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        try:
            # Also for the calls that the plugin makes meanwhile.
            self._invocation.deadline = time.monotonic() + self._invocation.timeout
            answer = self._conversation.next_answer()
            if type(answer) is not Item:
                self._end()
                raise StopIteration
            value = self._conversation.value(answer.value)
            self._allow_more()
            return value
        except StopIteration:
            raise
        except BaseException as error:
            self._end(error)
            raise

    def _allow_more(self) -> None:
        self._taken += 1
        if self._taken == WINDOW // 2:
            self._conversation.allow(self._taken)
            self._conversation.send(Credit(self._conversation.number, self._taken))
            self._taken = 0

    def cancel(self) -> None:
        """Fail whoever waits for the next item, with CallCancelledError; any thread."""
        self._invocation.cancel()

    def close(self) -> None:
        """Take no more items; the operation is stopped."""
        self._end()

    def _end(self, failure: BaseException | None = None) -> None:
        if not self._ended:
            self._ended = True
            try:
                self._conversation.close()
            finally:
                self._on_end(failure)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # The collector may run anywhere, also where this thread holds the very locks that
        # closing needs: somebody else has to do it.
        if not self._ended:
            self._on_abandoned(self.close)
