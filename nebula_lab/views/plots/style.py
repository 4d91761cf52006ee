"""How pictures look: the same in every theme, and without colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nebula_lab.views.safe_text import line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which people who see few colours tell apart; those that stand out on
# white. Lines differ in their dashes and marks in their shapes, so no colour says anything alone.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#9A4B7C", "#8A6100", "#4A4A4A")
DASHES = ("solid", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1)), (0, (10, 3)))
INK, GRID = "#222222", "#D0D0D0"
# A ground of its own: a picture does not know the theme that it is shown in.
PAPER = "#FFFFFF"
# Without a frame, and on paper, so that no line of the drawing goes through a word.
LEGEND: Any = {"fontsize": 8, "labelcolor": INK, "facecolor": PAPER, "edgecolor": "none"}
_NAME = 32  # characters


def new_figure(heights: list[float], width: float = 9.0) -> tuple[Figure, list[Axes]]:
    """An empty figure with one pair of axes below the other; heights are in inches."""
    from matplotlib.figure import Figure

    # Not by pyplot: that keeps every figure, and may be used by one thread alone.
    figure = Figure(figsize=(width, sum(heights)), layout="constrained", facecolor=PAPER)
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    axes = [figure.add_subplot(grid[row]) for row in range(len(heights))]
    for one in axes:
        plain(one)
    return figure, axes


def plain(axes: Axes) -> None:
    """Take away what says nothing."""
    axes.set_facecolor(PAPER)
    axes.tick_params(which="both", colors=INK, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
    axes.grid(visible=True, axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def title(axes: Axes, text: str) -> None:
    """Head a part of a picture."""
    axes.set_title(text, loc="left", fontsize=11, fontweight="bold", color=INK, parse_math=False)


def name(text: str) -> str:
    """A name that a plugin may have made up, fit for a label.

    There a `$` would begin a formula, and what begins with `_` be left out of a legend.
    """
    clean = line(text, _NAME).replace("$", r"\$")
    return f" {clean}" if clean.startswith("_") else clean


def say(axes: Axes, text: str) -> None:
    """What stands in place of a drawing that has nothing to show."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=INK)
    axes.set_xticks([])
    axes.set_yticks([])
