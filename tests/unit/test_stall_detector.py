"""When a stall is told, and when it is over: by what was finished, never by the clock."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.orders.order import AccountId
from engine.monitoring.stall_detector import (
    EngineProgress,
    StallCause,
    StallDetector,
    Stalled,
    StallOver,
    WorkProgress,
)

SECOND = timedelta(seconds=1)
BEAT = 5 * SECOND
PATIENCE = 180 * SECOND
ANNA, BERT = AccountId(1), AccountId(2)
Told = Stalled | StallOver


class Watched:
    """A process under watch; *stuck* says what of it does not get on."""

    def __init__(self, *accounts: AccountId) -> None:
        self.accounts = list(accounts)
        self.stuck: set[AccountId | str] = set()
        self.database_away = False
        self.silence = 0
        self._vigil = StallDetector()
        self._done = 0
        self._left: dict[AccountId | str, int] = {}

    def goes_on(self, duration: timedelta) -> list[Told]:
        """What there was to tell within *duration*."""
        looks = [self._look() for _ in range(duration // BEAT)]
        return [told for told in looks if told is not None]

    def _look(self) -> Told | None:
        self._done += 1
        everybody: list[AccountId | str] = [*self.accounts, "heart"]
        self._left |= {who: self._done for who in everybody if who not in self.stuck}
        checks = {a: self._progress(a) for a in self.accounts}
        pulse = EngineProgress(
            beats=self._progress("heart"), database_away=self.database_away, checks=checks
        )
        return self._vigil.look(pulse, passed=BEAT)

    def _progress(self, who: AccountId | str) -> WorkProgress:
        return WorkProgress(self._left.get(who, 0), PATIENCE)


def test_work_that_gets_on_is_nothing_to_tell():
    assert Watched(ANNA, BERT).goes_on(timedelta(days=1)) == []


def test_an_account_that_is_not_checked_in_time_is_told_once_and_once_when_it_is():
    watched = Watched(ANNA, BERT)
    watched.goes_on(60 * SECOND)
    watched.stuck = {BERT}

    assert watched.goes_on(PATIENCE) == []
    assert watched.goes_on(timedelta(hours=5)) == [
        Stalled(cause=StallCause.CHECKS, late=1, accounts=2, silent_for=PATIENCE + BEAT)
    ]

    watched.stuck = set()

    assert watched.goes_on(timedelta(hours=1)) == [
        StallOver(cause=StallCause.CHECKS, lasted=PATIENCE + timedelta(hours=5) + BEAT)
    ]


def test_a_database_that_is_away_is_told_as_the_reason_for_everything():
    watched = Watched(ANNA, BERT)
    watched.goes_on(BEAT)
    watched.stuck, watched.database_away = {ANNA, BERT, "heart"}, True

    [told] = watched.goes_on(timedelta(hours=1))

    assert told == Stalled(
        cause=StallCause.DATABASE, late=2, accounts=2, silent_for=PATIENCE + BEAT
    )


def test_a_heart_that_stands_still_is_told_though_no_account_is_here_to_miss_it():
    watched = Watched()
    watched.stuck = {"heart"}

    [told] = watched.goes_on(timedelta(hours=1))

    assert isinstance(told, Stalled)
    assert told.cause is StallCause.HEART


def test_what_joins_a_stall_is_told_a_quarter_of_an_hour_later_at_the_earliest():
    watched = Watched(ANNA, BERT)
    watched.stuck = {ANNA}
    watched.goes_on(PATIENCE + 2 * BEAT)
    watched.stuck = {ANNA, BERT}

    assert watched.goes_on(timedelta(minutes=14)) == []

    [told] = watched.goes_on(timedelta(days=1))

    assert isinstance(told, Stalled)
    assert told.late == 2


def test_a_stall_of_everything_leaves_nothing_to_add_until_it_is_over():
    watched = Watched(ANNA, BERT)
    watched.stuck, watched.database_away = {ANNA, BERT, "heart"}, True
    watched.goes_on(timedelta(hours=1))
    watched.stuck, watched.database_away = {ANNA}, False

    assert watched.goes_on(timedelta(hours=1)) == []

    watched.stuck = set()
    [told] = watched.goes_on(timedelta(hours=1))

    assert isinstance(told, StallOver)
    assert told.cause is StallCause.DATABASE


def test_an_account_that_has_nothing_to_do_or_another_owner_is_not_missed():
    watched = Watched(ANNA, BERT)
    watched.stuck = {BERT}
    watched.goes_on(PATIENCE)
    watched.accounts.remove(BERT)

    assert watched.goes_on(timedelta(hours=1)) == []

    watched.accounts.append(BERT)

    assert watched.goes_on(PATIENCE) == []


@pytest.mark.parametrize("stuck", [{ANNA}, {"heart"}, {ANNA, "heart"}])
def test_a_second_stall_is_told_like_the_first(stuck: set[AccountId | str]):
    watched = Watched(ANNA)
    kinds = []
    for _ in range(2):
        watched.stuck = stuck
        kinds += [type(told) for told in watched.goes_on(timedelta(minutes=10))]
        watched.stuck = set()
        kinds += [type(told) for told in watched.goes_on(BEAT)]

    assert kinds == [Stalled, StallOver, Stalled, StallOver]


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from([ANNA, BERT, "heart"])), st.integers(1, 100)),
        max_size=8,
    )
)
def test_whatever_happens_an_end_follows_a_beginning_and_all_is_well_at_last(
    story: list[tuple[set[AccountId | str], int]],
):
    watched = Watched(ANNA, BERT)
    told: list[Told] = []
    for stuck, beats in story:
        watched.stuck = stuck
        told += watched.goes_on(BEAT * beats)
    watched.stuck = set()
    told += watched.goes_on(BEAT)
    open_stalls = 0
    for news in told:
        open_stalls = open_stalls + 1 if isinstance(news, Stalled) else 0

        assert isinstance(news, Stalled) or news.lasted > PATIENCE
    assert open_stalls == 0
