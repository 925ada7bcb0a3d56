"""`python -m tests.faults.hurried`: the program as it is, except that what a dead or frozen process
held is free again after seconds, and that a balance which does not show a fill is believed after
seconds: a test can wait for both by the clock of all concerned.
"""

import os
import sys
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import bot.runtime.live
import bot.runtime.update_receiver
import engine.domain.orders.settlement
import engine.scheduling.lease_manager
import engine.scheduling.queue_worker
from bot.__main__ import main
from bot.runtime.exchange_setup import ExchangeSetup
from engine.scheduling.leader_election import LeaderElection

LEASE = timedelta(seconds=3)
# Set where a story needs to know who owns an account: whoever came first keeps them all.
NO_SHARING = "BALLAST_TEST_NO_SHARING"
_IN_A_HURRY = {
    "lease": LEASE,
    "renew_every": timedelta(milliseconds=600),
    "send_margin": timedelta(seconds=1),
}
# Longer than the fake exchange's balances lag, shorter than a test waits.
SETTLE_WITHIN = timedelta(seconds=10)
_the_real_setup = bot.runtime.live.mexc_setup


def _setup(*args: Any, **kwargs: Any) -> ExchangeSetup:
    setup = _the_real_setup(*args, **kwargs)
    return replace(setup, timing=replace(setup.timing, **_IN_A_HURRY))


if __name__ == "__main__":
    bot.runtime.live.mexc_setup = _setup
    vars(bot.runtime.update_receiver)["LeaderElection"] = partial(LeaderElection, ttl=LEASE)
    if NO_SHARING in os.environ:  # noqa: TID251 - how a test speaks to the process it starts
        ownership = vars(engine.scheduling.lease_manager)
        if "fair_share" not in ownership:
            raise LookupError("what shares the accounts has moved")
        ownership["fair_share"] = lambda **_: sys.maxsize
    engine.domain.orders.settlement.SETTLE_WITHIN = SETTLE_WITHIN
    engine.scheduling.queue_worker.HOLD = LEASE
    engine.scheduling.queue_worker._RENEW_EVERY = LEASE / 3
    sys.exit(main())
