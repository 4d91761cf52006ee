"""The folders of ours that no plugin sees."""

from __future__ import annotations

from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from nebula_lab.environments.cache_layout import cache_root, uv_cache_root
from nebula_lab.sandbox.run_folder import RunFolder
from nebula_lab.trust.layout import default_root


def own_folders(run_folder: RunFolder) -> tuple[Path, ...]:
    """Their real paths; the first is of hosts.

    They would let a plugin speak to other plugins, to the notebook, or change what is to run.
    """
    return (
        run_folder.path.parent,
        default_root().resolve(),
        cache_root().resolve(),
        uv_cache_root().resolve(),
        Path(jupyter_runtime_dir()).resolve(),
    )
