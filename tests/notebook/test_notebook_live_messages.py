"""Messages of live views, as IPython sees them."""

from __future__ import annotations

from comm import create_comm

from nebula_lab.notebook.live_session import release_subshell

MOMENTS = ("pre_execute", "post_execute")


def test_they_are_no_cells(notebook):
    """Else matplotlib would take the figures from under a cell that runs."""
    fired, got = [], []
    hooks = {moment: lambda moment=moment: fired.append(moment) for moment in MOMENTS}
    for moment, hook in hooks.items():
        notebook.shell.events.register(moment, hook)
    try:
        comm = create_comm(target_name="nebula_lab")
        comm.on_msg(got.append)
        comm.handle_msg({"content": {"data": 1}})
        assert fired == list(MOMENTS)
        release_subshell(comm)
        comm.handle_msg({"content": {"data": 2}})
        assert fired == list(MOMENTS)
    finally:
        for moment, hook in hooks.items():
            notebook.shell.events.unregister(moment, hook)
    assert [message["content"]["data"] for message in got] == [1, 2]
