"""What of a cell is Python, and what IPython's."""

from __future__ import annotations

import ast

import pytest

from nebula_lab.agent.cell_source import CellSourceError, cell_source

LEFT_OUT = {
    "a magic": ("%matplotlib inline\nx = 1", "\nx = 1", (1,)),
    "a shell command": ("x = 1\n!ls\ny = 2", "x = 1\n\ny = 2", (2,)),
    "a quote in a shell command": ("!echo it's\nx = 'y'", "\nx = 'y'", (1,)),
    "a command over two lines": ("!ls \\\n  -l\nx = 1", "\n\nx = 1", (1, 2)),
    "a question": ("x?\nx.y??\n?x\n%time?", "\n\n\n", (1, 2, 3, 4)),
    "a cell magic": ("%%bash\nrm x", "", (1, 2)),
    "another plugin": ("\n%%plugin other\nx = 1", "", (1, 2, 3)),
    "after a text": ("x = '''\n%a'''\n%ls", "x = '''\n%a'''\n", (3,)),
    "after brackets": ("x = (7\n% 2)\n%ls", "x = (7\n% 2)\n", (3,)),
    "after a backslash": ("x = 7 \\\n% 2\n%ls", "x = 7 \\\n% 2\n", (3,)),
    "beside an await": ("await f()\n%ls", "await f()\n", (2,)),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_is_ipythons_is_left_out_and_its_line_stays(case):
    text, python, lines = LEFT_OUT[case]
    found = cell_source(text)
    assert (found.python, found.left_out) == (python, lines)


PYTHON = [
    "x = '''\n%a\n!b\nc?\n'''",
    "total = (7\n% 2)",
    "x = 7 \\\n  % 2",
    "print('really?')  # why?",
    "f'{x!r}' != '%s' % y",
    "'''\n%%time\n'''",
    "",
]


@pytest.mark.parametrize("text", PYTHON)
def test_what_is_python_stays_as_it_is(text):
    found = cell_source(text)
    assert (found.python, found.left_out) == (text, ())


@pytest.mark.parametrize("text", ["%%time\nx = 1", "%%capture out\nx = 1", "%time x = 1"])
def test_code_beside_a_magic_that_runs_it_is_kept(text):
    assert ast.literal_eval(ast.parse(cell_source(text).python).body[0].value) == 1


COUNTED_ON = {
    "in a function": ("def f():\n    !ls", 2),
    "in a block": ("x = 1\nif x:\n    %cd ..", 3),
    "for a value": ("files = !ls", 1),
    "for the value of a magic": ("x = 1\nhome = %env HOME", 2),
}


@pytest.mark.parametrize("case", COUNTED_ON)
def test_what_the_plugin_would_count_on_is_refused_with_its_line(case):
    text, line = COUNTED_ON[case]
    with pytest.raises(CellSourceError, match="needs IPython") as caught:
        cell_source(text)
    assert caught.value.line == line


@pytest.mark.parametrize("text", ["def f(:\n    !ls", "x = 'a\n(", "x = '''\n%ls", "(\n%ls", "\0?"])
def test_what_is_wrong_otherwise_is_left_to_python(text):
    assert cell_source(text).python == text


HOSTILE = {
    "backslashes": '"""' + "\\" * 300_000 + "\n%ls",
    "quotes": "'" * 300_001 + "\n%ls",
    "brackets": "([{" * 100_000 + "\n%ls",
    "commands": "%ls\n" * 100_000,
    "a long line": "a" * 500_000 + "?!\n%ls",
    "equals": "a=" * 200_000 + "!",
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", HOSTILE)
def test_no_cell_takes_for_ever(case):
    text = HOSTILE[case]
    try:
        assert cell_source(text).python.count("\n") == text.count("\n")
    except CellSourceError:
        assert case == "equals"
