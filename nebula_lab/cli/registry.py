"""`nebula-lab registry`: what whoever keeps a registry does with it."""

from __future__ import annotations

import click

from nebula_lab.cli.registry_building import BUILDING_COMMANDS
from nebula_lab.cli.registry_publishing import PUBLISHING_COMMANDS
from nebula_lab.cli.registry_serving import SERVING_COMMANDS
from nebula_lab.cli.registry_signing import SIGNING_COMMANDS

__all__ = ["registry"]


@click.group("registry")
def registry() -> None:
    """Make registries of plugins, sign them, serve them, and publish to them."""


for command in (
    *BUILDING_COMMANDS,
    *SIGNING_COMMANDS,
    *SERVING_COMMANDS,
    *PUBLISHING_COMMANDS,
):
    registry.add_command(command)
