"""The report of an account with several tokens, against plain books in fractions."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.profit.entries import (
    Doubt,
    FlowKind,
    PairChange,
    PriceLine,
    Prices,
    Trade,
)
from engine.domain.profit.report import ProfitReport, profit
from engine.domain.profit.steps import Held
from tests.fakes.clock import START
from tests.unit.profits import bought, moved, sold

D = Decimal
HOUR = timedelta(hours=1)
BTC, ETH, MNTL, MX, DOGE = map(Asset, ("BTC", "ETH", "MNTL", "MX", "DOGE"))
TOKENS = (BTC, ETH, MNTL, DOGE)
LENGTH = 20
UNTIL = START + LENGTH * HOUR
NOTHING: Mapping[Asset, Fraction] = dict.fromkeys((USDT, *TOKENS, MX), Fraction(0))


def lines(chance: random.Random) -> dict[Asset, PriceLine]:
    """A price an hour; of a thin token some hours have none."""
    found = {}
    for asset, first in zip((*TOKENS, MX), (5000, 400, 20, 7, 250), strict=True):
        cents = [first]
        for _ in range(LENGTH):
            cents.append(max(1, cents[-1] + chance.randint(-first // 10 - 1, first // 10 + 1)))
        hours = [n for n in range(LENGTH + 1) if n == 0 or asset != DOGE or chance.random() < 0.5]
        found[asset] = PriceLine(
            [START + n * HOUR for n in hours], [D(cents[n]) / 100 for n in hours]
        )
    return found


@dataclass
class Naive:
    """An account in fractions: what is there, what is known of it, and what had only been held."""

    prices: Mapping[Asset, PriceLine]
    target: list[Asset]
    there: dict[Asset, Fraction] = field(default_factory=lambda: dict(NOTHING))
    known: dict[Asset, Fraction] = field(default_factory=lambda: dict(NOTHING))
    held: dict[Asset, Fraction] = field(default_factory=lambda: dict(NOTHING))
    start: Fraction = Fraction(0)
    is_ever_empty: bool = False
    deposits: Fraction = Fraction(0)
    fee_flows: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)
    turnover: Fraction = Fraction(0)
    factors: list[Fraction] = field(default_factory=lambda: [Fraction(1), Fraction(1)])
    after: list[Fraction] = field(default_factory=list)

    def price(self, asset: Asset, at: datetime) -> Fraction:
        price = Decimal(1) if asset == USDT else self.prices[asset].at(at)
        assert price is not None
        return Fraction(price)

    def worths(self, at: datetime) -> list[Fraction]:
        """Of the account, and of what had only been held."""
        mine = (USDT, *self.target)
        return [
            sum((books[asset] * self.price(asset, at) for asset in mine), Fraction(0))
            for books in (self.known, self.held)
        ]

    def begin(self) -> None:
        self.known |= {asset: self.there[asset] for asset in (USDT, *self.target)}
        self.held = dict(self.known)
        self.after = self.worths(START)
        self.start = self.after[0]

    def flow(self, at: datetime, asset: Asset, units: Fraction, *, is_fee: bool = False) -> None:
        if not units:
            return
        worth = units * self.price(asset, at)
        before = self.worths(at)
        self.is_ever_empty |= min(self.after) <= 0
        self.factors = [
            factor * (value / last)
            for factor, value, last in zip(self.factors, before, self.after, strict=True)
        ]
        self.known[asset] += units
        self.held[asset] += units
        self.after = [value + worth for value in before]
        if is_fee:
            self.fee_flows += worth
        else:
            self.deposits += worth

    def read(self, at: datetime, *assets: Asset) -> None:
        for asset in assets:
            self.flow(at, asset, self.there[asset] - self.known[asset])

    def trade(
        self, at: datetime, asset: Asset, units: Fraction, quote: Fraction, paid: Any
    ) -> None:
        """Buys, or sells where both are below zero."""
        fee_asset, fee = paid
        worth = fee * self.price(fee_asset, at)
        is_outside = fee_asset not in (USDT, *self.target)
        if fee_asset not in (USDT, asset):
            self.flow(at, USDT, worth, is_fee=True)
        for books in (self.known, self.there):
            books[asset] += units
            books[USDT] -= quote
            if fee_asset in (USDT, asset):
                books[fee_asset] -= fee
        if fee_asset not in (USDT, asset):
            self.known[USDT] -= worth
            self.there[fee_asset] -= fee
            if not is_outside:
                self.flow(at, fee_asset, -fee, is_fee=True)
        self.turnover += abs(quote)
        in_base = abs(quote) / abs(units) * fee if fee_asset == asset else worth
        self.fees += in_base

    def retarget(self, at: datetime, target: list[Asset]) -> Mapping[Asset, Decimal]:
        joined = {}
        for asset in [one for one in target if one not in self.target]:
            self.target.append(asset)
            self.flow(at, asset, self.there[asset])
            joined[asset] = exact(self.there[asset])
        for asset in [one for one in self.target if one not in target]:
            self.flow(at, asset, -self.known[asset])
            self.held[USDT] += self.held[asset] * self.price(asset, at)
            self.held[asset] = Fraction(0)
            self.target.remove(asset)
        return joined


def exact(amount: Fraction) -> Decimal:
    return Decimal(amount.numerator) / Decimal(amount.denominator)


def same(amount: Decimal, expected: Fraction) -> None:
    assert abs(Fraction(amount) - expected) < Fraction(1, 10**15), (amount, float(expected))


def played(chance: random.Random) -> tuple[Naive, list[Any], Held]:
    """A day of deposits, trades, and other targets; with the events that the account stored."""
    naive = Naive(lines(chance), chance.sample(TOKENS, chance.randint(2, 4)))
    for asset in (*TOKENS, MX):
        naive.there[asset] = Fraction(chance.randint(100, 900))
    naive.there[USDT] = Fraction(5000)
    naive.begin()
    opening = held(naive)
    events: list[Any] = []
    for minute in sorted(chance.sample(range(1, LENGTH * 60), chance.randint(1, 14))):
        at = START + timedelta(minutes=minute)
        match chance.choice(["trade"] * 4 + ["in", "unseen", "target", "visit"]):
            case "in":
                asset = chance.choice([USDT, *naive.target])
                naive.read(at, asset)
                before = naive.there[asset]
                naive.there[asset] += chance.randint(-50, 200)
                naive.read(at, asset)
                price = None if asset == USDT else exact(naive.price(asset, at))
                events.append(moved(at, asset, exact(before), exact(naive.there[asset]), price))
            case "unseen":
                naive.there[chance.choice([USDT, *naive.target])] += chance.randint(1, 90)
            case "target":
                target = chance.sample(TOKENS, chance.randint(2, 4))
                joined = naive.retarget(at, target)
                events.append(PairChange(at, target[0], tuple(target[1:]), joined))
            case kind:
                others = [one for one in TOKENS if one not in naive.target]
                is_visit = kind == "visit" and bool(others)
                asset = chance.choice(others if is_visit else naive.target)
                events.append(traded(naive, at, asset, chance, is_visit=is_visit))
    return naive, events, opening


def traded(
    naive: Naive, at: datetime, asset: Asset, chance: random.Random, *, is_visit: bool
) -> Trade:
    naive.read(at, USDT)
    target = list(naive.target)
    if is_visit:
        naive.retarget(at, [*target, asset])
    naive.read(at, asset)
    before = exact(naive.there[USDT]), exact(naive.there[asset])
    price, sign = naive.price(asset, at), chance.choice([1, -1])
    units = Fraction(chance.randint(1, 40))
    quote = units * price * Fraction(1000 + sign * chance.randint(0, 5), 1000)
    fee_asset = chance.choice([USDT, asset, MX, *target])
    fee = quote / 2000 / naive.price(fee_asset, at)
    fee = Fraction(exact(fee).quantize(D("0.000001")))
    naive.trade(at, asset, sign * units, sign * quote, (fee_asset, fee))
    if is_visit:
        naive.retarget(at, target)
    event = bought if sign > 0 else sold
    return event(
        at,
        exact(units),
        exact(quote),
        before=before,
        fees={fee_asset: exact(fee)},
        price=exact(price),
        symbol=Symbol(asset + USDT),
    )


def held(naive: Naive) -> Held:
    first, *others = naive.target
    units = {asset: exact(naive.there[asset]) for asset in naive.target}
    return Held(
        first, exact(naive.there[USDT]), units[first], {asset: units[asset] for asset in others}
    )


def reported(naive: Naive, events: list[Any], opening: Held) -> ProfitReport:
    report = profit(
        events,
        now=held(naive),
        prices=Prices(naive.prices),
        since=START,
        until=UNTIL,
        opening=opening,
    )
    assert report is not None
    return report


@given(st.randoms(use_true_random=False))
def test_a_basket_agrees_with_plain_books_in_every_figure(chance: random.Random):
    naive, events, opening = played(chance)
    report = reported(naive, events, opening)
    naive.read(UNTIL, USDT, *naive.target)

    now, only_held = naive.worths(UNTIL)
    same(report.start, naive.start)
    same(report.now, now)
    same(report.held, only_held)
    same(report.deposits, naive.deposits)
    same(report.fee_flows, naive.fee_flows)
    same(report.turnover, naive.turnover)
    same(report.fees, naive.fees)
    same(report.brought, sum((Fraction(one.brought) for one in report.trades), Fraction(0)))
    flows = report.deposits + report.fee_flows
    assert report.start + flows + report.made == report.now
    if (
        naive.is_ever_empty or min(naive.after) <= 0
    ):  # who only holds may owe for a token that left
        return
    assert report.returned is not None
    assert report.held_returned is not None
    for returned, factor, value, last in zip(
        (report.returned, report.held_returned),
        naive.factors,
        (now, only_held),
        naive.after,
        strict=True,
    ):
        same(returned, factor * (value / last) - 1)
    assert {asset: units for asset, (units, _) in report.holdings.items()} == {
        asset: exact(naive.there[asset]) for asset in (USDT, *naive.target)
    }


def test_a_token_without_a_price_for_a_day_counts_at_its_last_one_and_makes_no_points():
    hours = [START + n * HOUR for n in range(73)]
    prices = {
        BTC: PriceLine(hours, [D(50)] * 73),
        ETH: PriceLine([*hours[:2], hours[60]], [D(4), D(5), D(6)]),
    }
    both = Held(BTC, D(100), D(2), {ETH: D(10)})

    def told(until: datetime) -> ProfitReport:
        found = profit([], now=both, prices=Prices(prices), since=START, until=until, opening=both)
        assert found is not None
        return found

    day, thin = told(hours[24]), told(hours[59])
    assert [day.start, day.now, len(day.points)] == [240, 250, 25]
    assert day.doubts == frozenset()
    assert [thin.now, len(thin.points)] == [250, 27]  # up to an hour and a day, and the end
    assert thin.doubts == {Doubt.PRICE_OLD}
    assert told(hours[72]).now == 260


def test_without_any_price_of_one_token_there_is_no_report():
    both = Held(BTC, D(100), D(2), {ETH: D(10)})
    prices = Prices({BTC: PriceLine([START], [D(50)])})

    def told(held: Held) -> ProfitReport | None:
        return profit([], now=held, prices=prices, since=START, until=UNTIL, opening=held)

    assert told(both) is None
    assert told(Held(BTC, D(100), D(2), {ETH: D(0)})) is not None


def test_a_fee_in_a_coin_of_the_basket_is_no_deposit_and_nothing_unexplained():
    mx = {MX: PriceLine([START], [D(2)]), BTC: PriceLine([START], [D(50)])}
    opening = Held(BTC, D(100), D(2), {MX: D(10)})
    at = START + HOUR
    trade = bought(
        at, 1, 50, before=(100, 2), fees={"MX": "0.0125"}, price=50, symbol=Symbol("BTCUSDT")
    )
    now = Held(BTC, D(50), D(3), {MX: D("9.9875")})
    found = profit([trade], now=now, prices=Prices(mx), since=START, until=UNTIL, opening=opening)

    assert found is not None
    assert (found.made, found.brought, found.fees) == (D("-0.025"), D("-0.025"), D("0.025"))
    assert found.deposits == found.fee_flows == 0
    assert found.doubts == frozenset()
    assert {flow.kind for flow in found.flows} == {FlowKind.FEE}
