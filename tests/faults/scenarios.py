"""The 38 fault scenarios: which test is about which, and which cannot occur here."""

import re
from collections.abc import Mapping

ALL = range(1, 39)
# Every other number has a test named after it, `test_07_...`; a reason here must stay true.
CANNOT_OCCUR: Mapping[int, str] = {}

_NAME = re.compile(r"test_(\d\d)_")


def number_of(test: str) -> int | None:
    """The scenario a test is named after."""
    found = _NAME.match(test)
    return int(found[1]) if found else None
