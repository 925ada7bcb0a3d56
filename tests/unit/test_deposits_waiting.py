"""What waits of a deposit: never more than arrived and was not traded, never negative."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.deposits import (
    DepositChoice,
    DepositRule,
    WaitingDeposit,
    held_back,
    still_waiting,
    waiting_with,
)
from engine.domain.market.decimals import CENT, ZERO
from engine.domain.rebalancing.planner import (
    DepositWaits,
    InsideBand,
    MarketBuy,
    ProposedOrder,
    at_rest,
)
from engine.domain.rebalancing.planner import plan as decide
from tests.builders import book, holdings, rules, settings
from tests.fakes.clock import START

D = Decimal
SETTINGS = settings()
FORTY = Decimal(40)
cents = st.integers(1, 20_000).map(lambda n: Decimal(n) / 100)


def waits(amount: str | int | Decimal) -> WaitingDeposit:
    return WaitingDeposit(amount=D(amount), until=START + timedelta(minutes=15), question_id="q")


@dataclass
class Purse:
    """USDT of an account, as checks see it. *owed* is what arrived and was not traded: what leaves
    by other hands is taken from it first, what we trade only once nothing else is over the target.
    """

    total: Decimal = FORTY
    seen: Decimal = FORTY
    target: Decimal = FORTY
    owed: Decimal = ZERO
    waiting: WaitingDeposit | None = None
    bought: list[Decimal] = field(default_factory=list)

    def check(self) -> None:
        change = self.total - self.seen
        arrived, fell = max(change, ZERO), max(-change, ZERO)
        self.owed = max(ZERO, self.owed + arrived - fell)
        rest = still_waiting(self.waiting, total=self.total, target=self.target, fell=fell)
        amount = waiting_with(rest, arrived=arrived, total=self.total, target=self.target)
        self.waiting = rest if amount < CENT else waits(amount)
        decided = self.plan()
        if isinstance(decided, MarketBuy):
            self.bought.append(decided.quote_amount)
            self.total -= decided.quote_amount
        elif decided is not None:
            self.total += decided.expected_quote
        self.seen = self.total

    def plan(self) -> ProposedOrder | None:
        return decide(
            holdings=holdings(usdt=self.total, mntl=10_000_000),
            settings=settings(target=self.target),
            rules=rules(),
            book=book(),
            waiting=self.waiting,
        ).order

    def person_buys(self, amount: Decimal) -> None:
        """By an order of ours that a person confirmed."""
        amount = min(amount, self.total)
        self.total -= amount
        self.seen = max(ZERO, self.seen - amount)
        self.owed = min(self.owed, max(ZERO, self.total - self.target))


moves = st.one_of(
    st.tuples(st.just("deposit"), cents),
    st.tuples(st.just("withdraw"), cents),
    st.tuples(st.just("buy"), cents),
    st.tuples(st.just("target"), cents),
    st.tuples(st.just("check"), st.just(ZERO)),
)


@given(st.lists(moves, max_size=25))
def test_what_waits_is_never_more_than_arrived_and_was_not_traded_nor_negative(
    story: list[tuple[str, Decimal]],
):
    purse = Purse()
    for what, amount in story:
        match what:
            case "deposit":
                purse.total += amount
            case "withdraw":
                purse.total = max(ZERO, purse.total - amount)
            case "buy":
                purse.check()
                purse.person_buys(amount)
            case "target":
                purse.target = amount
            case _:
                pass
        purse.check()
        left = purse.waiting.amount if purse.waiting else ZERO
        held = held_back(purse.total, target=purse.target, waiting=purse.waiting)

        assert ZERO <= left <= purse.owed
        assert ZERO <= held <= max(ZERO, purse.total - purse.target)


@given(cents, cents)
def test_a_trade_of_ours_leaves_what_waits(arrived: Decimal, over: Decimal):
    purse = Purse(total=D(40) + over, seen=D(40) + over)
    purse.total += arrived
    purse.check()

    if purse.bought:
        assert purse.total >= purse.target
        assert purse.total - purse.target >= min(arrived, purse.total - purse.target)
        assert sum(purse.bought) <= over


@pytest.mark.parametrize(
    ("usdt", "amount", "reason"),
    [
        ("140", "100", DepositWaits(D(100), START + timedelta(minutes=15))),
        ("141.50", "100", DepositWaits(D(100), START + timedelta(minutes=15))),
        ("41", "1", InsideBand()),
        ("160", "100", None),
        ("20", "100", None),
    ],
)
def test_at_rest_means_that_nothing_else_is_out_of_the_band(
    usdt: str, amount: str, reason: object
):
    assert at_rest(holdings(usdt=usdt), SETTINGS, waits(amount)) == reason


def test_a_wait_is_between_a_minute_and_a_day():
    for wait in (timedelta(seconds=59), timedelta(days=1, seconds=1)):
        with pytest.raises(ValueError, match="waits from"):
            DepositRule(DepositChoice.WAIT, wait)


@pytest.mark.parametrize("amount", ["0", "-5", "NaN", "Infinity"])
def test_only_a_finite_amount_above_zero_can_wait(amount: str):
    with pytest.raises(ValueError, match="a deposit cannot be"):
        waits(amount)


def test_a_wait_is_over_at_its_end():
    waiting = waits(10)

    assert waiting.is_over(waiting.until)
    assert not waiting.is_over(waiting.until - timedelta(seconds=1))


def test_less_than_a_cent_does_not_wait():
    assert still_waiting(waits("10"), total=D("40.009"), target=D(40)) is None
    assert still_waiting(waits("10"), total=D(45), target=D(40)) == waits(5)
