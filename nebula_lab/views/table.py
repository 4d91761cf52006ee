"""Tables: aligned text, and HTML that a screen reader can follow."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len, set_cell_size

from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped, line
from nebula_lab.views.tone import Tone

# A page that no theme styles, such as a plain export, leaves no room between cells.
SPACED = "padding:0.2em 0.6em"
_WHOLE = 24  # characters of a text that has no need to be broken
_MANY = 9  # columns that a sheet of paper has room for at full size
_PAGE = 14.0  # parts in a hundred of the width of a page, for the letters of all columns together
TEXT_WIDTH = 60  # of one cell; HTML wraps and shows more


class Column(Struct, frozen=True):
    """A heading, and how the cells below it are set."""

    heading: str
    right: bool = False


class Cell(Struct, frozen=True):
    """One value; `text` may come from a plugin, and is cleaned and escaped here."""

    text: object
    tone: Tone | None = None


class Table(Struct, frozen=True):
    """A caption, columns and rows; a cell that needs no tone may be the bare value.

    Attributes:
        empty: the sentence that stands in place of a table without rows.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | object]]
    empty: str

    def rendered(self) -> Rendered:
        """Both forms. The first cell of a row is its heading."""
        if not self.rows:
            return Rendered(self.empty, f"<p>{escaped(self.empty)}</p>")
        rows = [[_cell(value) for value in row] for row in self.rows]
        return Rendered(self._text(rows), self._html(rows))

    def _text(self, rows: list[list[Cell]]) -> str:
        headings = [column.heading for column in self.columns]
        grid = [headings, *([line(cell.text, TEXT_WIDTH) for cell in row] for row in rows)]
        widths = [max(map(cell_len, texts)) for texts in zip(*grid, strict=True)]
        grid.insert(1, ["─" * width for width in widths])
        lines = [self._text_row(texts, widths) for texts in grid]
        return "\n".join([line(self.caption), *lines])

    def _text_row(self, texts: list[str], widths: list[int]) -> str:
        padded = [
            " " * (width - cell_len(text)) + text if column.right else set_cell_size(text, width)
            for column, text, width in zip(self.columns, texts, widths, strict=True)
        ]
        return "  ".join(padded).rstrip()

    def _html(self, rows: list[list[Cell]]) -> str:
        head = "".join(
            f'<th scope="col" style="{_alignment(column)}">{escaped(column.heading)}</th>'
            for column in self.columns
        )
        body = "".join(f"<tr>{self._html_row(row)}</tr>" for row in rows)
        return (
            f"<table{_fitting(len(self.columns))}>"
            f'<caption style="text-align:left;font-weight:600">{escaped(self.caption)}'
            f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _html_row(self, row: list[Cell]) -> str:
        heading, *others = zip(self.columns, row, strict=True)
        return _html_cell("th", ' scope="row"', *heading) + "".join(
            _html_cell("td", "", *other) for other in others
        )


def mark(tone: Tone) -> str:
    """A coloured dot that screen readers pass over."""
    return f'<span aria-hidden="true" style="color:{tone.value}">●</span> '


def _cell(value: Cell | object) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)


def _fitting(columns: int) -> str:
    """Smaller letters for many columns on a narrow page: paper can't be scrolled to the side."""
    return f' style="font-size:min(1em,{_PAGE / columns:.2f}vw)"' if columns > _MANY else ""


def _alignment(column: Column) -> str:
    # Numbers and their units stay together.
    how = "right;white-space:nowrap" if column.right else "left"
    return f"{SPACED};text-align:{how}"


def breaking(text: object) -> str:
    """The style that breaks a long path or the like rather than have it run out of the page.

    Short words are left whole: a table would make their column as narrow as it can.
    """
    return ";overflow-wrap:anywhere" if len(str(text)) > _WHOLE else ""


def _html_cell(tag: str, scope: str, column: Column, cell: Cell) -> str:
    dot = mark(cell.tone) if cell.tone else ""
    style = f"{_alignment(column)}{breaking(cell.text)}"
    if dot and len(str(cell.text)) <= _WHOLE:
        style += ";white-space:nowrap"  # a dot stands beside its word
    return f'<{tag}{scope} style="{style}">{dot}{escaped(cell.text)}</{tag}>'
