"""A language for JupyterLab in which every text of the sidebar that can be translated is marked.

What is on the page without a mark is out of reach of translators.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

LOCALE = "de_DE"
DOMAIN = "nebula_lab"
MARK = "⟦"
_SOURCES = Path(__file__).parents[2] / "extensions"
_TEXT = re.compile(r'\b__\(\s*"((?:[^"\\]|\\.)*)"')


def write_language_pack(folder: Path) -> None:
    """Write it as an installed package; `folder` belongs on the server's PYTHONPATH."""
    package = folder / "marked_language"
    messages = package / "locale" / LOCALE / "LC_MESSAGES"
    messages.mkdir(parents=True)
    (package / "__init__.py").touch()
    head = {"domain": DOMAIN, "language": "de-DE", "plural_forms": "nplurals=2; plural=n != 1;"}
    marked = {text: [f"{MARK}{text}⟧"] for text in texts()}
    (messages / f"{DOMAIN}.json").write_text(json.dumps({"": head, **marked}))
    about = folder / "marked_language-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: marked-language\nVersion: 1\n")
    groups = ("languagepack", "locale")
    names = (LOCALE, DOMAIN)
    (about / "entry_points.txt").write_text(
        "".join(
            f"[jupyterlab.{group}]\n{name} = marked_language\n"
            for group, name in zip(groups, names, strict=True)
        )
    )


def texts() -> set[str]:
    """Every text that the sources give to a translator."""
    files = [
        file
        for part in ("common", "labextension")
        for file in (_SOURCES / part / "src").rglob("*.ts")
        if not file.name.endswith(".test.ts")
    ]
    found = {text for file in files for text in _TEXT.findall(file.read_text())}
    return {json.loads(f'"{text}"') for text in found}
