"""Between two polls a price calls for a check exactly where the check would have something to do."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.account import Account
from engine.domain.accounts.guard_state import GuardState
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.market.balances import Balance
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import AccountId, Trigger
from engine.domain.portfolio.plan import NoLegs, WithinSpread
from engine.domain.rebalancing.check_result import (
    BalanceSnapshot,
    CheckFailed,
    CheckResult,
    NoTrade,
    PortfolioSnapshot,
)
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.rebalancing.triggers.price_trigger import waits_for, watch_of
from engine.domain.streams.band_exits import BandExits, Bracket
from engine.domain.targets.bands import Threshold
from engine.domain.targets.crash_guard import (
    CrashGuard,
    GuardStep,
    ManagedValue,
    acts_at,
    guard_step,
)
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.outside import outside, surely_outside
from engine.domain.targets.pacing import Pacing
from engine.domain.targets.room import room, room_of_worth
from engine.domain.targets.target import Basket, Target, TokenWorth, UsdtRange, UsdtShare
from tests.builders import MNTL, account, settings
from tests.fakes.clock import START

D = Decimal
BTC, ETH = Asset("BTC"), Asset("ETH")
BTCUSDT, ETHUSDT = Symbol("BTCUSDT"), Symbol("ETHUSDT")
TENTH = Threshold(relative=D("0.1"))

# Which accounts a price leaves, beside a search of all of them.

bounds = st.decimals("1", "9", places=1)
brackets = st.tuples(bounds, bounds).map(lambda both: (min(both), max(both)))
put = st.tuples(
    st.integers(1, 6),
    st.dictionaries(st.sampled_from([BTCUSDT, ETHUSDT]), brackets, max_size=2),
)
tick = st.tuples(st.sampled_from([BTCUSDT, ETHUSDT]), bounds)


@given(st.lists(st.one_of(put, tick, st.integers(1, 6)), max_size=60))
def test_a_price_leaves_the_brackets_that_a_search_of_all_finds(steps: list[Any]):
    exits = BandExits()
    present: dict[AccountId, Mapping[Symbol, Bracket]] = {}
    for step in steps:
        if isinstance(step, int):
            exits.drop(AccountId(step))
            present.pop(AccountId(step), None)
        elif isinstance(step[0], int):
            exits.put(AccountId(step[0]), step[1])
            present.pop(AccountId(step[0]), None)
            if step[1]:
                present[AccountId(step[0])] = step[1]
        else:
            symbol, price = step
            left = {
                one
                for one, of in present.items()
                if symbol in of and not of[symbol][0] <= price <= of[symbol][1]
            }
            found = exits.left(symbol, price)

            assert len(found) == len(set(found))
            assert set(found) == left
            for one in left:
                del present[one]
    assert len(exits) == len(present)


def test_former_brackets_are_cleared():
    exits = BandExits()
    for n in range(10_000):
        exits.put(AccountId(n % 10), {BTCUSDT: (D(1), D(2) + n)})

    assert len(exits._edges[BTCUSDT].highs) < 200
    assert sorted(exits.left(BTCUSDT, D(10**6))) == [*range(10)]


class _Counted(Decimal):
    compared = 0

    def __lt__(self, other: Any) -> bool:
        type(self).compared += 1
        return super().__lt__(other)


def test_a_price_costs_those_that_it_leaves_and_no_more():
    exits = BandExits()
    for n in range(2_000):
        exits.put(AccountId(n), {BTCUSDT: (_Counted(-n), _Counted(100 + n))})
    _Counted.compared = 0

    assert exits.left(BTCUSDT, D(50)) == []
    assert _Counted.compared <= 2
    assert exits.left(BTCUSDT, D(102)) == [0, 1]
    assert _Counted.compared < 100


# How far prices may move.

TARGETS: list[Target] = [
    UsdtShare(D(25)),
    Basket.of([(BTC, 40), (ETH, 30), (USDT, 30)]),
    Basket.of([(BTC, 3), (ETH, 1)]),
    Basket(parts=((BTC, 2), (ETH, 1)), fixed_quote=D(40)),
    Basket(parts=((BTC, 0), (ETH, 1), (USDT, 1))),
    TokenWorth(BTC, D(100)),
    UsdtRange(low=D(35), high=D(50)),
]
factors = st.decimals("0.9", "1.1", places=3)


def goals_of(target: Target, threshold: Threshold = TENTH) -> Any:
    return TargetSettings(target=target, threshold=threshold, token=BTC).goals


def moved(values: Mapping[Asset, Decimal], ways: tuple[int, ...], by: Decimal) -> Any:
    tokens = [asset for asset in values if asset != USDT]
    factors = {asset: 1 + way * by for asset, way in zip(tokens, ways, strict=True)}
    return {asset: value * factors.get(asset, D(1)) for asset, value in values.items()}


@given(
    target=st.sampled_from(TARGETS),
    threshold=st.sampled_from(["0.05", "0.2"]),
    whole=st.decimals("10", "500", places=2),
    drifts=st.lists(st.one_of(st.just(D(1)), factors, st.just(D(0))), min_size=3, max_size=3),
)
def test_within_the_room_nothing_leaves_whichever_way_each_price_goes(
    target: Target, threshold: str, whole: Decimal, drifts: list[Decimal]
):
    """Beside a search of the corners: no move within the room leaves a band, and one beyond does."""
    goals = goals_of(target, Threshold(relative=D(threshold)))
    values = {
        asset: (whole / 2 if (centre := goal.at(whole).centre) is None else centre) * drift
        for (asset, goal), drift in zip(goals.by_asset.items(), drifts, strict=False)
    }
    if outside(goals, values):
        assert room(goals, values) == 0
        return
    space = room(goals, values)
    tokens = [asset for asset in values if asset != USDT]
    corners = list(product((-1, 1), repeat=len(tokens)))

    assert 0 <= space <= 1
    for ways in corners:
        for part in ("0.3", "0.999999"):
            assert not outside(goals, moved(values, ways, space * D(part)))
    if space < D("0.99"):
        beyond = space * D("1.001") + D("1e-9")
        assert any(outside(goals, moved(values, ways, beyond)) for ways in corners)


def test_the_room_of_the_worth_is_to_its_nearer_edge():
    values = {BTC: D(80), USDT: D(20)}

    assert room_of_worth(values, low=D(60), high=D(120)) == D("0.25")
    assert room_of_worth(values, low=D(60), high=D(104)) == D("0.05")
    assert room_of_worth(values, low=D(101), high=D(120)) == 0
    assert room_of_worth({USDT: D(20)}, low=D(1), high=D(100)) == 1


worth_seen = st.lists(
    st.tuples(st.decimals("1", "1000", places=2), st.decimals("0", "50", places=2)), min_size=1
)


@given(worth_seen, st.sampled_from(["0.05", "0.2", "0.5"]))
def test_the_guard_acts_at_the_worth_that_is_said_and_not_above(seen: Any, fall: str):
    guard = CrashGuard(D(fall))
    values = [
        ManagedValue(START + n * timedelta(minutes=5), before, flow)
        for n, (before, flow) in enumerate(seen)
    ]
    now = values[-1].at + timedelta(minutes=1)
    low = acts_at(guard, values, now=now)

    def step(worth: Decimal) -> GuardStep:
        after = [*values, ManagedValue(now, worth)]
        return guard_step(guard, after, acted_at=None, lifted_at=None, now=now)

    assert low is not None
    assert step(low * D("0.999")) is GuardStep.ACT
    assert step(low * D("1.001")) is GuardStep.REST


# What an account waits for.

QUOTES = {BTC: Quote(D("9.99"), D("10.01")), ETH: Quote(D("1.999"), D("2.001"))}
SHARES = Basket.of([(BTC, 40), (ETH, 30), (USDT, 30)])


def a_basket(**changes: Any) -> Account:
    wishes: dict[str, Any] = {"target": SHARES, "threshold": TENTH} | changes.pop("wishes", {})
    return account(settings=replace(settings(), **wishes), **changes)


def a_look(
    of: Account,
    verdict: Any = None,
    *,
    held: Mapping[Asset, Decimal] | None = None,
    at: datetime = START,
) -> CheckResult:
    held = held or {BTC: D(40), ETH: D(150), USDT: D(300)}
    portfolio = PortfolioSnapshot(held=held, prices={a: q.mid for a, q in QUOTES.items()})
    look = CheckResult.of(
        of.settings,
        at=at,
        trigger=Trigger.INTERVAL,
        verdict=verdict or NoTrade(InsideBand()),
        funds="key",
        portfolio=portfolio,
    )
    if of.settings.fixed is None:
        return look
    seen = BalanceSnapshot(
        symbol=of.settings.symbol,
        quote=Balance(D(30), D(10)),
        base=Balance(D(100)),
        held=D(40),
    )
    return replace(look, portfolio=None, seen=seen)


def test_a_basket_waits_for_its_tokens_and_a_fixed_amount_for_none():
    assert waits_for(a_basket()) == {BTC, ETH}
    assert waits_for(account()) == frozenset()
    guarded = account(settings=settings(pacing=Pacing(crash_guard=CrashGuard(D("0.2")))))
    assert waits_for(guarded) == {MNTL}
    watch = watch_of(account(), a_look(account()), {}, now=START)
    assert watch is not None
    assert watch.tokens == ()


@given(
    btc=st.decimals("5", "20", places=3),
    eth=st.decimals("1", "4", places=4),
    spread=st.decimals("0.0001", "0.1", places=4),
)
def test_prices_call_for_a_check_where_something_is_surely_outside(
    btc: Decimal, eth: Decimal, spread: Decimal
):
    """And then one of the middle prices has left its bracket."""
    watch = watch_of(a_basket(), a_look(a_basket()), QUOTES, now=START)
    assert watch is not None
    quotes = {
        asset: Quote(mid * (1 - spread), mid * (1 + spread))
        for asset, mid in ((BTC, btc), (ETH, eth))
    }
    edges = watch.brackets(QUOTES)
    is_inside = all(low <= quotes[a].mid <= high for a, (low, high) in edges.items())
    goals = a_basket().targeting.goals
    calls = bool(surely_outside(goals, a_look(a_basket()).portfolio.held, quotes))  # type: ignore[union-attr]

    assert watch.calls(quotes) is calls
    assert not (calls and is_inside)


def test_a_crash_guard_calls_at_its_fall_and_at_a_new_height():
    guarded = replace(
        account(settings=settings(pacing=Pacing(crash_guard=CrashGuard(D("0.2"))))),
        guard=GuardState(values=(ManagedValue(START - timedelta(hours=1), D(240)),)),
    )
    at_two = {MNTL: Quote(D("1.99"), D("2.01"))}
    watch = watch_of(guarded, a_look(guarded), at_two, now=START)
    assert watch is not None

    def calls(price: str) -> bool:
        return watch.calls({MNTL: Quote(D(price), D(price) + D("0.0001"))})

    # 40 USDT and 100 tokens are worth 240: the guard acts at 192, and notes what is above 244.80.
    assert [calls(p) for p in ("1.53", "1.5198", "2.047", "2.049")] == [False, True, False, True]


@pytest.mark.parametrize(
    "verdict",
    [
        CheckFailed(IncidentKind.INTERNAL, ""),
        NoTrade(NoLegs({})),
        NoTrade(WithinSpread((BTC,))),
    ],
)
def test_only_after_a_check_that_found_all_inside_prices_are_enough(verdict: Any):
    watch = watch_of(a_basket(), a_look(a_basket(), verdict), QUOTES, now=START)

    assert (watch is not None) is isinstance(getattr(verdict, "reason", None), WithinSpread)


@pytest.mark.parametrize(
    "changed",
    [
        a_basket(slicing_until=START),
        a_basket(wishes={"scaled": True}),
        a_basket(
            wishes={"pacing": Pacing(crash_guard=CrashGuard(D("0.2")))},
            guard=GuardState(acted_at=START),
        ),
    ],
)
def test_time_and_what_is_not_known_are_left_to_polls(changed: Account):
    assert watch_of(changed, a_look(changed), QUOTES, now=START) is None
