"""Every sample through a manager, each in a kernel of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipykernel
import pytest

from nebula_lab import PluginConfig, PluginManager
from nebula_lab.errors import (
    DependencyCycleError,
    DependencyError,
    ExecutionFailedError,
    InvalidParamsError,
    LoadFailedError,
    PluginCrashedError,
    PluginTimeoutError,
    VersionConflictError,
)
from nebula_lab.plugin import HealthState

ROOT = Path(__file__).parents[2]
LOGO = Path(ipykernel.__file__).parent / "resources" / "logo-64x64.png"


class Notebook:
    """An output sink that keeps what it is shown."""

    def __init__(self) -> None:
        self.displayed: list[dict[str, Any]] = []
        self.progressed: list[tuple[str, float, float | None]] = []
        self.text: list[tuple[str, str]] = []
        self.logged: list[tuple[str, str]] = []

    def write(self, stream, text):
        self.text.append((stream, text))

    def display(self, action, bundle):
        self.displayed.append(bundle)

    def log(self, level, logger, message):
        self.logged.append((logger, message))

    def progress(self, label, done, total, text):
        self.progressed.append((label, done, total))


@pytest.fixture
def notebook():
    return Notebook()


@pytest.fixture
def plugins(notebook):
    config = PluginConfig.from_file(ROOT / "plugin_resource.yaml")
    with PluginManager(config, output=notebook) as manager:
        yield manager


def test_all_samples_are_there_without_a_problem(plugins):
    assert (len(plugins), plugins.problems) == (11, ())


def test_the_resource_tells_its_dependencies_through_the_manager(plugins):
    rows = [{"name": "Ada", "born": 1815}, {"name": "Alan", "born": 1912}]
    assert plugins.execute("my_custom_resource", "insert", {"table": "users", "rows": rows}) == 2
    key = {"key": "my_custom_resource/users"}
    assert plugins.execute("base_resource", "get", key) == {"rows": 2}
    assert plugins.execute("logger", "tail")[-1]["message"] == "inserted 2 rows"


def test_the_tables_are_there_after_a_reload_and_after_a_suspension(plugins):
    plugins["my_custom_resource"].insert(table="kept", rows=[{"n": 1}])
    plugins.reload_plugin("my_custom_resource")
    plugins.suspend_plugin("my_custom_resource")
    plugins.resume_plugin("my_custom_resource")
    assert plugins["my_custom_resource"].query(sql="SELECT * FROM kept") == [{"n": 1}]


def test_the_resource_says_that_it_is_healthy(plugins):
    plugins.load_plugin("my_custom_resource")
    assert plugins.plugin_health("my_custom_resource").state is HealthState.HEALTHY


def test_a_limit_out_of_bounds_is_refused_before_anything_is_sent(plugins):
    with pytest.raises(InvalidParamsError, match="limit"):
        plugins.execute("my_custom_resource", "query", {"sql": "SELECT 1", "limit": 0})


def test_a_data_set_is_profiled_with_progress(plugins, notebook):
    profile = plugins["data_profiler"].profile(source="cars")
    assert (profile["rows"], len(profile["columns"])) == (406, 9)
    assert ("data_profiler.profile", 9, 9) in notebook.progressed


def test_a_data_set_goes_through_parquet_in_the_scratch_folder(plugins):
    path = plugins["data_profiler"].to_parquet(source="iris")
    assert plugins["data_profiler"].profile(source=path)["rows"] == 150


def test_search_hits_come_as_a_stream(plugins):
    texts = {"a": "a fox and a fox", "b": "one fox", "c": "a dog"}
    plugins["search_index"].add(texts=texts)
    with plugins.execute("search_index", "search", {"query": "fox"}) as hits:
        assert next(iter(hits))["id"] == "a"
    assert [hit["id"] for hit in plugins["search_index"].search(query="fox")] == ["a", "b"]


def test_the_package_with_the_index_keeps_its_texts_over_a_reload(plugins):
    plugins["search_index"].add(texts={"kept": "zebra"})
    plugins.reload_plugin("search_index")
    assert [hit["id"] for hit in plugins["search_index"].search(query="zebra")] == ["kept"]


def test_a_thumbnail_comes_as_bytes_and_its_preview_is_displayed(plugins, notebook):
    params = {"image": LOGO.read_bytes(), "width": 16, "preview": True}
    thumbnail = plugins.execute("thumbnailer", "thumbnail", params)
    assert thumbnail["image"].startswith(b"\x89PNG")
    assert any("image/png" in bundle["data"] for bundle in notebook.displayed)


def test_pages_are_fetched_side_by_side_and_streamed(plugins, tmp_path):
    (tmp_path / "page").write_text("hello")
    urls = [(tmp_path / "page").as_uri(), "data:,ok", (tmp_path / "gone").as_uri()]
    pages = {page["url"]: page for page in plugins["fetcher"].check(urls=urls)}
    assert [pages[url]["size"] for url in urls] == [5, 2, 0]
    assert plugins["fetcher"].fetch(url=urls[0]) == b"hello"


def test_the_bare_greeter_greets(plugins):
    assert plugins.execute("greeter", "greet", {"input": "hello"}) == {"output": "hello world"}


CRASHES = {
    "hard_exit": "7",
    "segfault": "SIGSEGV",
    "abort": "SIGABRT",
    "kill": "SIGKILL",
    "rubbish": "",
    "close": "",
}


@pytest.fixture
def patient(notebook):
    """A manager that restarts as often as it takes."""
    config = {
        "plugin_dir": ROOT / "sample_plugins",
        "restart": {"max_restarts": 100, "backoff": 0},
        "grace": "200ms",
    }
    with PluginManager(config, output=notebook) as manager:
        yield manager


@pytest.mark.parametrize("how", CRASHES)
def test_a_crash_is_told_with_its_cause_and_the_next_call_is_answered(patient, how):
    with pytest.raises(PluginCrashedError) as caught:
        patient["crasher"].crash(how=how)
    assert CRASHES[how] in caught.value.report.reason
    assert patient["crasher"].ping() == "pong"


def test_the_last_words_before_a_crash_are_shown_to_the_caller(patient, notebook):
    with pytest.raises(PluginCrashedError):
        patient["crasher"].crash(how="kill", last_words="farewell")
    assert ("stderr", "farewell\n") in notebook.text


def test_an_exception_is_told_with_the_plugins_own_traceback(patient):
    with pytest.raises(ExecutionFailedError, match="raised on request") as caught:
        patient["crasher"].crash(how="raise")
    assert "raise_error" in caught.value.remote_traceback
    assert "nebula_lab" not in caught.value.remote_traceback


def test_exit_fails_the_call_and_the_next_one_is_answered(patient):
    with pytest.raises(ExecutionFailedError):
        patient["crasher"].crash(how="exit")
    assert patient["crasher"].ping() == "pong"


@pytest.fixture
def lenient(notebook):
    """A manager that gives a plugin all the time that it may need to end a call."""
    config = {"plugin_dir": ROOT / "sample_plugins", "grace": "20s"}
    with PluginManager(config, output=notebook) as manager:
        yield manager


@pytest.mark.parametrize("how", ["sleep", "spin", "wait"])
def test_what_gives_way_to_an_interrupt_keeps_its_state_after_a_deadline(lenient, how):
    before = lenient["sleeper"].naps()
    lenient["sleeper"].nap(seconds=0)
    with pytest.raises(PluginTimeoutError):
        lenient.execute("sleeper", "hang", {"how": how}, timeout=0.3)
    assert lenient["sleeper"].naps() == before + 1


@pytest.mark.parametrize("how", ["in_c", "stubborn", "deaf"])
def test_what_sees_no_interrupt_is_killed_at_its_deadline(patient, how):
    patient.load_plugin("sleeper")
    with pytest.raises(PluginTimeoutError):
        patient.execute("sleeper", "hang", {"how": how}, timeout=0.3)
    assert patient["sleeper"].nap(seconds=0) >= 0


@pytest.fixture
def broken(notebook):
    with PluginManager(plugin_dir=ROOT / "sample_plugins" / "broken", output=notebook) as manager:
        yield manager


BROKEN = {
    "chicken": (DependencyCycleError, "chicken → egg → chicken"),
    "ledger": (VersionConflictError, "requested storage >=1.0.0, <2.0.0"),
    "mailer": (DependencyError, "postman"),
    "newsletter": (DependencyError, "newsletter → mailer → missing postman"),
    "typo": (LoadFailedError, "never closed"),
}


@pytest.mark.parametrize("plugin_id", BROKEN)
def test_loading_a_broken_sample_says_why_not(broken, plugin_id):
    kind, text = BROKEN[plugin_id]
    with pytest.raises(kind) as caught:
        broken.load_plugin(plugin_id)
    assert text in str(caught.value)


def test_beside_the_broken_samples_the_others_are_answering(broken):
    assert broken["archive"].ping() == "pong"
