"""How a plugin's source is imported: file, package or notebook."""

from __future__ import annotations

import json
import sys

import pytest

from nebula_lab.agent.load_errors import LoadError, MissingEntryError
from nebula_lab.agent.source import forget_source, import_source, make_resource, module_name
from nebula_lab.agent.tracebacks import own_traceback


@pytest.fixture(autouse=True)
def own_imports(monkeypatch):
    """What a test imports, and where it looked, is forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path):
    def write_source(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_source


def cell(source, kind="code", tags=()):
    return {"cell_type": kind, "metadata": {"tags": list(tags)}, "source": source}


@pytest.fixture
def write_notebook(write):
    def write_cells(*cells):
        return write("note.ipynb", json.dumps({"cells": list(cells), "nbformat": 4}))

    return write_cells


def test_a_file_is_imported_under_the_given_name(write):
    path = write("one.py", "value = __name__, __file__")
    assert import_source(path, "given").value == ("given", str(path))


def test_a_package_may_import_its_own_modules(write):
    write("pack/inner/deep.py", "value = 3")
    write("pack/inner/__init__.py", "from ..other import two\nfrom .deep import value")
    write("pack/other.py", "two = 2")
    path = write("pack/__init__.py", "from .inner import two, value").parent
    module = import_source(path, "given")
    assert (module.two, module.value, module.inner.__name__) == (2, 3, "given.inner")


def test_forgetting_a_package_forgets_what_is_below_it(write):
    write("pack/other.py", "")
    import_source(write("pack/__init__.py", "from . import other").parent, "given")
    forget_source("given")
    assert not [name for name in sys.modules if name.startswith("given")]


def test_a_source_that_fails_leaves_no_module(write):
    with pytest.raises(ZeroDivisionError):
        import_source(write("bad.py", "1 / 0"), "given")
    assert "given" not in sys.modules


def test_a_module_beside_a_plugin_can_be_imported(write):
    write("beside_it.py", "value = 5")
    path = write("one.py", "import beside_it\nvalue = beside_it.value")
    assert import_source(path, "given").value == 5


@pytest.mark.parametrize("name", ["json", "random", "colorsys", "msgspec", "psutil"])
def test_a_module_beside_a_plugin_never_takes_the_place_of_an_installed_one(write, name):
    write(f"{name}.py", "raise AssertionError('the wrong one')")
    path = write("one.py", f"import sys\nsys.modules.pop('{name}', None)\nimport {name}")
    kept = sys.modules.get(name)
    try:
        import_source(path, "given")
    finally:
        if kept is not None:
            sys.modules[name] = kept


def test_a_source_is_compiled_without_the_agents_own_future_imports(write):
    path = write("one.py", "def f(x: 1 + 1): ...\nvalue = f.__annotations__['x']")
    assert import_source(path, "given").value == 2


def test_a_declared_encoding_of_the_source_is_honoured(tmp_path):
    path = tmp_path / "one.py"
    path.write_bytes(b"# -*- coding: latin-1 -*-\nvalue = '\xe4'")
    assert import_source(path, "given").value == "ä"


def test_an_error_in_a_file_names_its_line(write):
    path = write("bad.py", "def f():\n    1 / 0\nf()\n")
    with pytest.raises(ZeroDivisionError) as caught:
        import_source(path, "given")
    assert f'File "{path}", line 2, in f' in own_traceback(caught.value)


def test_the_code_cells_of_a_notebook_are_one_module(write_notebook):
    path = write_notebook(
        cell("a = 1"), cell("# A title", "markdown"), cell(["b = a + 1\n", "c = b + 1"])
    )
    module = import_source(path, "given")
    assert (module.a, module.b, module.c) == (1, 2, 3)


def test_a_cell_that_is_tagged_to_be_skipped_is_not_run(write_notebook):
    module = import_source(
        write_notebook(cell("a = 1"), cell("a = 2", tags=["nebula-skip"])), "given"
    )
    assert module.a == 1


MAGIC = [
    "%matplotlib inline\na = 1",
    "!pip install something\na = 1",
    "?print\na = 1",
    "a = 1\n%time",
]


@pytest.mark.parametrize("source", MAGIC)
def test_a_line_of_ipythons_own_is_left_out(write_notebook, source):
    assert import_source(write_notebook(cell(source)), "given").a == 1


@pytest.mark.parametrize("source", ["%%bash\nrm x", "\n  %%html\n<b>", "%%timeit a = 2\na = 3"])
def test_a_cell_of_ipythons_own_is_left_out(write_notebook, source):
    assert import_source(write_notebook(cell("a = 1"), cell(source)), "given").a == 1


def test_an_error_in_a_notebook_names_its_cell_and_line(write_notebook):
    path = write_notebook(cell("# A title", "markdown"), cell("%matplotlib inline\n\n1 / 0"))
    with pytest.raises(ZeroDivisionError) as caught:
        import_source(path, "given")
    text = own_traceback(caught.value)
    assert f'File "{path}[cell 2]", line 3' in text
    assert "    1 / 0\n" in text


def test_an_error_in_a_function_of_a_notebook_shows_its_source_later_too(write_notebook, write):
    path = write_notebook(cell("def f():\n    return 1 / 0"))
    module = import_source(path, "given")
    import_source(write("other.py", ""), "other")
    with pytest.raises(ZeroDivisionError) as caught:
        module.f()
    assert f'{path}[cell 1]", line 2, in f\n    return 1 / 0' in own_traceback(caught.value)


def test_a_syntax_error_in_a_notebook_names_its_cell(write_notebook):
    path = write_notebook(cell("ok = 1"), cell("def f(:"))
    with pytest.raises(SyntaxError) as caught:
        import_source(path, "given")
    assert caught.value.filename == f"{path}[cell 2]"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"cells": 1}', '{"cells": [1]}', "[" * 9999])
def test_what_is_no_notebook_is_said_to_be_none(write, text):
    with pytest.raises(LoadError, match="is not a notebook"):
        import_source(write("note.ipynb", text), "given")


@pytest.mark.parametrize(
    ("name", "said"),
    [("none.py", "can't be read"), ("a.txt", "neither a Python file"), ("", "without an __init__")],
)
def test_a_source_that_is_not_there_is_named(tmp_path, name, said):
    with pytest.raises(LoadError, match=said) as caught:
        import_source(tmp_path / name, "given")
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("text", ["", "plugin_entry = 1", "plugin_entry = None"])
def test_a_source_without_an_entry_says_what_to_add(write, text):
    path = write("one.py", text)
    with pytest.raises(MissingEntryError, match=r"has no function plugin_entry\(\); add one"):
        make_resource(import_source(path, "given"), path, 1)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_source_for_another_version_of_the_api_is_refused(write, version):
    path = write("one.py", f"PLUGIN_API_VERSION = {version!r}\ndef plugin_entry(): 1 / 0")
    with pytest.raises(LoadError, match=f"API version {version!r}; this host has 1"):
        make_resource(import_source(path, "given"), path, 1)


def test_an_entry_that_gives_a_class_is_told_to_give_an_object(write):
    path = write("one.py", "class Counter: ...\ndef plugin_entry(): return Counter")
    with pytest.raises(LoadError, match=r"returned the class Counter; .* return Counter\(\)"):
        make_resource(import_source(path, "given"), path, 1)


@pytest.mark.parametrize("value", ["None", "object()", "{}", "'x'"])
def test_an_entry_that_gives_no_plugin_is_told_what_is_missing(write, value):
    path = write("one.py", f"def plugin_entry(): return {value}")
    with pytest.raises(LoadError, match=r"without initialize, .*derive it from"):
        make_resource(import_source(path, "given"), path, 1)


def test_an_entry_that_raises_raises(write):
    path = write("one.py", "def plugin_entry(): raise OSError('no disk')")
    with pytest.raises(OSError, match="no disk"):
        make_resource(import_source(path, "given"), path, 1)


def test_plugins_whose_ids_differ_have_modules_whose_names_differ():
    ids = ["a.b", "a-b", "a_b", "a b", "ä", "1"]
    names = {module_name(plugin_id) for plugin_id in ids}
    assert len(names) == len(ids)
    assert all(name.isidentifier() for name in names)
