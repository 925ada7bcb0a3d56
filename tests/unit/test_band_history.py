"""The band as it was, from the audit: as far back as its lines agree with each other."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from engine.domain.accounts.audit import AuditEntry, changes
from engine.domain.accounts.band_history import past_bands
from engine.domain.accounts.settings import Band, Settings
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from tests.builders import account
from tests.fakes.clock import START

D = Decimal
DAY = timedelta(days=1)
STEPS = [
    account().settings,
    replace(account().settings, target=FixedUsdt(D("60.5"))),
    replace(
        account().settings, target=FixedUsdt(D("60.5")), threshold=Threshold(relative=D("0.125"))
    ),
    replace(account().settings, target=FixedUsdt(D(80)), threshold=Threshold(quote_amount=D(3))),
]


def entries() -> list[AuditEntry]:
    """As the audit has them, newest first: a day between two changes."""
    found = []
    for day, (was, now) in enumerate(pairwise(STEPS), start=1):
        before, after = (replace(account(), settings=one) for one in (was, now))
        found += [
            AuditEntry(
                at=START + day * DAY,
                user_id=1,
                action=change.action,
                subject=change.subject,
                detail=change.detail,
            )
            for change in changes(before, after)
        ]
    return found[::-1]


def by_day(settings: Settings, lines: list[AuditEntry]) -> dict[int, tuple[D, Band]]:
    """Of two changes in one moment the last one counts."""
    bands = past_bands(settings, lines, since=START)
    return {(one.at - START).days: (one.target, one.band) for one in bands}


def test_each_change_is_undone_on_the_way_back():
    wanted = {
        day: (step.fixed_goal.target, step.fixed_goal.band) for day, step in enumerate(STEPS)
    }

    assert by_day(STEPS[-1], entries()) == wanted
    assert by_day(STEPS[0], []) == {0: (D(40), Band(D(38), D(42)))}


def test_what_lies_before_a_line_that_does_not_agree_is_not_known():
    lines = entries()
    lines[2] = replace(lines[2], detail="5% -> 9%")
    unread = [replace(lines[0], detail="much -> 3 USDT")]

    assert sorted(by_day(STEPS[-1], lines)) == [2, 3]
    assert sorted(by_day(STEPS[-1], unread)) == [3]
