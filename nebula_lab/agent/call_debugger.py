"""Python's own debugger, for a call that is over: it looks, and resumes nothing."""

from __future__ import annotations

import contextlib
import io
import pdb
import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.tracebacks import MAX_TEXT, without_ours

if TYPE_CHECKING:
    from pdb import Pdb
else:
    # ipykernel puts IPython's debugger, which colours what it shows, in the place of Python's.
    Pdb = next(one for one in pdb.Pdb.__mro__ if one.__module__ == "pdb")

_OVER = "the call is over: there is nothing to resume; `help` lists what can be done"
_NO_TERMINAL = "the plugin has no terminal; use `!statement`, or %%in to run code in the plugin"
_REFUSED = {
    _OVER: (
        "c cont continue n next s step unt until r return j jump run restart "
        "b break tbreak cl clear commands condition ignore enable disable"
    ),
    _NO_TERMINAL: "debug interact",
}
_HELP = """\
where (w, bt)            the stack of the plugin, the frame that is looked at marked by >
up, down (u, d) [N]      go to the frame that called, or that was called
frame (f) [N]            say which frame it is, or go to the one of that number, outermost first
list (l) [FROM[, TO]]    the source around the line, as it ran; `l .` begins there again
longlist (ll)            the source of the whole function
args (a)                 the arguments of the function
p, pp EXPRESSION         a value, plain or laid out
whatis EXPRESSION        its type
source OBJECT            the source of an object
display EXPRESSION       a value, shown again when it changes; undisplay ends it
retval (rv)              what the function returned last
!STATEMENT               run it in the frame
exceptions [N]           the exceptions that led to this one, or go to one of them
alias, unalias           as in pdb; `;;` stands between two commands
forget                   let go of the call and of all that it held
quit (q)                 done; what was looked at is kept until another call fails"""


class BoundedText(io.StringIO):
    """Takes so many characters, counts the rest."""

    def __init__(self) -> None:
        super().__init__()
        self._size = 0

    def write(self, text: str, /) -> int:
        left = MAX_TEXT - self._size
        self._size += len(text)
        if left > 0:
            super().write(text[:left])
        return len(text)

    def taken(self) -> str:
        """What was written since the last time."""
        text, more = self.getvalue(), self._size - MAX_TEXT
        self.seek(0)
        self.truncate()
        self._size = 0
        return f"{text}\n… {more:,} more characters" if more > 0 else text.removesuffix("\n")


