"""Each alert in words: the trade, the unclear order, the trouble and its end."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.alerts.alerts import _VIEWS, alert_view
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from engine.domain.accounts.incidents import PAUSING, IncidentKind
from engine.domain.alerts.alerts import (
    Alert,
    IncidentAlert,
    IncidentResolved,
    OrderNeedsPerson,
    OrderNeverArrived,
    OrderUnclear,
    RunDeclined,
    TradeSettled,
    trade_settled,
)
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import Fees, OrderState, Trigger
from engine.domain.rebalancing.planner import (
    EmptyBook,
    InsideBand,
    NothingFree,
    PairClosed,
    Reason,
    SideClosed,
    StepTooCoarse,
    UnderMinimum,
)
from engine.domain.targets.protection import NotCovered
from tests.builders import MNTLUSDT, execution, intent, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

MX = Asset("MX")
amounts = st.decimals(min_value=0, max_value=10**15, places=8)


def a_trade(**changes: Any) -> TradeSettled:
    values: dict[str, Any] = {
        "dry_run": False,
        "symbol": MNTLUSDT,
        "side": Side.BUY,
        "trigger": Trigger.INTERVAL,
        "base_quantity": 8142,
        "quote_amount": "16.30",
        "asked_quote": "17.10",
        "fees": {USDT: Decimal("0.00815")},
        "quote_before": "57.10",
        "quote_after": "40.79",
        "target": 40,
    } | changes
    for name in ("base_quantity", "quote_amount", "asked_quote", "quote_before", "target"):
        values[name] = Decimal(values[name])
    if values["quote_after"] is not None:
        values["quote_after"] = Decimal(values["quote_after"])
    return TradeSettled(**values)


def a_trouble(**changes: Any) -> IncidentAlert:
    values: dict[str, Any] = {
        "dry_run": False,
        "kind": IncidentKind.UNREACHABLE,
        "detail": "",
        "count": 1,
        "since": START - timedelta(minutes=14),
        "at": START,
        "symbol": MNTLUSDT,
    }
    return IncidentAlert(**values | changes)


def told(alert: Any) -> str:
    return check_message(alert_view(alert))


def test_each_alert_that_may_be_stored_has_its_words():
    assert {*_VIEWS} == {*get_args(Alert)}


def test_a_trade_reads_as_in_the_product():
    settled = trade_settled(
        intent(
            state=OrderState.FILLED,
            execution=execution(),
            fees=Fees({USDT: Decimal("0.00815")}),
            quote_after="40.79",
        ),
        late=False,
    )

    assert told(settled).splitlines() == [
        "🟢 LIVE · Bought 8,142 MNTL",
        "for 16.30 USDT at 0.002002",
        "Fee 0.01 USDT · MEXC filled 16.30 of 17.10 (normal)",
        "USDT  57.10 → 40.79  (target 40.00)",
    ]


def test_a_sell_is_measured_after_its_fee():
    text = told(
        a_trade(
            side=Side.SELL,
            quote_amount="17.11",
            asked_quote="17.10",
            fees={USDT: Decimal("0.01")},
            quote_before="22.90",
            quote_after="40.00",
        )
    )

    assert text.splitlines() == [
        "🟢 LIVE · Sold 8,142 MNTL",
        "for 17.11 USDT at 0.002101",
        "Fee 0.01 USDT",
        "USDT  22.90 → 40.00  (target 40.00)",
    ]


def test_a_partial_fill_says_that_the_rest_comes_later():
    text = told(a_trade(quote_amount="9"))

    assert "MEXC filled 9.00 of 17.10\n" in text
    assert "Only part was filled. I try the rest at the next check." in text


def test_up_to_six_per_cent_short_is_nothing_to_worry_about():
    text = told(a_trade(quote_amount="16.10"))

    assert "MEXC filled 16.10 of 17.10 (normal)" in text
    assert "Only part" not in text


@pytest.mark.parametrize(
    ("side", "title", "words"),
    [
        (Side.BUY, "🟢 LIVE · Nothing bought", "No seller within 5% of the last price."),
        (Side.SELL, "🟢 LIVE · Nothing sold", "No buyer within 5% of the last price."),
    ],
)
def test_an_order_that_was_not_filled_moved_no_money(side: Side, title: str, words: str):
    text = told(a_trade(base_quantity=0, quote_amount=0, side=side))

    assert text.startswith(f"{title}\n{words} MEXC cancelled the order; no money moved.\n")


def test_a_balance_that_is_not_visible_yet_is_estimated_and_said_to_be():
    bought = told(a_trade(quote_after=None))
    sold = told(a_trade(quote_after=None, side=Side.SELL, fees=None, quote_before="22.90"))

    assert "USDT  57.10 → about 40.79  (target 40.00)" in bought
    assert "MEXC does not show the new balance yet." in bought
    assert "USDT  22.90 → about 39.20" in sold


@pytest.mark.parametrize(
    ("fees", "words"),
    [
        (None, "Fee not known yet"),
        ({}, "No fee"),
        ({USDT: Decimal(0)}, "No fee"),
        ({MX: Decimal("0.0012")}, "Fee 0.0012 MX"),
        ({USDT: Decimal("0.02"), MX: Decimal("0.5")}, "Fee 0.5 MX + 0.02 USDT"),
        ({USDT: Decimal("0.0001")}, "Fee under 0.01 USDT"),
    ],
)
def test_fees_are_named_in_their_coin(fees: Any, words: str):
    assert f"\n{words}" in told(a_trade(fees=fees))


def test_a_trade_confirmed_late_says_it_was_sent_once():
    assert "MEXC's first answer was lost" in told(a_trade(late=True))
    assert "was sent once" in told(a_trade(late=True, base_quantity=0, quote_amount=0))


def test_a_trade_on_paper_says_so_twice_and_makes_no_sound():
    view = alert_view(a_trade(dry_run=True))

    assert view.text.startswith("🧪 DRY RUN · Bought")
    assert "no real money moved" in view.text
    assert view.silent
    assert not alert_view(a_trade()).silent


@given(amounts, amounts, amounts, st.one_of(st.none(), amounts), st.sampled_from(Side))
def test_any_trade_fits_a_phone(
    base: Decimal, quote: Decimal, asked: Decimal, after: Decimal | None, side: Side
):
    told(
        a_trade(
            base_quantity=base, quote_amount=quote, asked_quote=asked, quote_after=after, side=side
        )
    )


def test_an_unclear_order_is_told_without_alarm_and_without_a_claim():
    text = told(
        OrderUnclear(dry_run=False, symbol=MNTLUSDT, side=Side.SELL, expected_quote=Decimal("9.5"))
    )

    assert text.startswith("⚠️ LIVE")
    assert "sell MNTL for about 9.50 USDT" in text
    assert "may or may not have traded" in text


def test_an_order_that_never_arrived_moved_no_money():
    text = told(
        OrderNeverArrived(dry_run=True, symbol=MNTLUSDT, side=Side.BUY, expected_quote=Decimal(17))
    )

    assert text.startswith("✅ DRY RUN")
    assert "No money moved." in text


@pytest.mark.parametrize(
    ("dry_run", "mode"), [(False, "🛑 HALTED ·"), (True, "🛑 HALTED (dry run)")]
)
def test_an_order_for_a_person_names_its_id(dry_run: bool, mode: str):
    text = told(
        OrderNeedsPerson(
            dry_run=dry_run,
            symbol=MNTLUSDT,
            side=Side.BUY,
            expected_quote=Decimal(17),
            client_order_id="bl7",
        )
    )

    assert text.startswith(mode)
    assert "bl7" in text


@pytest.mark.parametrize("kind", IncidentKind)
def test_each_trouble_says_what_it_means_for_the_money_and_how_it_ended(kind: IncidentKind):
    text = told(a_trouble(kind=kind, count=37, paused=kind in PAUSING, detail="<b>no</b>"))
    over = told(
        IncidentResolved(
            dry_run=False, kind=kind, count=37, since=START - timedelta(minutes=14), at=START
        )
    )

    assert text.startswith("⚠️ PAUSED · " if kind in PAUSING else "⚠️ LIVE · ")
    assert "37 times in 14 min" in text
    assert any(words in text for words in ("No order", "No money", "Nothing was", "No new order"))
    assert ("Trading is paused" in text) == (kind in PAUSING)
    assert ("/resume" in text) == (kind in PAUSING)
    assert "{" not in text
    assert over.startswith("✅ LIVE · ")
    assert "Back after 14 min (37 failed tries)." in over


def test_a_refused_address_is_named_for_the_person_to_add():
    refusal = "700006: IP [203.0.113.7] not in the ip white list"

    text = told(a_trouble(kind=IncidentKind.ADDRESS_REFUSED, detail=refusal, paused=True))

    assert "“700006: IP [203.0.113.7] not in the ip white list”" in text
    assert "Add the address 203.0.113.7 to the key at MEXC. Then send /resume." in text


def test_a_first_failure_is_not_counted():
    assert "times" not in told(a_trouble())
    assert "(1 failed try)" in told(
        IncidentResolved(dry_run=False, kind=IncidentKind.CLOCK, count=1, since=START, at=START)
    )


REASONS: list[tuple[Reason, str]] = [
    (PairClosed(), "MNTL/USDT"),
    (SideClosed(Side.BUY), "no buy orders for MNTL"),
    (SideClosed(Side.SELL), "no sell orders for MNTL"),
    (EmptyBook(Side.BUY), "No seller of MNTL within 5%"),
    (EmptyBook(Side.SELL), "No buyer of MNTL within 5%"),
    (NothingFree(Side.BUY, Decimal(3), Decimal("54.1")), "Open orders hold 54.10 USDT."),
    (NothingFree(Side.BUY, Decimal(3), Decimal(0)), "only 3.00 USDT is free"),
    (NothingFree(Side.SELL, Decimal(12), Decimal(9000)), "Open orders hold 9,000 MNTL."),
    (NothingFree(Side.SELL, Decimal(12), Decimal(0)), "only 12 MNTL is free"),
    (UnderMinimum(Side.BUY, Decimal("0.5"), Decimal("1.1")), "smallest order is 1.10 USDT"),
    (UnderMinimum(Side.SELL, Decimal("0.5"), Decimal("1.1")), "Selling MNTL for 0.50 USDT"),
    (StepTooCoarse(Decimal(5), Decimal(3)), "Only 3.00 USDT is missing"),
    (NotCovered(Side.BUY, Decimal(30000), Decimal(50000)), "and protect 50,000 MNTL"),
    (NotCovered(Side.SELL, Decimal(20), Decimal(50)), "and protect 50.00 USDT"),
    (InsideBand(), "on target or near enough"),
]


@pytest.mark.parametrize(("reason", "words"), REASONS, ids=[words for _, words in REASONS])
def test_each_reason_is_told_with_its_numbers_and_advice(reason: Reason, words: str):
    text = told(a_trouble(kind=IncidentKind.BLOCKED, reason=reason))

    assert words in text
    assert reason_text(reason, symbol=MNTLUSDT) in text
    assert reason_advice(reason, symbol=MNTLUSDT) in text


def test_a_balance_inside_its_band_is_told_with_both():
    text = reason_text(
        InsideBand(), symbol=MNTLUSDT, held=Decimal("40.1"), band=settings().fixed_goal.band
    )

    assert text == "40.10 USDT is inside the band of 38.00 – 42.00 USDT: nothing to do."


@pytest.mark.parametrize("side", Side)
def test_a_run_that_the_market_overtook_offers_a_new_plan(side: Side):
    view = alert_view(
        RunDeclined(
            dry_run=False,
            symbol=MNTLUSDT,
            held=Decimal(57),
            target=Decimal(40),
            reason=None,
            new_side=side,
            new_quote=Decimal(3),
        )
    )

    assert f"Now I would {side.value.lower()} MNTL for about 3.00 USDT." in check_message(view)
    assert view.keyboard is not None


def test_a_run_without_a_new_plan_or_with_a_reason_says_nothing_was_sent():
    declined: dict[str, Any] = {
        "dry_run": False,
        "symbol": MNTLUSDT,
        "held": Decimal(57),
        "target": Decimal(40),
    }

    moved = told(RunDeclined(reason=None, **declined))
    blocked = told(RunDeclined(reason=PairClosed(), **declined))

    assert "No order was sent: the plan no longer fits." in moved
    assert "Now I would" not in moved
    assert "No order was sent. You hold 57.00 USDT, the target is 40.00 USDT." in blocked
