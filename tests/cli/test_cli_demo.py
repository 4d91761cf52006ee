"""`make demo`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from nebula_lab import PluginManager
from nebula_lab.cli.demo.material import cars, images, package_descriptions, png_size
from nebula_lab.cli.demo.performance import STEPS
from nebula_lab.cli.demo.stage import Stage, Step
from nebula_lab.cli.progress import NoProgress
from nebula_lab.errors import PluginError

SAMPLES = Path(__file__).parents[2] / "sample_plugins"


def contents(folder):
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def run_demo(folder):
    return subprocess.run(
        [sys.executable, "-m", "nebula_lab.cli.demo", folder],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def demo():
    before = contents(SAMPLES)
    return run_demo(SAMPLES), before


def test_the_demo_ends_with_0(demo):
    done, _ = demo
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stdout


def test_the_demo_performs_every_step(demo):
    done, _ = demo
    headings = [f"[{number}/{len(STEPS)}] {step.title}" for number, step in enumerate(STEPS, 1)]
    assert [heading for heading in headings if heading not in done.stdout] == []


def test_the_demo_shows_progress_in_lines_where_there_is_no_terminal(demo):
    done, _ = demo
    assert "… data_profiler.profile: 6 of 6" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_demo_ends_by_printing_plugins_health_and_metrics(demo):
    done, _ = demo
    summary = done.stdout.split(STEPS[-1].title)[-1]
    assert all(text in summary for text in ("last used", "Health", "p95"))


def test_the_demo_shows_the_reports_on_broken_plugins(demo):
    done, _ = demo
    assert "chicken → egg → chicken" in done.stdout
    assert "needs storage >=1.0.0, <2.0.0, but version 2.1.0 is here" in done.stdout
    assert "needs postman >=1.0.0, which is missing" in done.stdout


def test_the_demo_leaves_the_samples_as_they_were(demo):
    _, before = demo
    assert contents(SAMPLES) == before


def test_the_demo_ends_with_1_where_the_samples_do_not_do_what_it_says(tmp_path):
    done = run_demo(tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "Not as it should be" in done.stdout


@pytest.fixture
def stage(tmp_path):
    with PluginManager() as plugins:
        yield Stage(plugins, tmp_path, tmp_path, NoProgress(), NoProgress())


def test_a_fact_that_does_not_hold_is_a_failure(stage, capsys):
    stage.expect(1 + 1 == 3, "arithmetic is flexible")
    assert stage.failed == ["arithmetic is flexible"]
    assert "✗ arithmetic is flexible" in capsys.readouterr().out


def test_an_error_that_does_not_come_is_a_failure(stage):
    with stage.expect_error(PluginError, "it fails"):
        pass
    assert stage.failed == ["it fails"]


def test_after_a_step_that_fails_the_next_one_is_performed(stage, capsys):
    def fail(stage):
        stage.plugins.execute("nobody", "nothing")

    stage.perform([Step("First", fail), Step("Second", lambda stage: stage.say("done"))])
    assert stage.failed == ["First: NotFoundError"]
    assert "[2/2] Second\n    done" in capsys.readouterr().out


def test_the_data_set_is_the_well_known_one():
    assert len(cars()) == 406


def test_the_texts_are_readmes_of_installed_packages():
    assert "ipykernel" in package_descriptions()


def test_the_images_are_images():
    assert len(images()) >= 5
    assert all(min(png_size(image)) > 0 for image in images().values())


def test_bytes_that_are_no_image_have_no_size():
    with pytest.raises(ValueError, match="no PNG"):
        png_size(b"GIF89a")
