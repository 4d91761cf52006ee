"""What is at the start of every manager needs no cryptography."""

from __future__ import annotations

import subprocess
import sys

LIGHT = "collecting store policy verifying sums key_files report"


def test_what_every_load_imports_does_not_import_cryptography():
    code = "".join(f"import nebula_lab.trust.{name}\n" for name in LIGHT.split())
    code += (
        "import sys; print([n for n in ('cryptography', 'asyncio', 'click') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
