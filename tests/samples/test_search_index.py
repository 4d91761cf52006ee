"""The search index, on the names of cars from vega_datasets and on texts of its own."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from vega_datasets import local_data

from nebula_lab.plugin import PluginError

TEXTS = {
    "fox": "The quick brown fox jumps over the lazy dog.",
    "dog": "A dog is a dog is a dog.",
    "café": "Cafés are closing; the naïve fox waited.",
}


@pytest.fixture
def index(house):
    house.load("search_index")
    house.call("search_index", "add", texts=TEXTS)
    return house


def found(house, query: str, **params) -> list[str]:
    return [hit["id"] for hit in house.call("search_index", "search", query=query, **params)]


def test_the_text_that_has_a_word_more_often_comes_first(index):
    assert found(index, "dog") == ["dog", "fox"]


def test_the_score_is_that_of_bm25(house):
    house.load("search_index")
    house.call("search_index", "add", texts={"a": "x x y", "b": "y"})
    [hit] = house.call("search_index", "search", query="x")
    rarity = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    length = 1 - 0.75 + 0.75 * 3 / 2
    assert hit["score"] == pytest.approx(rarity * 2 * 2.2 / (2 + 1.2 * length), abs=1e-4)


def test_a_rare_word_weighs_more_than_a_common_one(index):
    index.call("search_index", "add", texts={f"dog {n}": "dog" for n in range(10)})
    assert found(index, "dog naive")[0] == "café"


def test_a_word_is_found_without_its_accents_case_and_ending(index):
    assert found(index, "CAFE") == found(index, "cafés") == found(index, "wait") == ["café"]


def test_a_word_that_is_nowhere_finds_nothing(index):
    assert found(index, "zebra") == []


def test_an_empty_index_finds_nothing(house):
    house.load("search_index")
    assert found(house, "dog") == []


def test_no_more_hits_than_the_limit_come(index):
    assert found(index, "dog fox", limit=1) == ["fox"]


def test_hits_come_one_by_one(index):
    resource = index.resource("search_index")
    stream = resource.execute("search", {"query": "dog"})
    assert next(stream).id == "dog"
    stream.close()


def test_a_deleted_text_is_not_found(index):
    assert index.call("search_index", "delete", ids=["dog", "never there"]) == 2
    assert found(index, "dog") == ["fox"]


def test_a_text_added_again_replaces_the_first(index):
    index.call("search_index", "add", texts={"dog": "a cat"})
    assert (found(index, "dog"), found(index, "cat")) == (["fox"], ["dog"])


def test_words_of_deleted_texts_are_not_suggested(index):
    index.call("search_index", "delete", ids=["café"])
    assert index.call("search_index", "suggest", prefix="ca") == []


def test_the_word_of_the_most_texts_is_suggested_first(index):
    index.call("search_index", "add", texts={"n": "form fox"})
    assert index.call("search_index", "suggest", prefix="fo") == ["fox", "form"]


def test_the_index_finds_the_same_after_a_reload(index):
    before = index.call("search_index", "search", query="dog fox cafe")
    index.move("search_index")
    assert index.call("search_index", "search", query="dog fox cafe") == before


def test_all_cars_of_the_data_set_can_be_searched(house):
    house.load("search_index")
    cars = json.loads(Path(local_data.cars.filepath).read_text())
    texts = {str(number): car["Name"] for number, car in enumerate(cars)}
    assert house.call("search_index", "add", texts=texts) == 406
    assert house.progress[-1][:2] == (406, 406)
    hits = house.call("search_index", "search", query="ford pinto", limit=6)
    assert {hit["text"] for hit in hits} == {"ford pinto"}


def test_texts_without_ids_are_refused(index):
    with pytest.raises(PluginError, match=r"params\.texts"):
        index.call("search_index", "add", texts=["no ids"])
