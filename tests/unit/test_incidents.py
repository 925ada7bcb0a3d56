"""Trouble is told once, counted, told again rarely; its messages are few however it goes on."""

from datetime import datetime, timedelta
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.incidents import (
    Incident,
    IncidentKind,
    IncidentTimes,
    again,
    resumed,
    tellings_due,
)
from tests.fakes.clock import START

MINUTE = timedelta(minutes=1)
FAILURES = sorted(set(IncidentKind) - {IncidentKind.BLOCKED}, key=lambda kind: kind.value)


class Episode:
    """A trouble that goes on, and the moments at which the chat heard of it."""

    def __init__(self) -> None:
        self._trouble: Incident | None = None
        self.told_at: list[timedelta] = []

    @property
    def trouble(self) -> Incident:
        assert self._trouble is not None
        return self._trouble

    def fail(self, at: timedelta, kind: IncidentKind = IncidentKind.UNREACHABLE) -> None:
        now: datetime = START + at
        self._trouble, tell = again(self._trouble, kind=kind, detail="no answer", now=now)
        if tell:
            self.told_at.append(at)


def minutes(*counts: int) -> list[timedelta]:
    return [MINUTE * count for count in counts]


def test_the_first_failure_is_told_at_once():
    trouble, tell = again(None, kind=IncidentKind.CLOCK, detail="off by 2 s", now=START)

    assert tell
    assert trouble == Incident(
        kind=IncidentKind.CLOCK,
        detail="off by 2 s",
        since=START,
        last_at=START,
        told_kinds=frozenset({IncidentKind.CLOCK}),
    )


def test_repeats_are_counted_and_not_told():
    episode = Episode()
    for minute in range(15):
        episode.fail(MINUTE * minute)

    assert episode.told_at == minutes(0)
    assert (episode.trouble.count, episode.trouble.since) == (15, START)
    assert episode.trouble.last_at == START + MINUTE * 14


def test_an_outage_of_an_hour_takes_three_messages_and_one_that_it_is_over():
    episode = Episode()
    for minute in range(61):
        episode.fail(MINUTE * minute)

    assert episode.told_at == minutes(0, 15, 60)


def test_an_outage_that_shows_many_faces_is_one_outage():
    faces = cycle([IncidentKind.UNREACHABLE, IncidentKind.BAD_DATA, IncidentKind.RATE_LIMITED])
    episode = Episode()
    for minute in range(61):
        episode.fail(MINUTE * minute, next(faces))

    assert episode.told_at == minutes(0, 15, 60)


def test_a_long_outage_is_told_again_after_six_hours_and_then_daily():
    episode = Episode()
    for minute in range(0, 60 * 24 * 3 + 1, 5):
        episode.fail(MINUTE * minute)

    assert episode.told_at == minutes(0, 15, 60, 360, 1440, 2880, 4320)


def test_another_kind_of_trouble_is_told_once_however_often_they_alternate():
    episode = Episode()
    for minute in range(14):
        kind = IncidentKind.KEY_REFUSED if minute % 2 else IncidentKind.UNREACHABLE
        episode.fail(MINUTE * minute, kind)

    assert episode.told_at == minutes(0, 1)
    assert episode.trouble.kind is IncidentKind.KEY_REFUSED
    assert episode.trouble.told_kinds == {IncidentKind.KEY_REFUSED, IncidentKind.UNREACHABLE}


def test_messages_missed_while_nobody_looked_are_not_made_up_for():
    episode = Episode()
    for minute in (0, 7 * 60, 7 * 60 + 1, 7 * 60 + 2):
        episode.fail(MINUTE * minute)

    assert episode.told_at == minutes(0, 7 * 60)


@pytest.mark.parametrize(
    ("lasted", "messages"),
    [
        (timedelta(), 1),
        (timedelta(minutes=15), 2),
        (timedelta(hours=1), 3),
        (timedelta(hours=6), 4),
        (timedelta(hours=23), 4),
        (timedelta(days=1), 5),
        (timedelta(days=30), 34),
    ],
)
def test_how_many_messages_a_trouble_is_worth(lasted, messages):
    assert tellings_due(lasted) == messages


