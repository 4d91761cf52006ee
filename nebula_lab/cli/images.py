"""`nebula-lab image`: what containers are made of."""

from __future__ import annotations

import click

from nebula_lab.cli.failing import PluginCommand, debug_option

_runtime_option = click.option(
    "--runtime",
    metavar="PROGRAM",
    default="podman",
    show_default=True,
    help="What runs containers: podman, docker, or a path.",
)
_with_option = click.option(
    "--with",
    "packages",
    metavar="PACKAGE",
    multiple=True,
    help="An installed package to put in too, as `packages` of the settings does; repeatable.",
)


@click.group("image")
def images() -> None:
    """The image that sandbox Container runs plugins in."""


@images.command("build", cls=PluginCommand)
@_runtime_option
@_with_option
@click.option("--anew", is_flag=True, help="Build it though it is there.")
@debug_option
def build_image(runtime: str, packages: tuple[str, ...], anew: bool) -> None:
    """Build it of the Python that runs this, and print its name. No registry is asked.

    It is built by itself when the first plugin needs it; this is for doing so ahead of time, or
    to have a name for the first line of an image of your own: FROM that name.
    """
    from nebula_lab.sandbox.container.image import OwnImage
    from nebula_lab.sandbox.container.runtime import Runtime

    image = OwnImage(Runtime(runtime), packages)
    image.build(lambda text: click.echo(text, err=True), anew=anew)
    click.echo(image.name)


@images.command("gc", cls=PluginCommand)
@_runtime_option
@_with_option
@debug_option
def collect_images(runtime: str, packages: tuple[str, ...]) -> None:
    """Remove all images of ours but the one that `build` with these options gives."""
    from nebula_lab.sandbox.container.image import OwnImage
    from nebula_lab.sandbox.container.runtime import Runtime

    for name in OwnImage(Runtime(runtime), packages).remove_others():
        click.echo(name)
