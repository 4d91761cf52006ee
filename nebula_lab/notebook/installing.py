"""Subcommands that work with registries."""

from __future__ import annotations

from argparse import Namespace

from nebula_lab.notebook.arguments import CommandParser
from nebula_lab.notebook.command import Command
from nebula_lab.notebook.session import NotebookSession
from nebula_lab.notebook.steering import plugin_folder


def _install(session: NotebookSession, args: Namespace) -> None:
    from nebula_lab.views import install_view

    plugin_folder(session)
    try:
        report = session.manager.install(*args.wanted, registry=args.registry, replace=args.replace)
    finally:
        session.progress.finish()
    session.show(install_view(report))


def _uninstall(session: NotebookSession, args: Namespace) -> None:
    from nebula_lab.views import uninstall_view

    try:
        report = session.manager.uninstall(*args.ids, cascade=args.cascade)
    finally:
        session.progress.finish()
    session.show(uninstall_view(report, "%plugin install"))


def _update(session: NotebookSession, args: Namespace) -> None:
    from nebula_lab.views import install_view, update_list

    manager = session.manager
    if args.check:
        session.show(update_list(manager.updates(*args.ids, registry=args.registry)))
        return
    try:
        report = manager.update(*args.ids, registry=args.registry, replace=args.replace)
    finally:
        session.progress.finish()
    session.show(install_view(report))


def _search(session: NotebookSession, args: Namespace) -> None:
    from nebula_lab.views import search_view

    session.show(search_view(session.manager.search(" ".join(args.text), registry=args.registry)))


def _takes_registry(parser: CommandParser) -> None:
    parser.add_argument(
        "--registry",
        metavar="URL",
        help="ask this registry alone; without, those under registries in the configuration",
    )


def _takes_replace(parser: CommandParser) -> None:
    parser.add_argument(
        "--replace",
        action="store_true",
        help="put files aside that somebody has edited, and replace them",
    )


def _takes_install(parser: CommandParser) -> None:
    parser.add_argument(
        "wanted",
        metavar="ID[@VERSION]",
        nargs="+",
        help="such as counter, counter@1.2.0 or counter@^1.2",
    )
    _takes_registry(parser)
    _takes_replace(parser)


def _takes_uninstall(parser: CommandParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="plugins that were installed")
    parser.add_argument("--cascade", action="store_true", help="those that need them too")


def _takes_update(parser: CommandParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="*", help="these, instead of all")
    parser.add_argument("--check", action="store_true", help="change nothing; say what there is")
    _takes_registry(parser)
    _takes_replace(parser)


def _takes_search(parser: CommandParser) -> None:
    parser.add_argument("text", metavar="WORD", nargs="*", help="all that have every word")
    _takes_registry(parser)


COMMANDS = (
    Command(
        "search",
        "List the plugins of registries that have every word of a text.",
        _search,
        _takes_search,
        flags=("--registry",),
    ),
    Command(
        "install",
        "Install plugins of registries, with what they need.",
        _install,
        _takes_install,
        flags=("--registry", "--replace"),
    ),
    Command(
        "uninstall",
        "Remove plugins that were installed from registries.",
        _uninstall,
        _takes_uninstall,
        completes=("plugin",),
        flags=("--cascade",),
    ),
    Command(
        "update",
        "Bring installed plugins to the newest versions that will do.",
        _update,
        _takes_update,
        completes=("plugin",),
        flags=("--check", "--registry", "--replace"),
    ),
)
