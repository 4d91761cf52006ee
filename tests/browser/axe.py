"""Holds a page against the rules of axe-core, for people who use other means than eyes."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "extensions" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


def serious_findings(page: Page, selector: str) -> list[str]:
    """What is seriously wrong below a selector; each with the rule and the element."""
    if not page.evaluate("typeof window.axe === 'object'"):
        # JupyterLab has an AMD loader in its pages, which axe would give itself to.
        page.evaluate(
            f"(() => {{ const define = undefined, module = undefined; {AXE.read_text()} }})()"
        )
    result = page.evaluate(
        "selector => window.axe.run(selector, { resultTypes: ['violations'] })", selector
    )
    return [
        f"{found['id']}: {found['help']}: {[node['html'][:200] for node in found['nodes'][:3]]}"
        for found in result["violations"]
        if found["impact"] in SERIOUS
    ]
