"""`nebula-lab new`: a plugin to begin with."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import click

from nebula_lab.cli.failing import PluginCommand, debug_option

_TESTS = "tests"


@click.command("new", cls=PluginCommand)
@click.argument("name")
@click.option("--notebook", is_flag=True, help="A notebook, instead of a folder.")
@click.option("--single-file", is_flag=True, help="One Python file, instead of a folder.")
@click.option(
    "--plugin-dir",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where it is put; else the plugin folder of the nearest configuration, else ./plugins.",
)
@debug_option
def new(name: str, notebook: bool, single_file: bool, plugin_dir: Path | None) -> None:
    """Write a plugin of id NAME that works, with a manifest, types and a test.

    Nothing that is there is written over.
    """
    if notebook and single_file:
        raise click.UsageError("say --notebook or --single-file, not both")
    _check_id(name)
    folder = (plugin_dir or _plugin_folder()).expanduser().absolute()
    _refuse_taken(folder, name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if notebook or single_file:
            written = _write_files(folder, _files_of(name, as_notebook=notebook))
        else:
            written = _write_folder(folder, name)
    except FileExistsError as error:
        raise click.UsageError(f"{error.filename} is there already; nothing was changed") from error
    except OSError as error:
        raise click.ClickException(f"{name} can't be written: {error}") from error
    for path in written:
        click.echo(f"Wrote {path}")
    source = folder / name if not (notebook or single_file) else written[0]
    where = "" if plugin_dir is None else f" --plugin-dir {_shown(folder)}"
    click.echo(f"Try it:  nebula-lab run{where} {name} greet name=World")
    click.echo(f"Test it: nebula-lab test {_shown(source)}")


def _check_id(name: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from nebula_lab.model.descriptor import PluginId

    try:
        TypeAdapter(PluginId).validate_python(name)
    except ValidationError as error:
        raise click.BadParameter(error.errors()[0]["msg"], param_hint="NAME") from None


def _plugin_folder() -> Path:
    from nebula_lab import PluginConfig
    from nebula_lab.current import PLUGIN_DIR, find_config

    found = find_config(Path.cwd())
    configured = None if found is None else PluginConfig.from_file(found).plugin_dir
    return configured or Path(PLUGIN_DIR)


def _refuse_taken(folder: Path, name: str) -> None:
    """Stop two plugins from having one id, whatever their files are called."""
    from nebula_lab.discovery import FileSystemDiscoverer

    paths = [folder / f"{name}{suffix}" for suffix in ("", ".py", ".ipynb", ".toml")]
    taken = next((path for path in paths if os.path.lexists(path)), None)
    if taken is not None:
        raise click.UsageError(f"{taken} is there already; nothing was changed")
    if not folder.is_dir():
        return
    known = FileSystemDiscoverer(folder).discover().descriptors
    same = next((one for one in known if one.id == name), None)
    if same is not None:
        raise click.UsageError(f"{same.path} is a plugin {name} already; nothing was changed")


def _files_of(name: str, *, as_notebook: bool) -> dict[str, str]:
    from nebula_lab.scaffold.template import new_notebook, new_source, new_test, test_name

    text = new_notebook(name) if as_notebook else new_source(name)
    source = f"{name}.ipynb" if as_notebook else f"{name}.py"
    return {source: text, f"{_TESTS}/{test_name(name)}": new_test(name, up=1)}


def _write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write all of some files, or none."""
    written: list[Path] = []
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written


def _write_folder(folder: Path, name: str) -> list[Path]:
    """Write a folder under another name first, so that whatever is found is whole."""
    from nebula_lab.scaffold.template import new_package

    made = folder / f".{name}-{secrets.token_hex(4)}"
    files = new_package(name)
    try:
        for inside, text in files.items():
            path = made / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        os.rename(made, folder / name)  # noqa: PTH104 - fails where there is something in it
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return [folder / name / inside for inside in files]


def _shown(path: Path) -> Path:
    """A path as it is typed here."""
    with contextlib.suppress(ValueError):
        return path.relative_to(Path.cwd())
    return path
