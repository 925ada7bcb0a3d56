"""When a drift is offered: once a drift, again when it changed, and never in a flood."""

import itertools
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.market.pairs import Symbol
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.approval import (
    QUIET,
    ApprovalRequest,
    ApprovalState,
    ApprovalStep,
    lasts_until,
    step,
)
from engine.domain.rebalancing.order_factory import create_order
from engine.domain.rebalancing.planner import MarketBuy, MarketSell, ProposedOrder
from engine.domain.rebalancing.run_request import RunRequest
from tests import builders
from tests.fakes.clock import START

D = Decimal
PATIENCE = timedelta(seconds=90)
SECOND, INTERVAL = timedelta(seconds=1), timedelta(seconds=120)
BUY = MarketBuy(D("17.10"), D(8550))


def asked(autonomy: TradingMode = TradingMode.ASK, **changes: Any) -> Account:
    wishes = changes.pop("settings", {})
    settings = builders.settings(autonomy=autonomy, **wishes)
    return builders.account(settings=settings, **changes)


def offer(account: Account, order: ProposedOrder = BUY, **changes: Any) -> ApprovalRequest:
    made = ApprovalRequest.of(order, account, offer_id="o-1", now=START, patience=PATIENCE)
    return replace(made, standing=changes.pop("standing", ApprovalState.OPEN), since=START)


def after(
    duration: timedelta, last: ApprovalRequest | None, account: Account, order: ProposedOrder = BUY
) -> ApprovalStep:
    return step(last, order, account, now=START + duration, patience=PATIENCE)


def test_a_first_drift_is_offered():
    assert after(timedelta(), None, asked()) is ApprovalStep.NEW


def test_the_same_drift_keeps_its_card_while_the_checks_go_on():
    account = asked()
    last = offer(account)
    for n in range(1, 100):
        now = START + n * INTERVAL
        assert step(last, BUY, account, now=now, patience=PATIENCE) is ApprovalStep.KEEP
        last = replace(last, expires_at=lasts_until(account, now=now, patience=PATIENCE))


def test_a_card_that_nobody_answers_is_shown_again_after_hours():
    account = asked()
    last = replace(offer(account), expires_at=START + timedelta(days=1))

    assert after(timedelta(hours=6) - SECOND, last, account) is ApprovalStep.KEEP
    assert after(timedelta(hours=6), last, account) is ApprovalStep.NEW


@pytest.mark.parametrize(
    "order",
    [MarketBuy(D("18.20"), D(9100)), MarketSell(D(8550), D("17.10"))],
    ids=["another amount", "another side"],
)
def test_a_plan_that_the_shown_card_would_not_cover_is_offered_anew_in_its_time(
    order: ProposedOrder,
):
    account = asked()

    assert after(INTERVAL - SECOND, offer(account), account, order) is ApprovalStep.WAIT
    assert after(INTERVAL, offer(account), account, order) is ApprovalStep.NEW


def test_a_card_that_ran_out_is_replaced():
    account = asked()

    assert after(INTERVAL + PATIENCE, offer(account), account) is ApprovalStep.KEEP
    assert after(INTERVAL + PATIENCE + SECOND, offer(account), account) is ApprovalStep.NEW


def test_a_change_by_a_person_makes_another_card_at_once():
    assert after(SECOND, offer(asked()), asked(version=2)) is ApprovalStep.NEW


def test_what_was_skipped_stays_so_for_an_hour_or_until_it_changes():
    account = asked()
    skipped = offer(account, standing=ApprovalState.SKIPPED)

    assert after(QUIET - SECOND, skipped, account) is ApprovalStep.WAIT
    assert after(QUIET, skipped, account) is ApprovalStep.NEW
    assert after(SECOND, skipped, account, MarketBuy(D("18.80"), D(9400))) is ApprovalStep.WAIT
    assert after(SECOND, skipped, account, MarketBuy(D("18.82"), D(9400))) is ApprovalStep.NEW
    assert after(SECOND, skipped, account, MarketSell(D(8550), D("17.10"))) is ApprovalStep.NEW
    # Another interval or target is not another drift.
    assert after(SECOND, skipped, asked(version=2)) is ApprovalStep.WAIT


def test_a_traded_offer_stands_in_nobodys_way():
    account = asked()

    assert after(SECOND, offer(account, standing=ApprovalState.TAKEN), account) is ApprovalStep.NEW


