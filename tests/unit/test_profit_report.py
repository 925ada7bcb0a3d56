"""The report of a span: a played month by an independent calculation, and laws of any account."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.flows import Correction
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.profit.corrections import movements
from engine.domain.profit.entries import (
    Change,
    Doubt,
    FlowKind,
    PairChange,
    PriceLine,
    Prices,
    Trade,
)
from engine.domain.profit.points import MOST_POINTS
from engine.domain.profit.report import ProfitReport, profit
from engine.domain.profit.steps import Held
from engine.domain.profit.worths import MOST_TRADES
from tests.builders import MNTL
from tests.fakes.clock import START
from tests.unit.profits import bought, moved, sold

MX, OTHER = Asset("MX"), Asset("OTHER")
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_UNTIL = START + 30 * _DAY


def _line(prices: dict[datetime, str]) -> PriceLine:
    return PriceLine(sorted(prices), [Decimal(prices[at]) for at in sorted(prices)])


def _report(events: list[Any], **facts: Any) -> ProfitReport:
    values: dict[str, Any] = {
        "prices": Prices({MNTL: _line({START: "0.002", _UNTIL: "0.0025"})}),
        "since": START,
        "until": _UNTIL,
    } | facts
    quote, base = values.pop("now")
    now = Held(values.pop("asset", MNTL), Decimal(quote), Decimal(base))
    report = profit(events, now=now, **values)
    assert report is not None
    return report


def _exact(amount: Fraction) -> Decimal:
    return Decimal(amount.numerator) / Decimal(amount.denominator)


def _cents(amount: Decimal | Fraction) -> Decimal:
    return round(_exact(Fraction(amount)), 2)


def _wave(hour: int) -> Decimal:
    """The price of an hour: a slow rise with a daily swing, exact."""
    return Decimal(2_000 + hour // 3 + abs(hour % 24 - 12) * 5).scaleb(-6)


def test_a_played_month_agrees_with_an_independent_calculation_to_the_cent() -> None:  # noqa: PLR0915 - one month
    """Deposits, withdrawals, fees in three assets, two days without prices, an order by hand."""
    gap = range(10 * 24 + 1, 12 * 24 + 1)
    hours = [hour for hour in range(30 * 24 + 1) if hour not in gap]
    closes = {START + hour * _HOUR: _wave(hour) for hour in hours}
    line = PriceLine([*closes], [*closes.values()])
    mx = _line({START: "2.50"})
    story: list[tuple[int, str, str, str, dict[str, str]]] = [
        # day, what, units of MNTL, USDT, fees
        (1, "buy", "8100", "16.30", {"USDT": "0.00815"}),
        (3, "in", "0", "100", {}),
        (3, "buy", "48000", "97.50", {"MX": "0.0195"}),
        (6, "sell", "9000", "19.10", {"USDT": "0.00955"}),
        (8, "out", "0", "25.5", {}),
        (9, "by hand", "3000", "6.60", {}),  # an open order by hand, filled: tokens for USDT
        (13, "buy", "5000", "11.05", {"MNTL": "2.5"}),
        (17, "token in", "4000", "0", {}),
        (21, "sell", "7700", "16.99", {"MX": "0.0034"}),
        (26, "buy", "1200", "2.77", {"USDT": "0.001385"}),
    ]
    quote, base = Decimal("57.10"), Decimal(90_000)
    # The independent calculation: plain books in fractions, no code of the program.
    books = {
        "q": Fraction(quote),
        "b": Fraction(base),
        "hq": Fraction(quote),
        "hb": Fraction(base),
    }
    events: list[Trade | Change] = []
    deposits = mx_fees = fees = turnover = Fraction(0)
    factors = [Fraction(1)]

    def worth(at: int) -> Fraction:
        return books["q"] + books["b"] * price(at)

    def price(at: int) -> Fraction:
        return Fraction(_wave(max(hour for hour in hours if hour <= at)))

    last_value = first_value = worth(0)
    for day, what, units_text, usdt_text, paid in story:
        hour, at = day * 24 + 6, START + (day * 24 + 6) * _HOUR
        units, usdt = Fraction(units_text), Fraction(usdt_text)
        before = (quote, base)
        if what in {"buy", "sell"}:
            sign = 1 if what == "buy" else -1
            event = bought if what == "buy" else sold
            events.append(
                event(at, units_text, usdt_text, before=before, fees=paid, price=str(_wave(hour)))
            )
            in_usdt, in_mntl, in_mx = (
                Fraction(paid.get(asset, "0")) for asset in ("USDT", "MNTL", "MX")
            )
            turnover += usdt
            outside = in_mx * Fraction(5, 2)
            mx_fees += outside
            fees += in_usdt + outside + in_mntl * usdt / units
            if outside:
                factors.append(worth(hour) / last_value)
                last_value = worth(hour) + outside
                books["hq"] += outside
            books["q"] -= sign * usdt + in_usdt
            books["b"] += sign * units - in_mntl
        else:
            flow_q = {"in": usdt, "out": -usdt, "by hand": usdt}.get(what, Fraction(0))
            flow_b = {"by hand": -units, "token in": units}.get(what, Fraction(0))
            value = flow_q + flow_b * price(hour)
            factors.append(worth(hour) / last_value)
            deposits += value
            for name, change in (("q", flow_q), ("b", flow_b)):
                books[name] += change
                books["h" + name] += change
            last_value = worth(hour)
            if flow_q:
                events.append(moved(at, USDT, before[0], _exact(books["q"])))
            if flow_b:
                events.append(moved(at, MNTL, before[1], _exact(books["b"])))
        quote, base = _exact(books["q"]), _exact(books["b"])
    end = worth(30 * 24)
    factors.append(end / last_value)
    held = books["hq"] + books["hb"] * price(30 * 24)
    product = Fraction(1)
    for factor in factors:
        product *= factor

    report = _report(events, now=(quote, base), prices=Prices({MNTL: line, MX: mx}))

    assert _cents(report.start) == _cents(first_value)
    assert _cents(report.now) == _cents(end)
    assert _cents(report.deposits) == _cents(deposits)
    assert _cents(report.fee_flows) == _cents(mx_fees)
    assert _cents(report.made) == _cents(end - first_value - deposits - mx_fees)
    assert _cents(report.held) == _cents(held)
    assert _cents(report.brought) == _cents(end - held)
    assert _cents(report.fees) == _cents(fees)
    assert _cents(report.turnover) == _cents(turnover)
    assert report.returned is not None
    assert abs(Fraction(report.returned) - (product - 1)) < Fraction(1, 10**12)
    assert Doubt.PRICE_OLD not in report.doubts  # nothing was valued inside the gap
    assert not any(START + hour * _HOUR in {p.at for p in report.points} for hour in gap)


_AMOUNTS = st.decimals("0.01", "500", places=2)
_PRICES = st.decimals("0.0001", "9", places=4)
_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "in", "out", "token", "unseen"]),
        _AMOUNTS,
        _PRICES,
        st.sampled_from(["USDT", "MNTL", "MX", "?"]),
    ),
    max_size=12,
)


@given(
    story=_EVENTS,
    prices=st.lists(_PRICES, min_size=2, max_size=2),
    late=st.booleans(),
    said=st.lists(st.sampled_from([None, *Correction]), min_size=24, max_size=24),
)
def test_the_parts_add_up_whatever_happens_and_is_corrected(
    story: Any, prices: Any, late: bool, said: list[Correction | None]
) -> None:
    """Start, flows and what was made are what is there; trading brought the sum over the trades.
    A correction moves its flow to what was made and nothing else; without it all is as before.
    """
    quote, base = Decimal(1000), Decimal(5000)
    events: list[Trade | Change] = []
    came = ZERO
    for number, (what, usdt, price, fee_in) in enumerate(story, start=1):
        at, units = START + number * _DAY, Decimal(usdt * 7)
        before = (quote, base)
        if what in {"buy", "sell"}:
            sign, event = (1, bought) if what == "buy" else (-1, sold)
            fee = usdt / 1000
            fees = {} if fee_in == "?" else {fee_in: fee}
            events.append(
                event(at, units, usdt, before=before, fees=fees, fees_complete=fee_in != "?")
            )
            quote -= sign * usdt + (fee if fee_in in {"USDT", "?"} else 0)
            base += sign * units - (fee if fee_in == "MNTL" else 0)
        elif what in {"in", "out"}:
            change = usdt if what == "in" else -usdt
            quote, came = quote + change, came + change
            events.append(moved(at, USDT, before[0], quote, price))
        elif what == "token":
            base += units
            events.append(moved(at, MNTL, before[1], base, price))
            came += units * price
        else:
            quote, came = quote + usdt, came + usdt  # no reading of its own: found with the next
    line = PriceLine([START, _UNTIL], prices)
    known = {MNTL: line} if late else {MNTL: line, MX: _line({START: "2.50"})}
    report = _report(events, now=(quote, base), prices=Prices(known))

    assert report.start + report.deposits + report.fee_flows + report.made == report.now
    assert sum((trade.brought for trade in report.trades), ZERO) == report.brought
    assert report.held_made + report.brought == report.made
    opening = profit(
        [], now=Held(MNTL, quote, base), prices=Prices(known), since=START, until=_UNTIL
    )
    assert opening is not None
    assert opening.now == report.now
    if not any(what in {"buy", "sell"} and fee == "?" for what, _, _, fee in story):
        assert report.deposits == (came if events else 0) or "unseen" in {x[0] for x in story}

    facts: dict[str, Any] = {"now": (quote, base), "prices": Prices(known)}
    corrected = [*zip(movements(report), said, strict=False)]
    keys = {key: one for movement, one in corrected if one for key in movement.keys}
    after = _report(events, corrections=keys, **facts)

    assert after.start + after.deposits + after.fee_flows + after.made == after.now == report.now
    assert after.held_made + after.brought == after.made
    assert after.brought == report.brought
    more = sum((movement.made_more(one) for movement, one in corrected), ZERO)
    assert after.made == report.made + more
    assert {flow.key for flow in after.results} == {
        key for key, one in keys.items() if one is Correction.RESULT
    }
    undone = sum((one.made_more(None) for one in movements(after)), ZERO)
    assert report.made == after.made + undone


def test_a_deposit_that_no_reading_told_is_a_flow_of_the_next_one() -> None:
    """The deposit is found late, but it is no profit."""
    events = [
        bought(START + _DAY, 500, 1, before=(100, 0)),
        bought(START + 2 * _DAY, 500, 1, before=(149, 500)),
    ]
    report = _report(events, now=(148, 1000))
    assert report.deposits == 50
    assert [flow.kind for flow in report.flows] == [FlowKind.UNEXPLAINED]
    assert Doubt.UNEXPLAINED in report.doubts
    assert report.made == Decimal("0.5")
    [movement] = movements(report)
    assert movement.choices == [Correction.MINE, Correction.RESULT]

    # A person who knows of it leaves nothing "about"; more that comes later is another flow.
    said = dict.fromkeys(movement.keys, Correction.MINE)
    after = _report(events, now=(148, 1000), corrections=said)
    assert after == replace(report, flows=after.flows, trades=after.trades, doubts=frozenset())
    assert Doubt.UNEXPLAINED in _report(events, now=(160, 1000), corrections=said).doubts


def test_an_unexplained_flow_has_its_name_before_and_after_the_next_reading() -> None:
    """Else a correction would be lost with the next trade."""
    events = [bought(START + _DAY, 500, 1, before=(100, 0))]
    [found] = _report(events, now=(149, 500)).flows
    assert found.key is not None
    said = {found.key: Correction.RESULT}
    for quote, results in (("149", 1), ("149.004", 1), ("149.02", 0)):
        later = [*events, sold(START + 3 * _DAY, 500, 1, before=(quote, 500))]
        after = _report(later, now=(Decimal(quote) + 1, 0), corrections=said)
        assert [flow.key for flow in after.results] == [found.key] * results
        assert after.start + after.deposits + after.made == after.now


def test_a_trade_by_hand_is_corrected_as_one() -> None:
    at = START + _DAY
    events = [moved(at, USDT, 100, 110, "0.002"), moved(at, MNTL, 9000, 3900, "0.002")]
    report = _report(events, now=(110, 3900))
    [movement] = movements(report)
    assert (movement.is_by_hand, movement.value) == (True, Decimal("-0.2"))
    assert movement.made_more(Correction.RESULT) == Decimal("-0.2")

    said = dict.fromkeys(movement.keys, Correction.RESULT)
    after = _report(events, now=(110, 3900), corrections=said)
    assert (after.deposits, after.made) == (ZERO, report.made - Decimal("0.2"))
    assert [one.choices for one in movements(after)] == [[None]]
    assert after.returned is not None
    assert round(after.returned * after.start, 12) == after.made


def test_a_fee_that_was_not_known_is_corrected_by_the_next_reading() -> None:
    events = [
        bought(START + _DAY, 50_000, 100, before=(200, 0), fees={}, fees_complete=False),
        moved(START + 2 * _DAY, USDT, "99.92", "109.92", "0.002"),
    ]
    report = _report(events, now=("109.92", 50_000))
    assert [trade.fee for trade in report.trades] == [Decimal("0.08")]
    assert report.deposits == 10
    assert report.doubts == {Doubt.FEES_UNKNOWN}


def test_a_change_of_the_pair_is_no_profit() -> None:
    other = Symbol("OTHERUSDT")
    events = [
        bought(START + _DAY, 1000, 2, before=(100, 9000), price="0.002"),
        bought(START + 2 * _DAY, 10, 5, before=(98, 100), symbol=other, price="0.5"),
    ]
    prices = Prices(
        {
            MNTL: _line({START: "0.002", START + 36 * _HOUR: "0.003"}),
            OTHER: _line({START: "0.5", START + 3 * _DAY: "0.6"}),
        }
    )
    report = _report(events, now=(93, 110), asset=OTHER, prices=prices)
    assert [(flow.asset, flow.units, flow.kind) for flow in report.flows] == [
        (MNTL, Decimal(-10_000), FlowKind.PAIR),
        (OTHER, Decimal(100), FlowKind.PAIR),
    ]
    assert [trade.brought for trade in report.trades] == [Decimal(1), Decimal(1)]
    assert report.brought == 2
    assert report.made == 10 * Decimal("0.001") * 1000 + 110 * Decimal("0.6") - 50 - 5


def test_after_a_change_of_the_pair_the_token_before_makes_nothing_more() -> None:
    """The new one counts from then on, though it is read later; a flow's price is the new one's."""
    events: list[Any] = [
        bought(START + _DAY, 1000, 2, before=(102, 9000), price="0.002"),
        PairChange(START + 2 * _DAY, OTHER),
        moved(START + 3 * _DAY, USDT, 100, 150, price="5"),
    ]
    prices = Prices(
        {
            MNTL: _line({START: "0.002", START + 2 * _DAY: "0.002", _UNTIL: "0.004"}),
            OTHER: _line({START: "4", START + 2 * _DAY: "4", _UNTIL: "6"}),
        }
    )
    report = _report(events, now=(150, 10), asset=OTHER, prices=prices)
    assert [(flow.asset, flow.units, flow.value) for flow in report.flows] == [
        (MNTL, Decimal(-10_000), Decimal(-20)),
        (OTHER, Decimal(10), Decimal(40)),
        (USDT, Decimal(50), Decimal(50)),
    ]
    assert (report.made, report.drawdown) == (Decimal(20), ZERO)
    assert [trade.brought for trade in report.trades] == [ZERO]

    assert not report.doubts

    # Undone at once it never was; later, nobody knows how much there was of the other.
    for later, flows in ((timedelta(minutes=1), 0), (_HOUR, 2)):
        events[2:] = [PairChange(START + 2 * _DAY + later, MNTL)]
        back = _report(events, now=(100, 10_000), prices=prices)
        assert (back.deposits, back.made) == (ZERO, Decimal(20))
        assert len(back.flows) == flows
        assert (Doubt.OTHER_PAIR in back.doubts) == bool(flows)
    late = _report(events[1:2], now=(100, 10), asset=OTHER, prices=prices)
    assert Doubt.OTHER_PAIR in late.doubts


def test_a_token_that_never_had_a_price_takes_none_of_the_next_ones() -> None:
    unpriced = Asset("GONE")
    events: list[Any] = [
        PairChange(START + _DAY, unpriced),
        moved(START + 2 * _DAY, unpriced, 500, 600),
        moved(START + 3 * _DAY, USDT, 100, 150),
        PairChange(START + 4 * _DAY, OTHER),
        moved(START + 5 * _DAY, OTHER, 3, 4, price="7"),
    ]
    events.insert(0, moved(START + _HOUR, MNTL, 0, 1, price="0.002"))
    prices = Prices({MNTL: _line({START: "0.002"}), OTHER: _line({START: "7"})})
    report = _report(events, now=(150, 4), asset=OTHER, prices=prices)
    assert [flow.value for flow in report.flows if flow.asset == unpriced] == [ZERO] * 3
    assert (report.returned, report.drawdown) == (ZERO, ZERO)
    assert Doubt.PRICE_OLD in report.doubts


def test_a_withdrawal_is_no_drawdown() -> None:
    report = _report([moved(START + _DAY, USDT, 100, 10)], now=(10, 0))
    assert (report.drawdown, report.returned) == (ZERO, ZERO)


def test_a_token_without_a_price_has_no_report() -> None:
    assert (
        profit([], now=Held(MNTL, ZERO, Decimal(1)), prices=Prices({}), since=START, until=_UNTIL)
        is None
    )


def test_a_price_of_long_ago_makes_the_report_about() -> None:
    prices = Prices({MNTL: _line({START: "0.002"})})
    assert _report([], now=(10, 5), prices=prices).doubts == {Doubt.PRICE_OLD}


def test_a_flow_makes_no_old_price_a_new_one() -> None:
    """Its own price was not known: neither is it one of that moment, nor newer than a trade's."""
    at = START + 10 * _DAY
    prices = Prices({MNTL: _line({START: "0.002"})})
    came = moved(at, USDT, 100, 150)
    until = at + _HOUR
    report = _report([came], now=(150, 9000), prices=prices, until=until)
    assert report.doubts == {Doubt.PRICE_OLD}

    trade = bought(at - _HOUR, 1000, 3, before=(103, 8000), price="0.003")
    report = _report([trade, came], now=(150, 9000), prices=prices, until=until)
    assert report.now == 150 + 9000 * Decimal("0.003")
    assert report.doubts == frozenset()


