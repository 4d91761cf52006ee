"""The notebook's face: magics, completion, error boxes, and output under the cell that called."""

from __future__ import annotations

from nebula_lab.notebook.extension import load_ipython_extension, unload_ipython_extension

__all__ = ["load_ipython_extension", "unload_ipython_extension"]
