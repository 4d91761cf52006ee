"""Params from the words of a command line."""

from __future__ import annotations

import io

import click
import pytest

from nebula_lab.cli.params import params_from, read_object, read_words

TEXT = {"type": "string"}
BYTES = {"type": "string", "format": "bytes"}
NUMBER = {"type": "integer"}
WORDS = {
    "JSON where no type is known": (["a=1"], {}, {"a": 1}),
    "text that is not JSON": (["a=one two"], {}, {"a": "one two"}),
    "text where text is asked for": (["a=1"], {"a": TEXT}, {"a": "1"}),
    "a text with an equals sign": (["a=b=c"], {"a": TEXT}, {"a": "b=c"}),
    "an empty text": (["a="], {"a": TEXT}, {"a": ""}),
    "a number where one is asked for": (["a=1"], {"a": NUMBER}, {"a": 1}),
    "a list": (['a=[1,"b"]'], {}, {"a": [1, "b"]}),
    "a Python literal": (["a=(1, None)"], {}, {"a": (1, None)}),
    "a Python bool": (["a=True"], {}, {"a": True}),
    "bytes in base64": (['a={"$bytes":"aGk="}'], {}, {"a": b"hi"}),
    "text for bytes": (["a=hé"], {"a": BYTES}, {"a": "hé".encode()}),
    "a plain at sign": (["a=@@me"], {"a": TEXT}, {"a": "@me"}),
    "an object": (['{"a": 1, "b": null}'], {}, {"a": 1, "b": None}),
    "the later word": (['{"a": 1, "b": 2}', "a=3"], {}, {"a": 3, "b": 2}),
    "nothing": ([], {}, {}),
}
REFUSED = {
    "a word without a name": "=1",
    "a word without a value": "a",
    "an object that is not JSON": "{a",
}


@pytest.mark.parametrize("words, schemas, params", WORDS.values(), ids=WORDS)
def test_words_give_params(words, schemas, params):
    assert params_from(read_words(words), schemas) == params


@pytest.mark.parametrize("word", REFUSED.values(), ids=REFUSED)
def test_a_word_that_is_no_param_is_refused(word):
    with pytest.raises(click.BadParameter):
        read_words([word])


@pytest.mark.parametrize("schema, value", [(TEXT, "é"), (BYTES, "é".encode())])
def test_an_at_sign_gives_the_content_of_a_file(tmp_path, schema, value):
    (tmp_path / "file").write_text("é")
    assert params_from(read_words([f"a=@{tmp_path}/file"]), {"a": schema}) == {"a": value}


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(click.BadParameter, match=r"a: .*gone can't be read"):
        params_from(read_words([f"a=@{tmp_path}/gone"]), {})


def test_bytes_of_a_file_are_no_text(tmp_path):
    (tmp_path / "file").write_bytes(b"\xff")
    with pytest.raises(click.BadParameter, match="not text in UTF-8"):
        params_from(read_words([f"a=@{tmp_path}/file"]), {"a": TEXT})


def test_a_dash_reads_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"a": 1}'))
    assert params_from(read_words(["-"]), {}) == {"a": 1}


def test_null_is_an_empty_object():
    assert read_object("null") == {}


@pytest.mark.parametrize("text", ["[1]", "1", '"a"', "nonsense"])
def test_only_an_object_is_an_object(text):
    with pytest.raises(click.BadParameter):
        read_object(text)
