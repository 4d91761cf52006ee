"""Subcommands that change something: they load, unload, call and configure."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError

from nebula_lab.manager import PluginManager
from nebula_lab.model.config import PluginConfig
from nebula_lab.notebook.arguments import CommandParser, seconds
from nebula_lab.notebook.command import Command, takes_plugin, takes_plugins
from nebula_lab.notebook.params import read_params
from nebula_lab.notebook.session import NotebookSession
from nebula_lab.notebook.source_file import create_plugin
from nebula_lab.notebook.words import unquoted
from nebula_lab.views import reload_details

Step = Callable[[PluginManager, str], None]


def _call(session: NotebookSession, args: Namespace) -> Any:
    manager = session.manager
    plugin_id, operation = unquoted(args.id), unquoted(args.operation)
    known = manager.operations(plugin_id).get(operation)
    schemas = {} if known is None else known.params.properties
    params = read_params(args.params, schemas, session.shell.user_ns)
    return manager.execute(plugin_id, operation, params, timeout=args.timeout)


def _takes_call(parser: CommandParser) -> None:
    takes_plugin(parser)
    parser.add_argument("operation", metavar="OP", help="the operation")
    parser.add_argument(
        "params",
        metavar="PARAM",
        nargs="*",
        help='name=value, a JSON object such as {"limit": 3}, or $variable; a value may be a '
        "$variable too, and one in quotes is a text",
    )
    parser.add_argument(
        "--timeout", type=seconds, metavar="S", help="seconds after which to give up"
    )
    parser.epilog = "The result is the value of the magic: result = %plugin call counter add n=2"


def _each(step: Step) -> Callable[[NotebookSession, Namespace], None]:
    """Take a step with each plugin that is named, and say where it is then."""

    def run(session: NotebookSession, args: Namespace) -> None:
        for plugin_id in args.ids:
            step(session.manager, plugin_id)
            session.say(standing(session.manager, plugin_id))

    return run


def _reload(session: NotebookSession, args: Namespace) -> None:
    for plugin_id in args.ids:
        session.manager.reload_plugin(plugin_id)
        session.say(standing(session.manager, plugin_id))
        say_what_changed(session, plugin_id)


def say_what_changed(session: NotebookSession, plugin_id: str, but: tuple[str, ...] = ()) -> None:
    """Say what a reload changed, and what of the state did not come over.

    Args:
        session: where to say it.
        plugin_id: what was reloaded.
        but: how lines begin that have been said already.
    """
    event = session.manager.last_reload(plugin_id)
    for one in () if event is None else reload_details(event.changes, event.left_out):
        if not one.startswith(but):
            session.say(f"  {one}")


def standing(manager: PluginManager, plugin_id: str) -> str:
    """Such as `counter 1.0.0 is Loaded.`"""
    info = next(one for one in manager.list_plugins() if one.id == plugin_id)
    return f"{info.id} {info.version} is {info.state.value}."


def _unload(session: NotebookSession, args: Namespace) -> None:
    for plugin_id in args.ids:
        session.manager.unload_plugin(plugin_id, cascade=args.cascade)
        session.say(f"{plugin_id} is unloaded.")


def _takes_unload(parser: CommandParser) -> None:
    takes_plugins(parser)
    parser.add_argument(
        "--cascade", action="store_true", help="unload those that depend on it first"
    )


def _configure(session: NotebookSession, args: Namespace) -> None:
    path = Path(args.file).expanduser()
    if path.is_dir():
        session.open_manager(plugin_dir=path)
    else:
        session.open_manager(PluginConfig.from_file(path))
    session.announce()


def _takes_file(parser: CommandParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="a .yaml, .toml or .json document, or a folder of plugins"
    )


def _new(session: NotebookSession, args: Namespace) -> None:
    folder = plugin_folder(session)
    if args.id in session.manager:
        raise UsageError(f"there is a plugin {args.id} already")
    with session.manager.hold_watch():
        path = create_plugin(folder, args.id, as_notebook=args.notebook)
        session.manager.rediscover()
    session.say(f"Wrote {path}. Try: %plugin call {args.id} greet name=World")


def _takes_new(parser: CommandParser) -> None:
    takes_plugin(parser)
    parser.add_argument("--notebook", action="store_true", help="write a notebook, not a .py file")


def plugin_folder(session: NotebookSession) -> Path:
    """The manager's plugin folder. Where nothing is set up yet, `./plugins` is made for it.

    Raises:
        UsageError: the manager has plugins, but no folder to write to.
    """
    manager = session.manager
    folder = manager.config.plugin_dir
    if folder is None:
        if len(manager):
            raise UsageError(
                "this manager's plugins do not come from a folder, so there is none to write to; "
                "name one as plugin_dir in the configuration"
            )
        folder = Path("plugins").absolute()
        folder.mkdir(exist_ok=True)
        session.open_manager(plugin_dir=folder)
        session.say(f"Made the plugin folder {folder}.")
    return folder


COMMANDS = (
    Command(
        "call",
        "Run an operation and return its result.",
        _call,
        _takes_call,
        completes=("plugin", "operation", "param"),
        flags=("--timeout",),
    ),
    Command(
        "load",
        "Load plugins, after what they depend on.",
        _each(lambda manager, plugin_id: manager.load_plugin(plugin_id)),
        takes_plugins,
        completes=("plugin",),
    ),
    Command(
        "unload",
        "Unload plugins.",
        _unload,
        _takes_unload,
        completes=("plugin",),
        flags=("--cascade",),
    ),
    Command(
        "reload",
        "Put the code that is in a plugin's file now in the place of what runs, with its state.",
        _reload,
        takes_plugins,
        completes=("plugin",),
    ),
    Command(
        "suspend",
        "Keep a plugin's state and end its process.",
        _each(lambda manager, plugin_id: manager.suspend_plugin(plugin_id)),
        takes_plugins,
        completes=("plugin",),
    ),
    Command(
        "resume",
        "Bring a suspended plugin back, with its state.",
        _each(lambda manager, plugin_id: manager.resume_plugin(plugin_id)),
        takes_plugins,
        completes=("plugin",),
    ),
    Command(
        "config",
        "Work with another configuration; what ran before is unloaded.",
        _configure,
        _takes_file,
        completes=("file",),
    ),
    Command(
        "new",
        "Write the file of a new plugin, to be filled in.",
        _new,
        _takes_new,
        flags=("--notebook",),
    ),
)
