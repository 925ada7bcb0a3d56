"""The benchmarks are no tests, but they must be there when they are wanted."""

import importlib
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES
from benchmarks.reports import Goal, Report

ROOT = Path(__file__).parents[2]


def runnable() -> set[str]:
    """The modules that have something to run."""
    modules = (ROOT / "benchmarks").glob("*.py")
    return {m.stem for m in modules if "\ndef run(" in m.read_text() and m.stem != "__main__"}


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_of_the_runner_can_be_imported_and_run(name):
    assert callable(importlib.import_module(f"benchmarks.{name}").run)


def test_the_runner_and_the_readme_name_every_benchmark():
    told = (ROOT / "benchmarks" / "README.md").read_text()

    assert set(NAMES) == runnable()
    assert not [name for name in NAMES if f"`{name}`" not in told]


def test_a_goal_that_is_missed_is_said_in_the_table():
    report = Report("name", "A title", ["who", "ms"], rows=[["us", 3.0], ["them", None]])
    report.goals += [Goal("1", "ms", 3.0, 2.0), Goal("2", "a second", 30.0, 28.0, at_least=True)]

    shown = report.show()

    assert "MISSED    1  ms: 3 (<= 2)" in shown
    assert "met       2  a second: 30 (>= 28)" in shown
    assert "not measured" in shown
