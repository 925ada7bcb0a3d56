"""A hundred thousand things in a row that nobody would think of: no invariant breaks."""

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.machine import Machine

# `make soak` sets SOAK; each shard prints its seed, and SOAK_SEED gives one again.
_SOAK = bool(os.environ.get("SOAK"))  # noqa: TID251 - a test's own setting
_SEED = os.environ.get("SOAK_SEED")  # noqa: TID251 - see above
# The first run of a shard is the simplest there is, one step again and again.
_SHARDS, _RUNS, _LENGTH = (8, 55, 250) if _SOAK else (1, 3, 100)
_FIXED_SEED = 20261122


@pytest.mark.parametrize("shard", range(_SHARDS))
def test_whatever_happens_in_whatever_order_no_invariant_breaks(shard: int, record_property):
    chosen = _FIXED_SEED + shard
    if _SOAK:
        chosen = int(_SEED) if _SEED else random.randrange(2**32)  # noqa: S311 - no secret
    record_property("seed", chosen)
    before = Machine.steps.total()
    run_state_machine_as_test(
        seed(chosen)(Machine),
        settings=settings(
            max_examples=_RUNS,
            stateful_step_count=_LENGTH,
            deadline=None,
            derandomize=False,
            database=None,
            phases=(Phase.generate,),  # to shrink takes hours, and threads make it fruitless
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    record_property("random steps", Machine.steps.total() - before)

    assert Machine.steps.total() > 0