@given(
    st.lists(
        st.tuples(st.integers(0, 3 * 24 * 60), st.sampled_from(FAILURES)),
        min_size=1,
        max_size=60,
    )
)
def test_there_are_never_more_messages_than_were_due_and_kinds_to_tell(failures):
    episode = Episode()
    for minute, kind in sorted(failures, key=lambda failure: failure[0]):
        episode.fail(MINUTE * minute, kind)

    lasted = episode.trouble.last_at - episode.trouble.since
    kinds = len({kind for _, kind in failures})
    assert len(episode.told_at) <= tellings_due(lasted) + kinds - 1
    assert episode.trouble.count == len(failures)
    assert episode.told_at[0] + START == episode.trouble.since


def test_a_drift_that_cannot_be_traded_and_an_outage_in_turn_are_told_once_each():
    episode = Episode()
    for minute in range(0, 12, 2):
        episode.fail(MINUTE * minute, IncidentKind.UNREACHABLE)
        episode.fail(MINUTE * (minute + 1), IncidentKind.BLOCKED)

    assert episode.told_at == minutes(0, 1)
    assert (episode.trouble.kind, episode.trouble.count) == (IncidentKind.UNREACHABLE, 6)


def test_a_failure_after_a_drift_that_cannot_be_traded_is_an_episode_of_its_own():
    episode = Episode()
    episode.fail(MINUTE * 0, IncidentKind.BLOCKED)
    episode.fail(MINUTE * 2, IncidentKind.UNREACHABLE)

    assert episode.told_at == minutes(0, 2)
    assert (episode.trouble.since, episode.trouble.count) == (START + MINUTE * 2, 1)
    before = resumed(episode.trouble)
    assert before is not None
    assert before.kind is IncidentKind.BLOCKED


@pytest.mark.parametrize("kind", [IncidentKind.BLOCKED, IncidentKind.CLOCK])
def test_nothing_remains_of_a_trouble_that_had_no_drift_beside_it(kind):
    trouble, _ = again(None, kind=kind, detail="", now=START)

    assert resumed(trouble) is None


def test_each_kind_of_trouble_in_an_episode_has_its_own_count_and_beginning():
    trouble = None
    kinds = [IncidentKind.UNREACHABLE] * 3 + [IncidentKind.KEY_REFUSED, IncidentKind.KEY_REFUSED]
    for minute, kind in enumerate(kinds):
        trouble, _ = again(trouble, kind=kind, detail="", now=START + MINUTE * minute)

    assert trouble is not None
    assert trouble.count == 5
    assert trouble.times(IncidentKind.UNREACHABLE) == IncidentTimes(3, START)
    assert trouble.times(IncidentKind.KEY_REFUSED) == IncidentTimes(2, START + MINUTE * 3)


def test_the_faces_of_one_outage_are_counted_together():
    trouble = None
    for minute, kind in enumerate([IncidentKind.UNREACHABLE, IncidentKind.RATE_LIMITED] * 2):
        trouble, _ = again(trouble, kind=kind, detail="", now=START + MINUTE * minute)

    assert trouble is not None
    assert trouble.times(IncidentKind.RATE_LIMITED) == IncidentTimes(4, START)


def test_a_drift_beside_an_outage_is_counted_for_itself():
    trouble = None
    for kind in [IncidentKind.UNREACHABLE] * 4 + [IncidentKind.BLOCKED]:
        trouble, _ = again(trouble, kind=kind, detail="", now=START)

    assert trouble is not None
    assert trouble.times(IncidentKind.BLOCKED) == IncidentTimes(1, START)
    rest = resumed(trouble)
    assert rest is not None
    assert rest.times(IncidentKind.BLOCKED) == IncidentTimes(1, START)


def test_an_episode_that_an_older_version_wrote_goes_on_with_its_count():
    old = Incident(IncidentKind.UNREACHABLE, "", since=START, last_at=START, count=7)

    trouble, _ = again(old, kind=IncidentKind.UNREACHABLE, detail="", now=START + MINUTE)

    assert trouble.times(IncidentKind.UNREACHABLE) == IncidentTimes(8, START)
