"""A stream says when to look: what it told, how far it is trusted, and how often it is asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset
from engine.domain.rebalancing.balance_confirmation import SECOND_SIGHT
from engine.domain.streams.coalescing import (
    LONGEST,
    MOST_A_MINUTE,
    MOST_AN_HOUR,
    QUIET,
    Coalescing,
)
from engine.domain.streams.events import BalanceEvent, Cause
from engine.domain.streams.key_times import (
    URGENT_AFTER,
    VALID_FOR,
    backoff,
    extension_due,
    renewal_due,
)
from engine.domain.streams.live_account import (
    BEHIND_FOR,
    SIGHT_FOR,
    TOLD_WITHIN,
    LiveAccount,
    ReadVerdict,
    Told,
)
from engine.domain.streams.seen_balances import SeenBalances
from engine.domain.streams.trust import (
    POLLS_ALONE_FOR,
    Doubt,
    StreamState,
    Trust,
    fitting_interval,
    poll_interval,
)

D = Decimal
START = datetime(2026, 11, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MNTL = Asset("MNTL")


def told(
    free: int, *, before: int, order: int, asset: Asset = USDT, at: datetime = START
) -> BalanceEvent:
    return BalanceEvent(
        asset=asset,
        free=D(free),
        locked=D(0),
        before=(D(before), D(0)),
        cause=Cause.TRADE,
        order=(order, order),
        at=at,
    )


def held(usdt: int, *, at: datetime = START) -> Holdings:
    return Holdings({USDT: Balance(D(usdt))}, at)


def test_each_event_that_follows_from_the_one_before_is_new_and_whole():
    seen = SeenBalances()
    noted = [seen.note(told(60, before=40, order=1)), seen.note(told(55, before=60, order=2))]

    assert [(one.is_new, one.is_broken) for one in noted] == [(True, False), (True, False)]


def test_an_event_that_is_missing_shows_at_the_next_one_of_its_asset():
    seen = SeenBalances()
    seen.note(told(60, before=40, order=1))

    assert not seen.note(told(5, before=0, order=3, asset=MNTL)).is_broken
    assert seen.note(told(50, before=55, order=3)).is_broken


def test_an_event_that_comes_twice_or_too_late_changes_nothing():
    seen = SeenBalances()
    seen.note(told(60, before=40, order=2))

    assert not seen.note(told(60, before=40, order=2)).is_new
    assert not seen.note(told(40, before=30, order=1)).is_new
    assert seen.last[USDT].free == 60


def test_balances_contradict_what_was_told_before_they_were_asked_for_and_nothing_later():
    seen = SeenBalances()
    seen.note(told(60, before=40, order=1))

    assert [event.asset for event in seen.contradicted(held(40), since=START)] == [USDT]
    assert seen.contradicted(held(60), since=START) == ()
    assert seen.contradicted(held(40), since=START - SECOND) == ()


def test_events_of_a_moment_are_one_check_after_some_quiet():
    events = Coalescing()
    assert events.due_at() is None
    events.event(START)
    events.event(START + QUIET / 2)

    assert events.due_at() == START + QUIET / 2 + QUIET
    events.checked(START + SECOND)
    assert events.due_at() is None


def test_events_without_an_end_are_checked_after_two_seconds():
    events = Coalescing()
    for tenth in range(100):
        events.event(START + tenth * SECOND / 10)

    assert events.due_at() == START + LONGEST


def test_a_poll_without_an_event_takes_nothing_from_what_events_may_cause():
    events = Coalescing()
    for second in range(100):
        events.checked(START + second * SECOND)
    events.event(START + 100 * SECOND)

    assert events.due_at() == START + 100 * SECOND + QUIET


@given(st.lists(st.integers(0, 60_000), min_size=100, max_size=200))
def test_whatever_happens_there_are_six_checks_a_minute_and_sixty_an_hour_at_most(
    pauses: list[int],
):
    events, now, checks = Coalescing(), START, []
    for pause in pauses:
        now += timedelta(milliseconds=pause)
        if (due := events.due_at()) is not None and due <= now:
            events.checked(now)
            checks.append(now)
        events.event(now)

    for count, span in ((MOST_A_MINUTE, MINUTE), (MOST_AN_HOUR, HOUR)):
        assert all(
            later - sooner >= span for sooner, later in zip(checks, checks[count:], strict=False)
        )


def test_a_stream_is_live_once_balances_that_were_read_agree():
    stream = Trust().opened().acknowledged()
    assert not stream.is_live
    stream = stream.agreed()
    assert (stream.state, stream.is_live) == (StreamState.PROVEN, True)
    assert stream.agreed().agreed().state is StreamState.TRUSTED


@pytest.mark.parametrize("state", [StreamState.OFF, StreamState.OPEN, StreamState.SUSPECT])
def test_agreement_proves_nothing_of_a_stream_that_is_not_subscribed(state: StreamState):
    assert Trust(state).agreed() == Trust(state)


@pytest.mark.parametrize("why", Doubt)
def test_any_doubt_leads_back_to_the_accounts_own_interval(why: Doubt):
    trusted = Trust(StreamState.TRUSTED, agreements=9)
    doubted = trusted.doubted(why, now=START)

    assert not doubted.is_live
    assert poll_interval(trusted, 2 * MINUTE, fits=HOUR) == HOUR
    assert poll_interval(doubted, 2 * MINUTE, fits=HOUR) == 2 * MINUTE


def test_only_where_an_event_is_missing_the_connection_stays():
    after = {why: Trust(StreamState.PROVEN, 1).doubted(why, now=START).state for why in Doubt}

    assert after.pop(Doubt.BROKEN) is StreamState.ACKNOWLEDGED
    assert set(after.values()) == {StreamState.SUSPECT}


def test_twice_deaf_is_a_new_key_and_four_times_in_a_day_is_polling_alone():
    stream, asked = Trust(), []
    for hour in range(4):
        stream = stream.doubted(Doubt.DEAF, now=START + hour * HOUR)
        asked.append(stream.wants_new_key)

    assert asked == [False, True, False, False]
    assert not stream.may_open(START + 3 * HOUR)
    assert stream.may_open(START + 3 * HOUR + POLLS_ALONE_FOR)


def test_being_deaf_once_a_day_is_forgotten():
    stream = Trust()
    for day in range(9):
        stream = stream.doubted(Doubt.DEAF, now=START + day * 25 * HOUR)

    assert stream.may_open(START + 9 * 25 * HOUR)
    assert not stream.wants_new_key


def test_polls_are_further_apart_with_each_agreement_as_far_as_the_address_needs():
    own, trust, seen = 2 * MINUTE, Trust().opened().acknowledged(), []
    for _ in range(4):
        seen.append(poll_interval(trust, own, fits=fitting_interval(1000)))
        trust = trust.agreed()

    assert seen == [own, 2 * own, 4 * own, fitting_interval(1000)]


@pytest.mark.parametrize(
    ("accounts", "interval"), [(180, 2 * MINUTE), (1000, 400 * SECOND * 5 / 3), (5400, HOUR)]
)
def test_up_to_180_accounts_at_two_minutes_nobody_is_polled_less_often(
    accounts: int, interval: timedelta
):
    assert fitting_interval(accounts) == interval


@given(st.integers(0, 40), st.integers(1, 86_400), st.integers(0, 100_000))
def test_nobody_is_polled_more_often_than_they_asked(agreements: int, own_s: int, accounts: int):
    own, fits = own_s * SECOND, fitting_interval(accounts)
    interval = poll_interval(Trust(StreamState.TRUSTED, agreements), own, fits=fits)

    assert own <= interval <= max(own, fits)


@given(st.integers(0, 1000))
def test_a_key_is_extended_long_before_it_ends_and_soon_again_after_a_failure(dice: int):
    due = extension_due(START, failures=0, failed_at=None, dice=dice)
    again = [
        extension_due(START, failures=count, failed_at=due, dice=dice) - due
        for count in (1, 2, 3, 9)
    ]

    assert 25 * MINUTE <= due - START <= 30 * MINUTE
    assert again == [MINUTE, 2 * MINUTE, 5 * MINUTE, 5 * MINUTE]
    assert due + sum(again[:3], timedelta()) < START + URGENT_AFTER < START + VALID_FOR
    assert 20 * HOUR <= renewal_due(START, dice=dice) - START <= 23 * HOUR


@given(st.integers(0, 99), st.integers(0, 1000))
def test_a_connection_that_fails_is_tried_again_within_a_minute_at_any_moment_of_it(
    failures: int, dice: int
):
    wait = backoff(failures, dice=dice)

    assert timedelta() <= wait <= MINUTE
    assert backoff(failures, dice=1000) == min(MINUTE, (2 ** min(failures, 9) // 2) * SECOND)


def a_live_account(*, usdt: int = 40) -> LiveAccount:
    """It is subscribed, and was read once."""
    account = LiveAccount()
    account.opened()
    account.acknowledged(START)
    assert read(account, usdt, at=START) is ReadVerdict.AGREES
    return account


def read(account: LiveAccount, usdt: int, *, at: datetime) -> ReadVerdict:
    return account.read(held(usdt, at=at), assets=[USDT, MNTL], begun=at, now=at)


def test_what_was_read_before_its_event_came_is_nothing_new():
    account = a_live_account()
    assert read(account, 60, at=START + SECOND) is ReadVerdict.AGREES

    late = told(60, before=40, order=1, at=START + 5 * SECOND)
    assert account.note(late) is Told.NOTHING
    assert not account.is_deaf(START + HOUR)
    assert not account.is_unread()


def test_a_balance_that_goes_back_to_what_was_read_is_a_change_all_the_same():
    account = a_live_account()

    assert account.note(told(60, before=40, order=1)) is Told.CHANGE
    assert account.note(told(40, before=60, order=2)) is Told.CHANGE
    assert not account.is_unread()


def test_what_was_told_and_not_read_yet_is_known_before_it_is_read():
    account = a_live_account()
    account.note(told(60, before=40, order=1))

    assert account.is_unread()
    assert account.known()[USDT] == (D(60), D(0))
    assert read(account, 60, at=START + SECOND) is ReadVerdict.AGREES
    assert not account.is_unread()


@pytest.mark.parametrize("seconds", [0, 1, 29])
def test_balances_that_lack_a_young_event_are_behind_and_are_not_remembered(seconds: int):
    account = a_live_account()
    account.note(told(60, before=40, order=1, at=START + SECOND))

    assert read(account, 40, at=START + SECOND + seconds * SECOND) is ReadVerdict.BEHIND
    assert account.is_unread()
    assert account.missed == 0


def test_after_half_a_minute_what_was_read_counts_and_the_event_was_wrong():
    account = a_live_account()
    account.note(told(60, before=40, order=1))

    assert read(account, 40, at=START + BEHIND_FOR) is ReadVerdict.DIFFERS
    assert account.missed == 1
    assert read(account, 40, at=START + BEHIND_FOR + SECOND) is ReadVerdict.AGREES


def test_events_without_an_end_hold_up_nobody_for_longer_than_half_a_minute():
    account, verdicts = a_live_account(), []
    for second in range(1, 60):
        at = START + second * SECOND
        account.note(told(100 + second, before=99 + second, order=second, at=at))
        verdicts.append(read(account, 99 + second, at=at))

    assert verdicts.index(ReadVerdict.AGREES) == BEHIND_FOR // SECOND
    assert account.missed == 0


def test_an_old_event_that_was_read_once_is_no_reason_to_doubt_what_is_read_now():
    account = a_live_account()
    account.note(told(60, before=40, order=1))
    read(account, 60, at=START + SECOND)

    assert read(account, 20, at=START + HOUR) is ReadVerdict.AGREES
    assert account.missed == 0
    assert account.note(told(20, before=60, order=2, at=START + HOUR)) is Told.NOTHING


def test_a_change_that_nobody_tells_is_missed_once_and_after_a_while():
    account = a_live_account()
    read(account, 20, at=START + SECOND)

    assert not account.is_deaf(START + SECOND)
    assert account.is_deaf(START + SECOND + TOLD_WITHIN)
    assert not account.is_deaf(START + HOUR)
    assert account.missed == 1


def test_an_event_that_came_while_balances_were_read_may_be_in_them_or_not():
    for usdt in (40, 60):
        account = a_live_account()
        account.note(told(60, before=40, order=1, at=START + 2 * SECOND))
        begun, now = START + SECOND, START + 3 * SECOND

        verdict = account.read(held(usdt), assets=[USDT], begun=begun, now=now)

        assert verdict is ReadVerdict.AGREES
        assert account.is_unread() is (usdt == 40)
        assert not account.is_deaf(START + HOUR)


def test_what_a_read_rounds_is_the_same():
    account = a_live_account()
    event = told(60, before=40, order=1)
    account.note(replace(event, free=D("60.000000000012345678")))

    assert read(account, 60, at=START + SECOND) is ReadVerdict.AGREES
    assert account.is_seen_twice(held(60), [USDT], now=START + SECOND)


def test_an_event_is_a_second_sight_of_exactly_what_it_told_and_for_a_minute():
    account = a_live_account()
    account.note(told(60, before=40, order=1))

    assert account.is_seen_twice(held(60), [USDT], now=START + SIGHT_FOR)
    assert not account.is_seen_twice(held(60), [USDT], now=START + SIGHT_FOR + SECOND)
    assert not account.is_seen_twice(held(61), [USDT], now=START)
    assert not account.is_seen_twice(held(60), [USDT, MNTL], now=START)
    assert not account.is_seen_twice(held(60), [], now=START)


@pytest.mark.parametrize("why", [why for why in Doubt if why is not Doubt.BROKEN])
def test_what_a_lost_stream_told_is_not_compared_again(why: Doubt):
    account = a_live_account()
    account.note(told(60, before=40, order=1))
    account.doubt(why, now=START)

    assert read(account, 20, at=START + SECOND) is ReadVerdict.AGREES
    assert not account.is_deaf(START + HOUR)
    assert account.trust.state is StreamState.SUSPECT


def test_a_stream_is_proven_by_what_was_read_since_it_was_subscribed():
    account = LiveAccount()
    account.opened()
    account.acknowledged(START)

    early = account.read(held(40), assets=[USDT], begun=START - SECOND, now=START)

    assert (early, account.trust.is_live) == (ReadVerdict.AGREES, False)
    read(account, 40, at=START)
    assert account.trust.is_live


def test_an_asset_that_nobody_trades_any_more_is_forgotten():
    account = a_live_account()
    account.note(told(60, before=40, order=1))
    account.keep_to([MNTL])

    assert read(account, 40, at=START + SECOND) is ReadVerdict.AGREES
    assert not account.is_unread()


def test_an_event_that_is_repeated_is_no_new_sight():
    account = a_live_account()
    event = told(60, before=40, order=1)
    account.note(event)
    for seconds in range(0, 7200, 20):
        at = START + seconds * SECOND
        account.note(replace(event, order=(1, seconds), at=at))

    assert not account.is_seen_twice(held(60), [USDT], now=START + 2 * HOUR)
    assert read(account, 40, at=START + 2 * HOUR) is ReadVerdict.DIFFERS


def test_events_without_an_end_do_not_hold_up_what_has_to_be_read_twice():
    account, verdicts = a_live_account(), []
    for second in range(120):
        at = START + second * SECOND
        account.note(told(100 + second, before=99 + second, order=second, at=at))
        verdicts.append(read(account, 99 + second, at=at))

    first = verdicts.index(ReadVerdict.AGREES)
    assert verdicts[first + SECOND_SIGHT // SECOND] is ReadVerdict.AGREES
    assert verdicts.count(ReadVerdict.BEHIND) > len(verdicts) / 2


def test_what_was_told_before_our_order_and_comes_after_it_is_over_too():
    account = a_live_account()
    account.note(told(60, before=40, order=5))
    account.over(held(40), since=START + SECOND)

    late = told(50, before=40, order=4, at=START + 2 * SECOND)
    assert account.note(late) is Told.NOTHING
    assert read(account, 40, at=START + 3 * SECOND) is ReadVerdict.AGREES
    account.doubt(Doubt.DEAF, now=START)
    assert account.note(late) is not Told.NOTHING