def test_a_balance_at_the_edge_of_its_band_is_asked_about_no_more_than_once_an_interval():
    account = asked()
    over = offer(account, standing=ApprovalState.OVER)

    assert after(INTERVAL - SECOND, over, account) is ApprovalStep.WAIT
    assert after(INTERVAL, over, account) is ApprovalStep.NEW


@pytest.mark.parametrize(
    "changed",
    [
        asked(TradingMode.NOTIFY),
        asked(settings={"symbol": Symbol("ABCUSDT")}),
        asked(settings={"dry_run": True}),
    ],
    ids=["mode", "pair", "kind of money"],
)
def test_another_mode_pair_or_kind_of_money_is_another_drift(changed: Account):
    skipped = offer(asked(), standing=ApprovalState.SKIPPED)

    assert after(SECOND, skipped, changed) is ApprovalStep.NEW


def test_one_is_told_once_a_drift():
    account = asked(TradingMode.NOTIFY)
    told = offer(account)

    assert after(timedelta(days=30), told, account) is ApprovalStep.WAIT
    assert after(INTERVAL, told, account, MarketBuy(D(30), D(15000))) is ApprovalStep.NEW
    assert after(SECOND, told, account, MarketBuy(D(30), D(15000))) is ApprovalStep.WAIT


def test_the_same_drift_once_more_is_told_after_an_hour():
    account = asked(TradingMode.NOTIFY)
    over = offer(account, standing=ApprovalState.OVER)

    assert after(QUIET - SECOND, over, account) is ApprovalStep.WAIT
    assert after(QUIET, over, account) is ApprovalStep.NEW


def test_nobody_is_asked_before_they_want_to_be():
    account = asked(not_before=START + QUIET)

    assert after(QUIET - SECOND, None, account) is ApprovalStep.WAIT
    assert after(QUIET, None, account) is ApprovalStep.NEW


orders: st.SearchStrategy[ProposedOrder] = st.one_of(
    st.builds(MarketBuy, st.decimals("0.01", 10_000, places=2), st.just(D(1))),
    st.builds(MarketSell, st.just(D(1)), st.decimals("0.01", 10_000, places=2)),
)


@given(orders, orders, st.sampled_from(ApprovalState), st.integers(0, 100_000))
def test_a_card_that_is_kept_trades_what_is_due(
    shown: ProposedOrder, due: ProposedOrder, standing: ApprovalState, seconds: int
):
    account = asked()
    shown_until = START + timedelta(days=2)
    last = replace(offer(account, shown, standing=standing), expires_at=shown_until)
    now = START + timedelta(seconds=seconds)

    if step(last, due, account, now=now, patience=PATIENCE) is ApprovalStep.KEEP:
        tap = RunRequest(last.id, last.side, last.expected_quote, now)
        assert tap.covers(due, now=now)


@given(st.lists(st.tuples(st.integers(1, 300), orders), max_size=60), st.sampled_from(TradingMode))
def test_whatever_the_balance_does_two_cards_are_an_interval_apart(
    checks: list[tuple[int, ProposedOrder]], autonomy: TradingMode
):
    """Unless a person did something between them, which nobody does here."""
    account = asked(TradingMode.ASK if autonomy is TradingMode.AUTO else autonomy)
    last, now, cards = None, START, []
    for seconds, order in checks:
        now += timedelta(seconds=seconds)
        match step(last, order, account, now=now, patience=PATIENCE):
            case ApprovalStep.NEW:
                last = ApprovalRequest.of(order, account, offer_id="o", now=now, patience=PATIENCE)
                cards.append(now)
            case ApprovalStep.KEEP if last is not None:
                last = replace(last, expires_at=lasts_until(account, now=now, patience=PATIENCE))
            case _:
                pass

    gaps = [later - earlier for earlier, later in itertools.pairwise(cards)]
    assert all(gap >= INTERVAL for gap in gaps)


@pytest.mark.parametrize("autonomy", [TradingMode.ASK, TradingMode.NOTIFY])
def test_an_order_that_only_the_interval_wants_is_not_even_written_down(autonomy: TradingMode):
    with pytest.raises(ValueError, match="only if a person says so"):
        create_order(
            asked(autonomy),
            BUY,
            run_id="1-1",
            inputs=builders.decision_inputs(),
            fence=1,
            trigger=Trigger.INTERVAL,
            attempt=1,
            now=START,
        )