class CallDebugger(Pdb):
    """Looks at an exception's frames, the plugin's innermost first.

    Args:
        error: the exception.
        takes_prints: whether what a statement prints is part of what is shown, by taking the
            process's output for so long; without, it goes where the call's output goes.
    """

    def __init__(self, error: BaseException, *, takes_prints: bool) -> None:
        self._text = BoundedText()
        super().__init__(stdin=io.StringIO(), stdout=self._text, nosigint=True, readrc=False)
        self._takes_prints = takes_prints
        self._chain = _chain(error)
        self.wants_to_forget = False
        self.begin()

    def begin(self) -> None:
        """Look at the frame that raised, of the last exception of the chain."""
        self.displaying: dict[Any, dict[str, Any]] = {}
        self._go_to(len(self._chain) - 1)

    def stack_shown(self) -> str:
        self.print_stack_trace()
        return self._text.taken()

    def run_command(self, line: str) -> str:
        """What a command gives."""
        self.cmdqueue[:] = [line]
        while self.cmdqueue:
            self.onecmd(self.precmd(self.cmdqueue.pop(0)))
        self.preloop()  # shows what `display` watches
        return self._text.taken()

    def _go_to(self, number: int) -> None:
        self._number = number
        self.reset()
        self.setup(None, self._chain[number].__traceback__)

    def get_stack(
        self, f: FrameType | None, t: TracebackType | None
    ) -> tuple[list[tuple[FrameType, int]], int]:
        stack, _ = super().get_stack(f, t)
        own = without_ours(stack, lambda entry: entry[0].f_code.co_filename) or stack
        return own, len(own) - 1

    # Evaluating

    def _frame(self) -> FrameType:
        assert self.curframe is not None
        return self.curframe

    def _names(self) -> dict[str, Any]:
        # In one dict, since a comprehension sees no locals but its own.
        return {
            **self._frame().f_globals,
            **self.curframe_locals,
            "__exception__": self._chain[self._number],
        }

    def _getval(self, arg: str) -> Any:
        try:
            with self._printing():
                return eval(arg, self._names())  # noqa: S307 - the user's own expression
        except BaseException as error:
            self.error(_one_line(error))
            raise

    def _getval_except(self, arg: str, frame: FrameType | None = None) -> Any:
        try:
            with self._printing():
                return eval(arg, self._names())  # noqa: S307 - the user's own expression
        except BaseException as error:  # noqa: BLE001 - shown as the value
            return _Raised(f"** raised {_one_line(error)} **")

    def default(self, line: str) -> None:
        """Run a statement in the frame; the value of an expression is shown."""
        line = line.removeprefix("!").strip()
        try:
            with self._printing():
                self._run(line)
        except BaseException as error:  # noqa: BLE001 - also an interrupt: the session goes on
            self.error(_one_line(error))

    def _run(self, line: str) -> None:
        try:
            code = compile(line, "<debugger>", "eval")
        except SyntaxError:
            code = compile(line, "<debugger>", "exec")
            exec(code, self._frame().f_globals, self.curframe_locals)  # noqa: S102
            return
        value = eval(code, self._names())  # noqa: S307
        if value is not None:
            self.message(repr(value))

    def _printing(self) -> contextlib.AbstractContextManager[Any]:
        if self._takes_prints:
            return contextlib.redirect_stdout(self._text)
        return contextlib.nullcontext()

    # Commands

    def do_frame(self, arg: str) -> None:
        """frame [number]

        Say which frame is looked at, or go to the one of that number; 0 is the outermost, and
        -1 the innermost.
        """
        try:
            number = range(len(self.stack))[int(arg or self.curindex)]
        except (ValueError, IndexError):
            self.error(f"there is no frame {arg!r}; they are 0 to {len(self.stack) - 1}")
            return
        self._select_frame(number)

    do_f = do_frame

    def do_exceptions(self, arg: str) -> None:
        """exceptions [number]

        List the exceptions that led to this one, or go to one of them.
        """
        if not arg:
            for number, error in enumerate(self._chain):
                mark = ">" if number == self._number else " "
                self.message(f"{mark} {number}  {_one_line(error)}")
        elif not arg.isdecimal() or int(arg) >= len(self._chain):
            self.error(f"there is no exception {arg!r}; `exceptions` lists them")
        elif self._chain[int(arg)].__traceback__ is None:
            self.error("it has no frames: it was never raised")
        else:
            self._go_to(int(arg))
            self.print_stack_entry(self.stack[self.curindex])

    def do_forget(self, arg: str) -> None:
        """forget

        Let go of the call and of all that it held.
        """
        self.wants_to_forget = True
        self.message("It is forgotten.")

    def do_quit(self, arg: str) -> None:
        """quit

        Done; what was looked at is kept until another call fails.
        """
        self.begin()

    do_q = do_exit = do_quit

    def do_help(self, arg: str) -> None:
        """help [command]

        List the commands, or explain one.
        """
        if arg in ("", "pdb"):
            self.message(_HELP)
        else:
            super().do_help(arg)

    do_h = do_help


def _refusal(reason: str) -> Any:
    def refuse(self: CallDebugger, arg: str) -> None:
        self.error(reason)

    return refuse


for _reason, _names in _REFUSED.items():
    for _name in _names.split():
        setattr(CallDebugger, f"do_{_name}", _refusal(_reason))


class _Raised(str):
    """Stands for a value that could not be had; shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _chain(error: BaseException) -> list[BaseException]:
    """The exceptions that led to `error`, the oldest first, and itself."""
    return list(_led_to(error))[::-1]


def _led_to(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(seen) < 100:
        seen.add(id(error))
        yield error
        shown_context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or shown_context


def _one_line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()
