"""What a plugin displays, and the part of it that anyone sees."""

from __future__ import annotations

import base64
import html

import pytest

from nebula_lab.model import PluginCapability, PluginDescriptor, SecurityConfig
from nebula_lab.model.granted_rights import rights_of
from nebula_lab.runtime.call_displays import MOST_PLACES, CallDisplays
from nebula_lab.runtime.display_bundle import safe_bundle
from nebula_lab.runtime.display_types import READERS
from nebula_lab.runtime.markup import harmless_latex, harmless_markdown

WHY = "left out: the plugin has no capability RichDisplay"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()
DEEP = []
for _ in range(100):
    DEEP = [DEEP]


def shown(data, *, rich=False, metadata=None):
    return safe_bundle({"data": data, "metadata": metadata or {}}, rich=rich)


@pytest.mark.parametrize(
    ("mime", "value"),
    [
        ("text/plain", "text"),
        ("text/markdown", "# *text*\n\n- `code`"),
        ("text/latex", "$\\frac{1}{2}$"),
        ("application/json", {"a": [1, 2.5, None, True, "x"]}),
        ("image/png", PNG),
        ("image/jpeg", base64.encodebytes(b"\xff\xd8\xff\xe0" + bytes(100)).decode()),
        ("image/gif", base64.b64encode(b"GIF89a" + bytes(100)).decode()),
        ("image/webp", base64.b64encode(b"RIFF\0\0\0\0WEBPVP8 ").decode()),
    ],
)
def test_every_plugin_may_show(mime, value):
    assert shown({mime: value}).data == {mime: value}


RICH = {
    "text/html": "<b>x</b>",
    "image/svg+xml": "<svg/>",
    "application/javascript": "alert(1)",
    "application/pdf": base64.b64encode(b"%PDF-1.7").decode(),
    "application/vnd.plotly.v1+json": {"data": []},
}


@pytest.mark.parametrize("mime", RICH)
def test_what_a_browser_runs_needs_the_capability(mime):
    assert shown({mime: RICH[mime]}, rich=True).data == {mime: RICH[mime]}
    poor = shown({mime: RICH[mime]})
    assert (poor.data, list(poor.left_out)) == ({}, [mime])


@pytest.mark.parametrize("rich", [True, False])
def test_the_view_of_a_widget_goes_nowhere(rich):
    mime = "application/vnd.jupyter.widget-view+json"
    assert shown({mime: {"model_id": "1"}}, rich=rich).data == {}


@pytest.mark.parametrize(
    ("mime", "value", "why"),
    [
        ("image/png", base64.b64encode(b"<svg onload=alert(1)>").decode(), "another type"),
        ("image/png", "no base64!", "not an image"),
        ("image/png", 5, "not a text"),
        ("image/gif", PNG, "another type"),
        ("image/png", PNG + "A" * 20_000_000, "longer than"),
        ("text/markdown", "x" * 200_000, "longer than"),
        ("text/plain", ["x"], "not a text"),
        ("application/json", DEEP, "nested more than 50 deep"),
        ("application/json", [0] * 200_000, "100,000 elements"),
        ("application/json", {"a": b"x"}, "not JSON"),
        ("application/json", {1: 2}, "not JSON"),
    ],
)
def test_what_is_not_what_it_says_is_left_out(mime, value, why):
    assert why in shown({mime: value}).left_out[mime]


def test_text_steers_no_terminal_and_comes_to_an_end():
    text = shown({"text/plain": "\x1b]0;owned\x07\u202e" + "x" * 3_000_000}).data["text/plain"]
    assert text.startswith("xxx")
    assert len(text) < 1_000_100


def test_json_has_no_number_that_json_lacks():
    assert shown({"application/json": [float("nan")]}).data == {"application/json": [None]}


HOSTILE_MARKDOWN = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<<script>alert(1)</script>",
    "`<b>`",
    "[x](javascript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](data:text/html,<script>)",
    "[x](https://a.example/ onclick=alert(1))",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "[y]\n\n[y]:javascript:alert(1)",
    "![leak](https://tracker.example/pixel.png)",
    "[![leak](https://tracker.example/pixel.png)](https://a.example)",
    "![leak][y]\n\n[y]: https://tracker.example/pixel.png",
    "<javascript:alert(1)>",
    "<!-- --><style>@import 'https://tracker.example'</style>",
    "[x]\u200b(javascript:alert(1))",
]


@pytest.mark.parametrize("text", HOSTILE_MARKDOWN)
def test_markdown_has_no_html_no_images_and_no_links_but_plain_ones(text):
    # markdown-it passes HTML on, as front ends do with outputs that they trust.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True})
    parser.validateLink = lambda address: True
    tokens = parser.parse(shown({"text/markdown": text}).data["text/markdown"])
    every = [one for token in tokens for one in (token, *(token.children or ()))]
    assert not [one for one in every if one.type in ("html_block", "html_inline", "image")]
    addresses = [str(one.attrGet("href")) for one in every if one.type == "link_open"]
    assert all(address.startswith("https://") for address in addresses)


def test_a_plain_link_stays_a_link():
    text = "see [the docs](https://docs.example/a?b=c#d) or [1] (one)"
    assert (
        shown({"text/markdown": text})
        .data["text/markdown"]
        .startswith("see [the docs](https://docs.example/a?b=c#d) or")
    )


def test_a_diagram_is_shown_as_its_text():
    fence = "```mermaid\ngraph LR; a-->b; click a 'https://tracker.example'\n```"
    assert "```mermaid" not in shown({"text/markdown": fence}).data["text/markdown"]


