"""What `make test` leaves to `make check` and `make soak`: tests marked `long`.

The short form is what a founder waits for at each change, and must end within five minutes. It
leaves out further cases of a kind of which it has some, PostgreSQL where SQLite and the tests of the
storage say as much, and slow tests of what other tests hold too. What docs/promises.md names is
never left out.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

LONG = pytest.mark.long
_ROOT = Path(__file__).parents[1]
_STORAGE = _ROOT / "tests" / "storage"


def long(*values: Any) -> Any:
    """One case, to parametrize with, that is long."""
    return pytest.param(*values, marks=LONG)


def is_second_database(item: pytest.Function) -> bool:
    """Whether a test that SQLite has passed is to pass on PostgreSQL too, and may wait for that."""
    callspec = getattr(item, "callspec", None)  # of a test with parameters
    if callspec is None or callspec.params.get("database_url") != "postgresql":
        return False
    return not (item.path.is_relative_to(_STORAGE) or is_promised(item.originalname))


def is_promised(test: str) -> bool:
    """Whether docs/promises.md names the test as a proof, itself or by the number of its scenario."""
    scenario = re.match(r"test_(\d\d)_", test)
    return test in _promised() or (
        scenario is not None and int(scenario[1]) in _promised_scenarios()
    )


@cache
def _promised() -> frozenset[str]:
    page = (_ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    return frozenset(re.findall(r"::(test_\w+)", page))


@cache
def _promised_scenarios() -> frozenset[int]:
    """A row may name the first of its scenarios, "and 02 to 13 behind it"."""
    page = (_ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    spans = re.findall(r"and (\d\d) to (\d\d) behind it", page)
    return frozenset(
        number for first, last in spans for number in range(int(first), int(last) + 1)
    )


def sampled(cases: Iterable[Any] | Mapping[str, Any], *, every: int) -> list[Any]:
    """All *cases*, to parametrize with; all but the first and each *every*th after it are long.

    For cases that all come to the same here and are told apart by tests of a part below. The
    names of a mapping become the ids.
    """
    named = cases.items() if isinstance(cases, Mapping) else ((None, case) for case in cases)
    return [
        pytest.param(case, id=name, marks=() if number % every == 0 else LONG)
        for number, (name, case) in enumerate(named)
    ]
