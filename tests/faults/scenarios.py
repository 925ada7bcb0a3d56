"""The 38 fault scenarios: which test is about which, and which cannot occur here."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

ALL = range(1, 39)
# Every other number has a test named after it, `test_07_...`; a reason here must stay true.
CANNOT_OCCUR: Mapping[int, str] = {}

_NAME = re.compile(r"test_(\d\d)_")


def sampled(cases: Sequence[T], *, every: int) -> Sequence[T]:
    """All *cases* in the long form. In the short one some, where tests of the client tell each of
    them apart and here they all come to the same.
    """
    return cases if os.environ.get("SOAK") else cases[::every]  # noqa: TID251 - a test's own setting


def number_of(test: str) -> int | None:
    """The scenario a test is named after."""
    found = _NAME.match(test)
    return int(found[1]) if found else None
