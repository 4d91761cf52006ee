"""Releases of plugins for the tests of choosing among versions, written as lines of text."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from nebula_lab.model.descriptor import PluginDependency
from nebula_lab.model.release import Origin, Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version
from nebula_lab.resolver.choosing import Want, choose


def release(text, **values):
    """`a 1.2.0: b ^1.0; c?` is version 1.2.0 of a, which needs b, and c if there is one."""
    head, _, needs = text.partition(":")
    plugin_id, version = head.split()
    return Release(
        id=plugin_id,
        version=Version.parse(version),
        dependencies=tuple(_dependency(one) for one in needs.split(";") if one.strip()),
        **values,
    )


def _dependency(text):
    plugin_id, _, requirement = text.strip().partition(" ")
    return PluginDependency(
        plugin_id=plugin_id.removesuffix("?"),
        version_req=requirement or "*",
        optional=plugin_id.endswith("?"),
    )


def want(text, **values):
    """`a` or `a ^1.0`; with a `?` after the id if there is a choice without it too."""
    plugin_id, _, requirement = text.partition(" ")
    return Want(
        plugin_id.removesuffix("?"),
        VersionReq.parse(requirement) if requirement else None,
        required=not plugin_id.endswith("?"),
        **values,
    )


@dataclass
class Shelf:
    """Some releases, and what was asked of them."""

    releases: list[Release]
    asked: list[str]

    def releases_of(self, plugin_id):
        self.asked.append(plugin_id)
        return [one for one in self.releases if one.id == plugin_id]

    def choose(self, *wanted, **options):
        wants = [want(one) if isinstance(one, str) else one for one in wanted]
        options["pins"] = {k: VersionReq.parse(v) for k, v in options.get("pins", {}).items()}
        options["locked"] = {k: Version.parse(v) for k, v in options.get("locked", {}).items()}
        return choose(wants, self.releases_of, **options)

    def versions(self, *wanted, **options):
        found = self.choose(*wanted, **options).releases
        return {plugin_id: str(one.version) for plugin_id, one in found.items()}


@pytest.fixture
def shelf():
    """Builds a shelf from lines, or from releases."""

    def build(*lines):
        return Shelf([release(one) if isinstance(one, str) else one for one in lines], [])

    return build


@pytest.fixture
def make_release():
    return release


@pytest.fixture
def origins():
    return Origin
