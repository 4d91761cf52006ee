"""What environments of plugins are made from: uv, the Pythons that there are, the cache."""

from __future__ import annotations

from nebula_lab.doctor.finding import Finding, Verdict
from nebula_lab.environments.index_settings import index_settings
from nebula_lab.environments.interpreters import Interpreters
from nebula_lab.environments.uv_tool import Uv, UvError
from nebula_lab.errors import EnvironmentFailedError


def environments() -> tuple[Finding, ...]:
    """One finding for each."""
    uv = Uv(index_settings())
    return (_uv(uv), _pythons(uv))


def _uv(uv: Uv) -> Finding:
    try:
        return Finding("uv", Verdict.FINE, f"{uv.version()}, builds environments of plugins")
    except UvError as error:
        return Finding(
            "uv",
            Verdict.NOTE,
            f"{error.said}; plugins that ask for an environment of their own can't be loaded",
            "Install it beside nebula_lab: python -m pip install uv",
        )


def _pythons(uv: Uv) -> Finding:
    name = "Pythons"
    try:
        found = Interpreters(uv).all()
    except EnvironmentFailedError as error:
        return Finding(name, Verdict.NOTE, error.message, error.hint or "")
    return Finding(name, Verdict.FINE, f"for such plugins: {'; '.join(map(str, found))}")
