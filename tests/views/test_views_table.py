"""Tables, as text and as HTML."""

from __future__ import annotations

from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import Tone

TABLE = Table(
    caption="Two things",
    columns=(Column("name"), Column("count", right=True)),
    rows=[("日本", 7), ("abc", Cell(1234, Tone.BAD))],
    empty="Nothing.",
)


def test_columns_are_aligned_by_the_width_on_the_screen():
    assert TABLE.rendered().text == (
        "Two things\nname  count\n────  ─────\n日本      7\nabc    1234"
    )


def test_a_table_has_a_caption_and_scoped_headings():
    html = TABLE.rendered().html
    assert "<caption" in html
    assert html.count('scope="col"') == 2
    assert html.count('scope="row"') == 2


def test_a_tone_is_a_theme_colour_with_a_fallback_and_hidden_from_screen_readers():
    html = TABLE.rendered().html
    assert (
        '<span aria-hidden="true" style="color:var(--jp-error-color1, #c62828)">●</span> 1234'
        in html
    )


def test_a_table_without_rows_is_a_sentence():
    empty = Table("Things", (Column("name"),), (), "Nothing.").rendered()
    assert (empty.text, empty.html) == ("Nothing.", "<p>Nothing.</p>")


def test_a_long_cell_is_cut_in_text_and_kept_longer_in_html():
    rendered = Table("Long", (Column("text"),), [("x" * 150,)], "").rendered()
    assert "x" * 59 + "…" in rendered.text
    assert "x" * 150 in rendered.html


def test_a_dot_stands_beside_its_word_however_narrow_the_page():
    cells = [Cell("Discovered", Tone.QUIET), Cell("a longer text, which may be broken", Tone.BAD)]
    table = Table("Dots", (Column("id"), Column("state")), [("one", cell) for cell in cells], "")
    short, long = table.rendered().html.split("</tr>")[1:3]
    assert "white-space:nowrap" in short
    assert "white-space:nowrap" not in long


def test_many_columns_have_smaller_letters_where_the_page_is_narrow():
    columns = tuple(Column(str(number)) for number in range(13))
    assert "font-size:min(1em," in Table("Wide", columns, [range(13)], "").rendered().html
    assert "font-size" not in TABLE.rendered().html
