"""The configuration: its defaults, the forms of its variants, and what must be refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from nebula_lab.model import (
    Container,
    DiscoveryStrategy,
    EntryPoints,
    Explicit,
    FileSystem,
    LoadingStrategy,
    Manifest,
    PluginCapability,
    PluginConfig,
    PluginDescriptor,
    Priority,
    Registry,
    ResourceLimits,
    RestartPolicy,
    SandboxMode,
    SecurityConfig,
    complaints,
)

COUNTER = {"id": "counter", "version": "1.0.0", "path": "counter.py"}


def _refusal(document):
    with pytest.raises(ValidationError) as caught:
        PluginConfig.model_validate(document)
    return "\n".join(map(str, complaints(caught.value, document)))


def test_an_empty_configuration_has_the_agreed_defaults():
    assert PluginConfig.model_validate({}) == PluginConfig(
        plugin_dir=None,
        hot_reload=True,
        discovery=FileSystem(pattern="*", recursive=False),
        security=SecurityConfig(
            verify_signature=False,
            trusted_keys=(),
            sandbox=SandboxMode.PROCESS,
            capabilities=(
                PluginCapability.NETWORK,
                PluginCapability.FILE_SYSTEM,
                PluginCapability.MEMORY_ALLOCATION,
            ),
            resource_limits=ResourceLimits(
                max_memory=2**30, max_cpu_percent=None, max_file_handles=256, max_threads=64
            ),
            strict=True,
        ),
        loading=LoadingStrategy.LAZY,
        global_config={},
        timeout=30.0,
        memory_limit=2**30,
        restart=RestartPolicy(max_restarts=5, window=60.0),
        queue_size=1000,
        grace=2.0,
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("None", SandboxMode.NONE),
        ("Process", SandboxMode.PROCESS),
        ("Wasm", SandboxMode.WASM),
        ({"type": "Process"}, SandboxMode.PROCESS),
        ({"Process": None}, SandboxMode.PROCESS),
        (SandboxMode.WASM, SandboxMode.WASM),
        ({"type": "Container", "runtime": "podman"}, Container(runtime="podman")),
        ({"Container": {"runtime": "podman"}}, Container(runtime="podman")),
        (SandboxMode.Container(runtime="podman"), Container(runtime="podman")),
    ],
    ids=str,
)
def test_a_sandbox_is_read_in_every_form(written, read):
    assert PluginConfig.model_validate({"security": {"sandbox": written}}).security.sandbox == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Eager", LoadingStrategy.EAGER),
        ("Lazy", LoadingStrategy.LAZY),
        ({"type": "Lazy"}, LoadingStrategy.LAZY),
        ({"type": "Priority", "threshold": 5}, Priority(threshold=5)),
        ({"Priority": {"threshold": 5}}, Priority(threshold=5)),
        (LoadingStrategy.Priority(threshold=5), Priority(threshold=5)),
    ],
    ids=str,
)
def test_a_loading_strategy_is_read_in_every_form(written, read):
    assert PluginConfig.model_validate({"loading": written}).loading == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("FileSystem", FileSystem()),
        ({"type": "FileSystem", "pattern": "*.py"}, FileSystem(pattern="*.py")),
        ({"FileSystem": {"recursive": True}}, FileSystem(recursive=True)),
        ({"type": "Manifest", "path": "a.toml"}, Manifest(path=Path("a.toml"))),
        (
            {"Registry": {"url": "https://x.org", "auth": "k"}},
            Registry(url="https://x.org", auth="k"),
        ),
        (
            {"type": "Explicit", "plugins": [COUNTER]},
            Explicit(plugins=(PluginDescriptor.model_validate(COUNTER),)),
        ),
        ("EntryPoints", EntryPoints(group="nebula_lab.plugins")),
        (DiscoveryStrategy.Manifest(path=Path("a.toml")), Manifest(path=Path("a.toml"))),
    ],
    ids=str,
)
def test_a_discovery_strategy_is_read_in_every_form(written, read):
    discovery = PluginConfig.model_validate({"discovery": written}).discovery
    assert discovery == read
    assert isinstance(discovery, DiscoveryStrategy)


def test_every_sandbox_has_the_seeds_word_as_value():
    assert [mode.value for mode in SandboxMode] == ["None", "Process", "Wasm", "Container"]
    assert Container(runtime="podman").value == "Container"


def test_every_loading_strategy_has_the_seeds_word_as_value():
    assert [strategy.value for strategy in LoadingStrategy] == ["Eager", "Lazy", "Priority"]
    assert Priority(threshold=1).value == "Priority"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"timout": 3}, "timout: unknown key 'timout'; did you mean 'timeout'?"),
        ({"zzz": 3}, "zzz: unknown key 'zzz'; known keys: plugin_dir, hot_reload"),
        (
            {"security": {"sandbx": "None"}},
            "security.sandbx: unknown key 'sandbx'; did you mean 'sandbox'?",
        ),
        (
            {"security": {"resource_limits": {"max_thread": 3}}},
            "security.resource_limits.max_thread: unknown key 'max_thread'; "
            "did you mean 'max_threads'?",
        ),
        (
            {"discovery": {"type": "FileSystem", "patern": "*"}},
            "discovery.patern: unknown key 'patern'; did you mean 'pattern'?",
        ),
        (
            {"discovery": {"FileSystem": {"patern": "*"}}},
            "discovery.FileSystem.patern: unknown key 'patern'; did you mean 'pattern'?",
        ),
        (
            {"discovery": {"Explicit": {"plugins": [{**COUNTER, "tgas": []}]}}},
            "discovery.Explicit.plugins[0].tgas: unknown key 'tgas'; did you mean 'tags'?",
        ),
        ({"restart": {"windows": 3}}, "restart.windows: unknown key 'windows'"),
        ({"security": {"sandbox": "Proces"}}, "no sandbox is called 'Proces'; did you mean"),
        ({"security": {"sandbox": "zzz"}}, "known: None, Process, Wasm, Container"),
        ({"security": {"sandbox": None}}, "expected the name of a sandbox (None, Process"),
        ({"security": {"sandbox": "Container"}}, "security.sandbox.runtime: is missing"),
        ({"security": {"sandbox": SandboxMode.CONTAINER}}, "security.sandbox.runtime: is missing"),
        ({"security": {"sandbox": {"type": "Process", "fuel": 1}}}, "has no fields, found fuel"),
        ({"loading": "lazy"}, "did you mean 'Lazy'?"),
        ({"loading": LoadingStrategy.PRIORITY}, "loading.threshold: is missing"),
        ({"loading": {"Priority": {"threshold": -1}}}, "loading.Priority.threshold: "),
        ({"discovery": {"pattern": "*.py", "recursive": True}}, "that name under 'type'"),
        ({"timeout": "fast"}, "timeout: expected a number of seconds, or text such as 30s"),
        ({"timeout": 0}, "timeout: Input should be greater than 0, found 0"),
        ({"memory_limit": "0B"}, "memory_limit: Input should be greater than 0"),
        ({"hot_reload": "yes"}, "hot_reload: Input should be a valid boolean, found 'yes'"),
        ({"queue_size": True}, "queue_size: "),
        ({"security": {"capabilities": ["FileSytem"]}}, "did you mean 'FileSystem'?"),
    ],
    ids=str,
)
def test_a_refusal_names_the_key_and_what_is_wrong(document, expected):
    assert expected in _refusal(document)


def test_pydantics_own_text_names_the_nearest_key_too():
    with pytest.raises(ValidationError, match="did you mean 'sandbox'"):
        PluginConfig.model_validate({"security": {"sandbx": "None"}})


def test_a_keyword_that_is_unknown_names_the_nearest():
    with pytest.raises(ValidationError, match="did you mean 'queue_size'"):
        PluginConfig(queuesize=3)


def test_all_that_is_wrong_is_told_at_once():
    text = _refusal({"timout": 3, "queue_size": 0, "security": {"sandbx": "None"}})
    assert all(word in text for word in ("timout", "queue_size", "security.sandbx"))


@pytest.mark.parametrize(
    ("memory_limit", "max_memory", "effective"),
    [("100MiB", "1GiB", 100 * 2**20), ("1GiB", "100MB", 10**8)],
)
def test_the_smaller_memory_limit_holds(memory_limit, max_memory, effective):
    config = PluginConfig.model_validate(
        {
            "memory_limit": memory_limit,
            "security": {"resource_limits": {"max_memory": max_memory}},
        }
    )
    assert config.effective_memory_limit == effective


def test_a_registrys_secret_stays_out_of_its_text():
    registry = Registry(url="https://x.org", auth="hunter2")
    assert "hunter2" not in f"{registry!r} {registry} {PluginConfig(discovery=registry)!r}"


@pytest.mark.parametrize(
    "document",
    [
        {"discovery": {"url": "https://x.org", "auth": "hunter2"}},
        {"discovery": {"type": "Registry", "uri": "x", "auth": "hunter2"}},
        {"global_confg": {"db": {"password": "hunter2"}}},
    ],
    ids=str,
)
def test_a_table_that_is_refused_is_not_shown(document):
    with pytest.raises(ValidationError) as caught:
        PluginConfig.model_validate(document)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in _refusal(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"loading": {"Priority": {"threshold": 5}}, "security": {"sandbox": "Wasm"}},
        {"security": {"sandbox": {"type": "Container", "runtime": "docker"}}},
        {"discovery": {"type": "Explicit", "plugins": [COUNTER]}, "plugin_dir": "p"},
        {"global_config": {"a": {"b": [1, None, "x"]}}, "timeout": "250ms"},
    ],
    ids=str,
)
def test_a_configuration_goes_through_json_unchanged(document):
    config = PluginConfig.model_validate(document)
    assert PluginConfig.model_validate_json(config.model_dump_json()) == config


def test_a_configuration_can_not_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        PluginConfig().timeout = 3.0


@pytest.mark.parametrize("name", ["num py", "", "numpy.", "-c", "a/b"])
def test_what_is_no_module_can_not_be_preloaded(name):
    with pytest.raises(ValidationError, match=r"not the name of a module, such as numpy\.linalg"):
        PluginConfig.model_validate({"zygote": {"preload": [name]}})
