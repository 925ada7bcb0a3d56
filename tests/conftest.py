"""What every test shares: Hypothesis profiles and a clock."""

import os
from datetime import timedelta

import pytest
from hypothesis import settings

from tests.fakes.clock import FakeClock

settings.register_profile("dev", max_examples=50, deadline=timedelta(milliseconds=500))
settings.register_profile("ci", max_examples=500, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("nightly", max_examples=20_000, deadline=None)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev")
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
