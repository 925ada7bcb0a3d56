"""What trades cost against the middle: its laws, a month of them, and how a phone shows it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interaction.callback_data import HistoryPage, RunCommand, decode
from bot.interaction.message import Message
from bot.views.costs import costs_view
from bot.views.trade_details import story_view
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.shortfall import Shortfall, shortfall
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, OrderType, Side
from engine.domain.orders.ledger import TopOfBook
from engine.domain.orders.order import Execution, Fees, Order, OrderState, PricedTerms
from engine.domain.profit.costs import (
    CostReckoning,
    CostReport,
    MonthCosts,
    NotKnown,
    SettledOrder,
    cost_of,
    first_month,
    settled_order,
)
from engine.domain.profit.entries import PriceLine, Prices
from tests.builders import MNTL, account, intent
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
MX = Asset("MX")
BERLIN = ZoneInfo("Europe/Berlin")
NO_COINS = Prices({})

sides = st.sampled_from(Side)
prices = st.decimals(min_value="0.0001", max_value=100, places=6)
quantities = st.decimals(min_value=0, max_value=1_000_000, places=2)
small = st.decimals(min_value=0, max_value=1, places=6)


def _of(quantity: Decimal, price: Decimal) -> Execution:
    return Execution(quantity, quantity * price)


def settled(at: datetime = START, **changes: Any) -> SettledOrder:
    """Bought 10 of 12 at 2.02, decided at 2; the middle went to 2.10."""
    values: dict[str, Any] = {
        "side": Side.BUY,
        "base": D(10),
        "quote": D("20.20"),
        "asked_base": D(12),
        "asked_quote": None,
        "mid": D(2),
        "final": D("2.10"),
        "fee": D("0.01"),
        "is_fee_known": True,
    }
    return SettledOrder(at, **(values | changes))


def filled(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "state": OrderState.FILLED,
        "execution": Execution(D(1000), D("2.01")),
        "quote_amount": D("2.01"),
        "expected_quote": D("2.01"),
        "price": D("0.002"),
        "top": TopOfBook(D("0.001999"), D("0.002001"), START),
        "fees": Fees({USDT: D("0.001")}),
        "resolved_at": START,
    }
    return intent(**(values | changes))


@given(
    sides, prices, prices, prices, prices, prices, quantities, quantities, quantities, small, small
)
def test_two_orders_cost_what_one_does_if_the_second_begins_where_the_first_ends(
    side: Side,
    arrival: Decimal,
    between: Decimal,
    final: Decimal,
    first_price: Decimal,
    second_price: Decimal,
    first: Decimal,
    second: Decimal,
    never: Decimal,
    first_fee: Decimal,
    second_fee: Decimal,
):
    rest = second + never + D("0.01")
    whole = shortfall(
        side,
        intended=first + rest,
        arrival=arrival,
        done=Execution(first + second, first * first_price + second * second_price),
        fees=first_fee + second_fee,
        final=final,
    )
    one = shortfall(
        side,
        intended=first + rest,
        arrival=arrival,
        done=_of(first, first_price),
        fees=first_fee,
        final=between,
    )
    other = shortfall(
        side,
        intended=rest,
        arrival=between,
        done=_of(second, second_price),
        fees=second_fee,
        final=final,
    )

    assert (one + other).total == whole.total


@given(sides, prices, prices, quantities.filter(bool), st.sampled_from([USDT, MNTL, MX]), small)
def test_the_cost_is_what_the_account_lost_at_the_middle(
    side: Side, mid: Decimal, price: Decimal, quantity: Decimal, coin: Asset, fee: Decimal
):
    done, mx_price = _of(quantity, price), D("2.5")
    is_buy = side is Side.BUY
    order = filled(
        side=side,
        quote_amount=done.quote_amount if is_buy else None,
        base_quantity=None if is_buy else quantity,
        execution=done,
        top=TopOfBook(mid - D("0.00001"), mid + D("0.00001"), START),
        fees=Fees({coin: fee}),
        fee_price=mx_price,
    )
    sign = 1 if is_buy else -1
    moved = {USDT: -sign * done.quote_amount, MNTL: sign * quantity, MX: ZERO}
    moved[coin] -= fee
    lost = -(moved[USDT] + moved[MNTL] * mid + moved[MX] * mx_price)

    cost = cost_of(order, NO_COINS)
    assert isinstance(cost, Shortfall)
    assert cost.done == lost


@given(
    st.lists(
        st.tuples(sides, prices, prices, st.none() | prices, quantities, quantities, small),
        max_size=8,
    )
)
def test_a_month_is_the_sum_of_its_orders(orders: list[Any]):
    reckoning = CostReckoning(UTC)
    found = []
    for side, mid, price, final, quantity, never, fee in orders:
        asked = quantity + never + D("0.01")
        done = _of(quantity, price)
        facts = {"arrival": mid, "final": final}
        found.append(shortfall(side, intended=asked, done=done, fees=fee, **facts))
        one = settled(side=side, base=quantity, quote=done.quote_amount, asked_base=asked, fee=fee)
        reckoning.take([one._replace(mid=mid, final=final)])
    report = reckoning.report()

    assert [one.sum for one in report.months] == ([reduce(add, found)] if found else [])
    assert report.without_end == sum(one[3] is None for one in orders)


def test_months_are_those_of_the_wall_and_modes_are_apart_and_weighted():
    reckoning = CostReckoning(BERLIN)
    december = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # in Berlin
    large = settled(base=D(1000), quote=D(2000), asked_base=D(1000), fee=D(1))
    small_one = settled(base=D(10), quote=D(22), asked_base=D(10), fee=ZERO)
    reckoning.take([large, small_one, settled(december, mode=ExecutionMode.MAKER)])

    newest, older = reckoning.report().months
    assert (newest.year, newest.month, newest.mode) == (2026, 12, ExecutionMode.MAKER)
    assert (older.year, older.month, older.mode, older.orders) == (
        *(2026, 11),
        *(ExecutionMode.MARKET, 2),
    )
    assert older.sum.done == 3
    assert older.sum.done_bp == D(3) / D(2020) * 10_000  # not (5 + 1000) / 2
    assert newest.sum.opportunity == D("0.2")


def test_slices_count_from_the_first_of_their_trade_and_another_trade_begins_anew():
    reckoning = CostReckoning(UTC)
    one = settled(base=D(10), asked_base=D(10), fee=ZERO)
    slices = [(1, 2, 20), (2, 3, 31), (4, 4, 40), (1, 5, 50), (2, 6, 60)]
    reckoning.take(
        one._replace(slice_number=number, mid=D(mid), quote=D(quote))
        for number, mid, quote in slices
    )
    reckoning.take([one._replace(side=Side.SELL, slice_number=3, mid=D(9), quote=D(90))])
    reckoning.take([one._replace(mid=D(2), quote=D(20))])

    [month] = reckoning.report().months
    assert month.sum.done == 0 + 11 + 20 + 0 + 10 + 0 + 0


def test_what_is_not_known_is_counted_and_never_zero():
    reckoning = CostReckoning(UTC)
    reckoning.take(
        [
            settled(mid=None),
            settled(is_fee_known=False, fee=ZERO, final=None),
            settled(base=ZERO, quote=ZERO, fee=ZERO),
        ]
    )
    report = reckoning.report()

    assert (report.without_middle, report.without_fees, report.without_end) == (1, 1, 1)
    [month] = report.months
    assert month.orders == 2
    assert month.sum.fees == D("20.20") * D("0.0005")
    assert month.sum.opportunity == D("0.1") * 12


def test_the_months_that_are_told_begin_at_midnight_on_the_wall():
    assert first_month(datetime(2026, 11, 30, tzinfo=UTC), BERLIN) == datetime(
        2026, 5, 31, 22, tzinfo=UTC
    )
    assert first_month(datetime(2027, 2, 1, tzinfo=UTC), UTC) == datetime(2026, 9, 1, tzinfo=UTC)
    assert first_month(datetime(2027, 6, 1, tzinfo=UTC), UTC) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "asked_base", "asked_quote"),
    [
        ({}, None, D("2.01")),
        ({"side": Side.SELL, "quote_amount": None, "base_quantity": D(1200)}, D(1200), None),
        (
            {
                "priced": PricedTerms(
                    order_type=OrderType.IOC,
                    price=D("0.0021"),
                    base_quantity=D(1500),
                    average=D("0.00201"),
                )
            },
            D(1500),
            D("2.01"),
        ),
    ],
    ids=["market buy", "market sell", "buy at a bound"],
)
def test_what_an_order_asked_for_is_what_it_is_measured_by(
    changes: Any, asked_base: Decimal | None, asked_quote: Decimal | None
):
    one = settled_order(filled(**changes), NO_COINS)
    assert (one.asked_base, one.asked_quote) == (asked_base, asked_quote)


def test_an_amount_that_was_not_spent_is_the_part_that_was_not_done():
    order = filled(quote_amount=D("4.01"), final_mid=D("0.003"))
    cost = cost_of(order, NO_COINS)
    assert isinstance(cost, Shortfall)
    assert cost.opportunity == D("0.001") * 1000


def test_a_coin_s_price_of_the_hour_stands_in_for_one_that_was_not_kept():
    order = filled(fees=Fees({MX: D("0.001")}))
    coins = Prices({MX: PriceLine([START - timedelta(hours=1)], [D("2.5")])})
    cost = cost_of(order, coins)
    assert isinstance(cost, Shortfall)
    assert cost.fees == D("0.0025")
    assert cost_of(order, NO_COINS) is NotKnown.FEES


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"execution": Execution(ZERO, ZERO)}, None),
        ({"top": None, "price": None}, NotKnown.MIDDLE),
        ({"top": TopOfBook(None, D("0.002"), START)}, NotKnown.MIDDLE),
        ({"fees": None}, NotKnown.FEES),
        ({"fees": Fees({USDT: D("0.001")}, complete=False)}, NotKnown.FEES),
    ],
    ids=["nothing traded", "an old order", "one side empty", "no fee yet", "a fee in part"],
)
def test_a_cost_that_is_not_known_is_not_zero(changes: Any, known: NotKnown | None):
    assert cost_of(filled(**changes), NO_COINS) is known


def test_an_order_of_before_counts_from_the_middle_that_it_saw():
    cost = cost_of(filled(top=None), NO_COINS)
    assert isinstance(cost, Shortfall)
    assert cost.execution == D("0.01")


def told(message: Message) -> str:
    return check_message(message)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, "Cost     0.01 USDT\n         0.55% from the middle"),
        (
            {"execution": Execution(D(1000), D("1.90"))},
            "Cost     -0.10 USDT\n         4.95% better than the",
        ),
        (
            {"execution": Execution(D(1000), D(2)), "fees": Fees({USDT: D("0.001")})},
            "Cost     under 0.01 USDT\n         0.05% from the middle",
        ),
        ({"fees": None}, "Cost     not known yet"),
        (
            {"top": None, "price": None},
            "Cost     not known: there is no\n         middle price",
        ),
    ],
    ids=["worse", "better", "under a cent", "fees are missing", "an old order"],
)
def test_the_story_of_a_trade_says_what_it_cost(changes: Any, lines: str):
    order = filled(**changes)
    cost = cost_of(order, NO_COINS)
    back = HistoryPage(0, 5)
    text = told(story_view(account=account(), order=order, asked_by=None, back=back, cost=cost))

    assert f"\n{lines}" in text


def _report(**changes: int) -> CostReport:
    cheap = Shortfall(D("0.40"), D("0.02"), D("0.05"), D(210), D(200))
    patient = Shortfall(D("-0.10"), ZERO, D("1.20"), D(300), D(100))
    months = [
        MonthCosts(2026, 11, ExecutionMode.AUTO, 12, cheap),
        MonthCosts(2026, 11, ExecutionMode.MAKER, 3, patient),
        MonthCosts(2026, 10, ExecutionMode.MARKET, 1, Shortfall()),
    ]
    counts = {"without_middle": 0, "without_fees": 0, "without_end": 0} | changes
    return CostReport(months, **counts)


def test_months_and_modes_stand_side_by_side():
    message = costs_view(account=account(), report=_report())
    assert told(message) == (
        "🟢 LIVE · Cost of trades\n"
        "The last 6 months, in USDT.\n"
        "            Cost       With rest\n"
        "Nov 2026\n"
        " auto       0.42  0.21%    0.22%\n"
        " maker     -0.10  -0.1%    0.37%\n"
        "Oct 2026\n"
        " market     0.00      –        –\n"
        "Cost: how much worse than the middle of the book I traded, with fees. "
        "Its percent is of what was traded.\n"
        "With rest: what was not traded counts too, by how far the price went away.\n"
        "The names are those of /execution.\n"
        "Each trade: /history, /export"
    )
    assert message.keyboard is not None
    [row] = message.keyboard.inline_keyboard
    assert [decode(str(one.callback_data)) for one in row] == [
        RunCommand("profit"),
        RunCommand("history"),
    ]


def test_large_costs_fit_a_phone():
    huge = Shortfall(D(-98_765_432), D(1), D(10), D(1), D(100_000))
    report = _report()
    told(
        costs_view(
            account=account(),
            report=replace(report, months=[replace(report.months[0], sum=huge)]),
        )
    )


@pytest.mark.parametrize("number", [1, 2])
def test_what_the_sums_lack_is_said(number: int):
    text = told(
        costs_view(
            account=account(),
            report=_report(without_middle=number, without_fees=number, without_end=number),
        )
    )
    orders = "1 order" if number == 1 else "2 orders"
    assert f"About: the fees of {orders} are not known yet. I count 0.05%." in text
    assert f"I did not see the price after {orders}." in text
    assert f"{orders} ha{'s' if number == 1 else 've'} no middle price on record." in text


def test_nothing_to_tell_is_said():
    report = CostReport((), 0, 0, 0)
    assert "No order ended in the last 6 months." in told(
        costs_view(account=account(), report=report)
    )
    old = told(costs_view(account=account(), report=replace(report, without_middle=3)))
    assert "3 orders have no middle price on record." in old
    assert "No order ended" not in old
