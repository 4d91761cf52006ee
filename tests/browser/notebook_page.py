"""One notebook in a JupyterLab in a browser, as a person has it."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Locator, Page

PATIENCE = 30_000  # milliseconds; a deadline, not a wait


class NotebookPage:
    """A notebook that is open.

    Args:
        page: the browser's page.
        url: of the server.
        path: of the notebook, from the server's folder.
    """

    def __init__(self, page: Page, url: str, path: str) -> None:
        self.page = page
        self.url = url
        self.path = path

    def open(self, *, mode: str = "doc", reset: bool = True) -> None:
        """Open it, alone on the page (`doc`), with all of JupyterLab around it (`lab`), or in
        Notebook 7 (`notebooks`)."""
        folder = mode if mode == "notebooks" else f"{mode}/tree"
        self.page.goto(f"{self.url}/{folder}/{self.path}{'?reset' if reset else ''}")
        self.page.wait_for_function(
            """path => {
                const shell = window.jupyterapp?.shell;
                const panel = shell?.currentWidget;
                return panel?.context?.path === path && panel.context.isReady
                    && panel.sessionContext.session?.kernel?.connectionStatus === 'connected';
            }""",
            arg=self.path,
            timeout=2 * PATIENCE,
        )

    def start(self, number: int) -> None:
        """Run a cell, counted from 0, and do not wait for it."""
        self.page.evaluate(
            """async number => {
                const app = window.jupyterapp;
                app.shell.currentWidget.content.activeCellIndex = number;
                void app.commands.execute('notebook:run-cell');
            }""",
            number,
        )

    def occupy(self, number: int) -> None:
        """Run a cell that goes on, and wait until the kernel has been asked for it."""
        self.start(number)
        self.page.wait_for_function(
            """number => {
                const cell = window.jupyterapp.shell.currentWidget.content.widgets[number];
                return cell.promptNode.textContent.includes('*');
            }""",
            arg=number,
            timeout=PATIENCE,
        )

    def run(self, number: int) -> None:
        """Run a cell, counted from 0, and wait until it has run."""
        before = self.count_of(number)
        self.start(number)
        self.page.wait_for_function(
            """([number, before]) => {
                const cell = window.jupyterapp.shell.currentWidget.content.widgets[number];
                const count = cell.model.executionCount;
                return count !== null && count !== before;
            }""",
            arg=[number, before],
            timeout=PATIENCE,
        )

    def evaluate(self, expression: str) -> str:
        """The `repr` of an expression in the kernel, which is counted as no cell."""
        return self.page.evaluate(
            """async expression => {
                const { shell } = window.jupyterapp;
                const open = [shell.currentWidget, ...shell.widgets('main')];
                const { kernel } = open.find(one => one?.sessionContext).sessionContext.session;
                const future = kernel.requestExecute({
                    code: "", silent: true, store_history: false, user_expressions: { expression },
                });
                const { content } = await future.done;
                return content.user_expressions.expression.data["text/plain"];
            }""",
            expression,
        )

    def count_of(self, number: int) -> int | None:
        """The execution count of a cell."""
        return self.page.evaluate(
            "number => window.jupyterapp.shell.currentWidget.content.widgets[number]"
            ".model.executionCount",
            number,
        )

    def output(self, number: int) -> Locator:
        """What stands under a cell."""
        return self.page.locator(".jp-Cell").nth(number).locator(".jp-OutputArea")

    def command(self, name: str, **args: str) -> None:
        """Execute a command of JupyterLab's, as its menus do."""
        # What it gives may be a whole widget, which takes ten seconds to get here.
        self.page.evaluate(
            "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }",
            [name, args],
        )

    def theme(self, name: str) -> None:
        """Change to a theme, such as `JupyterLab Dark`."""
        self.command("apputils:change-theme", theme=name)
        light = "false" if "Dark" in name else "true"
        self.page.wait_for_selector(
            f'body[data-jp-theme-light="{light}"]', state="attached", timeout=PATIENCE
        )


def write_notebook(path: Path, cells: list[str]) -> None:
    """Write a notebook of code cells that have not run."""
    path.write_text(
        json.dumps(
            {
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": {
                    "kernelspec": {"name": "python3", "display_name": "Python 3"},
                    "language_info": {"name": "python"},
                },
                "cells": [
                    {
                        "cell_type": "code",
                        "id": f"cell{number}",
                        "metadata": {},
                        "source": source,
                        "outputs": [],
                        "execution_count": None,
                    }
                    for number, source in enumerate(cells)
                ],
            }
        )
    )
