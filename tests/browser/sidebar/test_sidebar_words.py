"""Every text of the sidebar can be translated."""

from __future__ import annotations

import re

import pytest
from language_pack import LOCALE, MARK, texts
from playwright.sync_api import expect
from sidebar_page import Sidebar

# Every text below an element that a person sees or hears, with where it stands.
TEXTS = """root => {
    const found = [];
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        found.push(walk.currentNode.data);
    }
    for (const one of root.querySelectorAll('*')) {
        for (const name of ['title', 'aria-label', 'placeholder']) {
            found.push(one.getAttribute(name) ?? '');
        }
    }
    return found;
}"""
# What plugins, files, JupyterLab and the kernel say, code, names of formats, figures and units.
DATA = re.compile(
    r"""counter|needy|Counter|Needy|add$|plugins\[|nebula_lab|Process$|SVG$|PNG$
    |/.*/broken\.py|broken\.py|first\.ipynb|Name:\ first\.ipynb
    |Add\ n|add\(|refuse|n$|integer$|Correct\ the\ source|side\ panel\ content$
    |[0-9a-f]{10}$|[\d.,·\s–<]*([sB%]|ms|µs|MiB|GiB|kB|/s)?$""",
    re.VERBOSE,
)


@pytest.fixture(scope="module")
def language(lab):
    """JupyterLab in that language, for pages that are opened from now on."""
    lab.set("@jupyterlab/translation-extension:plugin", locale=LOCALE)
    yield
    lab.set("@jupyterlab/translation-extension:plugin")


@pytest.fixture
def translated(language, sidebar) -> Sidebar:
    return sidebar


def unmarked(sidebar) -> set[str]:
    found = sidebar.panel.evaluate(TEXTS)
    return {
        text
        for text in found
        if re.search("[A-Za-z]", text) and MARK not in text and not DATA.match(text.strip())
    }


def test_there_are_texts_to_translate():
    assert len(texts()) > 100


def test_every_text_of_the_panel_is_translated(translated):
    translated.press("counter", "load")
    translated.expect_state("counter", "Loaded")
    for name in ("samples", "problems", "graph", "logs"):
        translated.section(name)
    for fold in ("Call an operation", "Versions"):
        translated.open("counter").get_by_text(fold).click()
    expect(translated.section("problems")).to_contain_text("broken.py")
    expect(translated.section("graph")).to_contain_text("needy")
    expect(translated.panel.get_by_role("button", name=f"{MARK}Call⟧")).to_be_visible()
    assert unmarked(translated) == set()