@pytest.mark.parametrize("quote", [0, 10])
def test_each_point_states_value_and_share(quote: int) -> None:
    report = _report([], now=(quote, 0))
    assert [point.value for point in report.points] == [quote, quote]
    assert [point.share for point in report.points] == [quote / 10 or None] * 2


def test_the_sides_of_a_trade_slip_in_opposite_directions() -> None:
    events = [
        bought(START + _DAY, 1000, "2.01", before=(100, 0), price="0.002"),
        sold(START + 2 * _DAY, 1000, "1.98", before=("97.99", 1000), price="0.002"),
    ]
    report = _report(events, now=("99.97", 0))
    assert [trade.side for trade in report.trades] == [Side.BUY, Side.SELL]
    assert [trade.slippage for trade in report.trades] == [Decimal("0.01"), Decimal("0.02")]
    assert report.slippage == Decimal("0.03")
    assert [trade.price for trade in report.trades] == [Decimal("0.00201"), Decimal("0.00198")]


def test_of_many_hours_and_trades_a_picture_s_worth_is_kept_and_the_sums_stay_exact() -> None:
    hours = 6_000
    crash, quote, base = 4_321, Decimal(1000), Decimal(0)
    prices = [Decimal(2 if hour != crash else 1).scaleb(-3) for hour in range(hours + 1)]
    line = PriceLine([START + hour * _HOUR for hour in range(hours + 1)], prices)
    events, brought = list[Trade | Change](), ZERO
    for hour in range(0, hours, 2):
        trade = sold if base else bought
        units, paid = Decimal(5000), Decimal("10.01") if not base else Decimal(10)
        events.append(
            trade(START + hour * _HOUR, units, paid, before=(quote, base), fees={"MX": "0.001"})
        )
        sign = -1 if base else 1
        quote, base = quote - sign * paid, base + sign * units
        brought += sign * (units * prices[-1] - paid) - Decimal("0.0025")

    until = START + hours * _HOUR
    known = Prices({MNTL: line, MX: _line({START: "2.50"})})
    report = _report(events, now=(quote, base), prices=known, until=until)

    assert (report.bought, report.sold) == (1500, 1500)
    assert report.brought == brought
    assert report.start + report.fee_flows + report.made == report.now
    assert report.fee_flows == 3000 * Decimal("0.0025") == sum(f.value or 0 for f in report.flows)
    assert len(report.flows) == hours / 24 + (START.hour > 0)
    assert {trade.side for trade in report.trades} == {*Side}
    assert MOST_TRADES < len(report.trades) <= 2 * MOST_TRADES < report.count
    shown = [START, *(trade.at for trade in report.trades), until]
    assert max(after - before for before, after in pairwise(shown)) <= 12 * _HOUR
    assert len(report.points) <= MOST_POINTS
    times = [point.at for point in report.points]
    assert START + crash * _HOUR in times
    assert max(after - before for before, after in pairwise(times)) <= report.apart
    assert (times[0], times[-1]) == (START, until)