@pytest.mark.parametrize("mime", ["text/latex", "text/markdown"])
def test_formulas_have_no_links_and_styles(mime):
    text = "$\\href{javascript:alert(1)}{x} \\style{position:fixed}{y} \\frac12 \\hrefx$"
    safe = shown({mime: text}).data[mime]
    assert "\\href{" not in safe
    assert "\\style" not in safe
    assert "\\frac12 \\hrefx" in safe


def test_metadata_is_of_known_keys_and_plain_values():
    metadata = {
        "image/png": {
            "width": 5,
            "height": float("nan"),
            "onload": "x",
            "alt": "a\x1b[2J",
            "x": [],
        },
        "text/html": {"isolated": True},
        "isolated": True,
    }
    assert shown({"image/png": PNG}, metadata=metadata).metadata == {
        "image/png": {"width": 5, "alt": "a"}
    }


@pytest.mark.parametrize("bundle", [None, [], {"data": None}, {"data": {1: "x"}}, {"data": {}}])
def test_a_bundle_that_is_none_shows_nothing(bundle):
    assert list(CallDisplays("p", False).take("display", bundle)) == []


# What a call may change


def bundle(text, display_id=None, **data):
    transient = {} if display_id is None else {"display_id": display_id}
    return {"data": {"text/plain": text, **data}, "metadata": {}, "transient": transient}


def steps(displays, *taken):
    return [
        (step, one["data"]["text/plain"], one["transient"]["display_id"].rpartition("/")[2])
        for action, sent in taken
        for step, one in displays.take(action, sent)
    ]


def test_an_update_reaches_what_the_same_call_displayed():
    sent = (("display", bundle("a", "mine")), ("update", bundle("b", "mine")))
    assert steps(CallDisplays("p", False), *sent) == [("display", "a", "1"), ("update", "b", "1")]


def test_an_update_of_another_calls_display_does_nothing():
    CallDisplays("p", False).take("display", bundle("a", "mine"))
    assert steps(CallDisplays("p", False), ("update", bundle("b", "mine"))) == []


def test_no_two_calls_have_the_same_place_for_one_name():
    places = {
        one["transient"]["display_id"]
        for _ in range(2)
        for _, one in CallDisplays("p", False).take("display", bundle("a", "mine"))
    }
    assert len(places) == 2


def test_clearing_empties_what_the_call_displayed_and_nothing_else():
    sent = (("display", bundle("a")), ("display", bundle("b")), ("clear", {"wait": False}))
    assert steps(CallDisplays("p", False), *sent)[2:] == [("update", "", "1"), ("update", "", "2")]


def test_an_animation_stays_in_one_place():
    frames = [("clear", {"wait": True}), ("display", bundle("frame"))] * 3
    assert steps(CallDisplays("p", False), *frames) == [
        ("display", "frame", "1"),
        ("update", "frame", "1"),
        ("update", "frame", "1"),
    ]


def test_a_clearing_that_waits_comes_before_text():
    displays = CallDisplays("p", False)
    assert steps(displays, ("display", bundle("a")), ("clear", {"wait": True}))[1:] == []
    assert [one["data"] for _, one in displays.before_text()] == [{"text/plain": ""}]


def test_what_is_left_out_is_told_once_for_each_type():
    sent = ("display", bundle("a", **{"text/html": "<b>"}))
    texts = [text for _, text, _ in steps(CallDisplays("p", False), sent, sent)]
    assert texts == [f"a\n(text/html {WHY})", "a"]


def test_a_call_shows_so_many_displays_and_says_that_there_were_more():
    sent = [("display", bundle("a"))] * (MOST_PLACES + 100)
    told = steps(CallDisplays("p", False), *sent)
    assert len(told) == MOST_PLACES + 1
    assert "further displays left out" in told[-1][1]


def test_an_action_that_nobody_knows_does_nothing():
    assert steps(CallDisplays("p", False), ("explode", bundle("a"))) == []


# Who is granted it

RICH_DISPLAY = PluginCapability.RICH_DISPLAY


@pytest.mark.parametrize(
    ("asked", "granted", "sandbox", "allowed"),
    [
        ([RICH_DISPLAY], [RICH_DISPLAY], "Process", True),
        ([], [RICH_DISPLAY], "Process", False),
        ([RICH_DISPLAY], [], "Process", False),
        ([], [], "None", True),
    ],
)
def test_rich_display_is_what_is_asked_for_and_granted(asked, granted, sandbox, allowed):
    plugin = PluginDescriptor.model_validate(
        {
            "id": "p",
            "version": "1.0.0",
            "path": "p.py",
            "security": {"capabilities": [one.value for one in asked]},
        }
    )
    security = SecurityConfig.model_validate(
        {"sandbox": sandbox, "capabilities": [one.value for one in granted]}
    )
    assert rights_of(plugin, security).has(PluginCapability.RICH_DISPLAY) is allowed


def test_a_command_is_not_made_by_taking_another_away():
    assert "\\href{" not in harmless_latex(r"\\href{javascript:alert(1)}{x}")


@pytest.mark.parametrize("entity", ["&#92;href", "&#x5c;href", "&bsol;href", "&#36;x&#36;"])
def test_an_entity_stands_for_no_backslash_and_no_dollar(entity):
    assert html.unescape(harmless_markdown(entity)) == harmless_markdown(entity)


def test_a_long_run_of_backticks_takes_no_time():
    # With the square of its length it would be the test's own time-out.
    assert harmless_markdown("`" * 100_000) == "`" * 100_000


def test_an_image_is_what_was_understood_and_nothing_beside_it():
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(90)).decode()
    assert "onerror" not in READERS["image/png"](f'{png}"><img src=x onerror=alert(1)>')
