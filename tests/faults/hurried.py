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

import bot.arrivals
import bot.live
import bot.workers
import engine.domain.settlement
import engine.ownership
from bot.__main__ import main
from bot.assembly import Venue
from engine.posts import Post

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
_the_real_venue = bot.live.mexc_venue


def _venue(*args: Any, **kwargs: Any) -> Venue:
    venue = _the_real_venue(*args, **kwargs)
    return replace(venue, timing=replace(venue.timing, **_IN_A_HURRY))


if __name__ == "__main__":
    bot.live.mexc_venue = _venue
    vars(bot.arrivals)["Post"] = partial(Post, ttl=LEASE)
    if NO_SHARING in os.environ:  # noqa: TID251 - how a test speaks to the process it starts
        ownership = vars(engine.ownership)
        if "fair_share" not in ownership:
            raise LookupError("what shares the accounts has moved")
        ownership["fair_share"] = lambda **_: sys.maxsize
    engine.domain.settlement.SETTLE_WITHIN = SETTLE_WITHIN
    bot.workers.HOLD = LEASE
    bot.workers._RENEW_EVERY = LEASE / 3
    sys.exit(main())
