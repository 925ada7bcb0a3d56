"""Which changes that a stream tells make an account due at once, and whose polls may be rare."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.deposits import WaitingDeposit
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.market.balances import Balance, Counting, Holdings
from engine.domain.market.pairs import USDT, Asset
from engine.domain.rebalancing.decision import wanted
from engine.domain.rebalancing.triggers.stream_trigger import hangs_on_balances, matters
from engine.domain.streams.events import Amounts, BalanceEvent, Cause
from engine.domain.targets.bands import Threshold
from engine.domain.targets.crash_guard import CrashGuard
from engine.domain.targets.pacing import Pacing
from engine.domain.targets.target import UsdtShare
from tests.builders import MNTL, account, decision_inputs, settings
from tests.fakes.clock import START

D = Decimal
DOGE = Asset("DOGE")
PORTFOLIO = replace(
    settings(), target=UsdtShare(D("0.4")), threshold=Threshold(relative=D("0.05"))
)


def event(
    asset: Asset, after: Amounts, *, before: Amounts, cause: Cause = Cause.TRADE
) -> BalanceEvent:
    return BalanceEvent(
        asset=asset,
        free=after[0],
        locked=after[1],
        before=before,
        cause=cause,
        order=(1, 1),
        at=START,
    )


def usdt(after: float, before: float, cause: Cause = Cause.TRADE) -> BalanceEvent:
    return event(USDT, (D(str(after)), D(0)), before=(D(str(before)), D(0)), cause=cause)


def known(told: BalanceEvent, **others: Amounts) -> Mapping[Asset, Amounts]:
    return {**{Asset(name): amounts for name, amounts in others.items()}, told.asset: told.amounts}


def told_matters(told: BalanceEvent, **changes: object) -> bool:
    return matters(account(**changes), told, known(told))


@pytest.mark.parametrize(
    ("before", "after", "does"),
    [(40, 41, False), (40, 42, False), (40, "42.01", True), (50, 41, True), (50, 49, True)],
)
def test_a_trade_by_hand_matters_where_usdt_leaves_the_band_or_is_outside(
    before: float, after: float, does: bool
):
    assert told_matters(usdt(after, before)) is does


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.TRADE])
def test_money_that_comes_or_goes_always_matters(cause: Cause):
    assert told_matters(usdt(41, 40, cause))


@pytest.mark.parametrize("cause", Cause)
def test_what_is_not_managed_never_matters(cause: Cause):
    told = event(DOGE, (D(9), D(0)), before=(D(0), D(0)), cause=cause)

    assert not told_matters(told)
    assert not told_matters(told, settings=PORTFOLIO)


def test_each_trade_of_what_a_portfolio_manages_matters():
    assert told_matters(usdt(41, 40), settings=PORTFOLIO)


def test_a_trade_matters_while_a_deposit_waits():
    waiting = WaitingDeposit(amount=D(20), until=START, question_id="q")

    assert told_matters(usdt(41, 40), waiting=waiting)


def test_tokens_that_come_matter_where_usdt_is_outside_or_not_known():
    told = event(MNTL, (D(9), D(0)), before=(D(0), D(0)))

    assert matters(account(), told, known(told))
    assert matters(account(), told, known(told, USDT=(D(20), D(0))))
    assert not matters(account(), told, known(told, USDT=(D(40), D(0))))


@pytest.mark.parametrize(
    ("mark", "after", "does"),
    [
        (LowBalanceThreshold(USDT, D(39)), 38.5, True),
        (LowBalanceThreshold(USDT, D(39)), 39.5, False),
        (LowBalanceThreshold(USDT, D(39), told=True), 38.5, False),
        (LowBalanceThreshold(USDT, D(39), told=True), 41.5, True),
        (LowBalanceThreshold(MNTL, D(39)), 38.5, False),
    ],
)
def test_a_trade_matters_where_it_crosses_a_low_balance_threshold(
    mark: LowBalanceThreshold, after: float, does: bool
):
    told = usdt(after, 40)

    assert matters(account(), told, known(told), [mark]) is does


def test_a_threshold_of_what_is_not_traded_is_watched_as_well():
    told = event(DOGE, (D(1), D(0)), before=(D(9), D(0)))

    assert matters(account(), told, known(told), [LowBalanceThreshold(DOGE, D(5))])


AMOUNT = st.decimals(0, 90, places=2)
AMOUNTS = st.tuples(AMOUNT, AMOUNT)


@given(
    before=AMOUNTS,
    after=AMOUNTS,
    other=AMOUNTS,
    asset=st.sampled_from([USDT, MNTL, DOGE]),
    counting=st.sampled_from(Counting),
    protected=st.dictionaries(st.sampled_from([USDT, MNTL]), st.decimals(1, 60, places=1)),
)
def test_an_event_that_does_not_matter_leaves_the_plan_as_it_was(
    before: Amounts,
    after: Amounts,
    other: Amounts,
    asset: Asset,
    counting: Counting,
    protected: dict[Asset, Decimal],
):
    plain = settings(counting=counting, threshold="0.5")
    wishes = replace(plain, protected=protected)
    told = event(asset, after, before=before)
    held = {USDT: other, MNTL: (D(100_000), D(0))}

    def plan(amounts: Amounts) -> object:
        balances = {a: Balance(*both) for a, both in {**held, asset: amounts}.items()}
        inputs = decision_inputs(holdings=Holdings(balances, read_at=START), settings=wishes)
        decided = wanted(inputs)
        return decided.order, decided.reason

    if not matters(account(settings=wishes), told, {**held, asset: after}):
        assert plan(after) == plan(before)


def test_polls_are_rare_only_where_balances_alone_lead_to_a_trade():
    guard = Pacing(crash_guard=CrashGuard(fall=D("0.2")))
    waiting = WaitingDeposit(amount=D(20), until=START, question_id="q")

    assert hangs_on_balances(account())
    assert not hangs_on_balances(account(settings=PORTFOLIO))
    assert not hangs_on_balances(account(settings=settings(pacing=guard)))
    assert not hangs_on_balances(account(waiting=waiting))
    assert not hangs_on_balances(account(slicing_until=START + timedelta(hours=1)))
