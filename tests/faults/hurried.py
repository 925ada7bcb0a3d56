"""`python -m tests.faults.hurried`: the program as it is, except that what a dead or frozen process
held is free again after seconds, so that a test can wait for it by the clock of all concerned.
"""

import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import bot.live
import bot.workers
from bot.__main__ import main
from bot.assembly import Venue

LEASE = timedelta(seconds=3)
_IN_A_HURRY = {
    "lease": LEASE,
    "renew_every": timedelta(milliseconds=600),
    "send_margin": timedelta(seconds=1),
}
_the_real_venue = bot.live.mexc_venue


def _venue(*args: Any, **kwargs: Any) -> Venue:
    venue = _the_real_venue(*args, **kwargs)
    return replace(venue, timing=replace(venue.timing, **_IN_A_HURRY))


if __name__ == "__main__":
    bot.live.mexc_venue = _venue
    bot.workers.HOLD = LEASE
    bot.workers._RENEW_EVERY = LEASE / 3
    sys.exit(main())
