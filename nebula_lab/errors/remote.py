"""What the errors of plugins have to show of what happened in them."""

from __future__ import annotations

from nebula_lab.plugin.errors import PluginError


def remote_tracebacks(error: PluginError) -> list[tuple[str, str]]:
    """Who raised, such as `counter.add`, and its own traceback: of the plugin that was called,
    then of the one whose call made it fail, and so on."""
    found = []
    one: PluginError | None = error
    while one is not None:
        operation = getattr(one, "operation", "")
        name = f"{one.plugin_id}.{operation}" if operation else str(one.plugin_id)
        if text := getattr(one, "remote_traceback", ""):
            found.append((name, text))
        one = getattr(one, "remote_cause", None)
    return found


def remote_details(error: PluginError) -> str:
    """The tracebacks as text, to be put below an error; each with its plugin, if several."""
    texts = remote_tracebacks(error)
    if len(texts) == 1:
        return f"\n\n{texts[0][1]}"
    return "".join(f"\n\nIn {name}:\n{text}" for name, text in texts)
