"""What `make test` leaves to `make check` and `make soak`: tests marked `long`.

The short form is what a founder waits for at each change, and must end within five minutes. It
leaves out further cases of a kind of which it has some, and slow tests of what other tests hold too.
What docs/promises.md names is never left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

LONG = pytest.mark.long


def long(*values: Any) -> Any:
    """One case, to parametrize with, that is long."""
    return pytest.param(*values, marks=LONG)


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
