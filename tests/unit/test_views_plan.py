"""The plan, its one button, and what each tap gets."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.interaction.callback_data import Confirm, decode
from bot.interaction.message import Message
from bot.views.rebalance_plan import (
    dead_tap_notice,
    foreign_tap_notice,
    no_key_view,
    plan_accepted_view,
    plan_blocked_view,
    plan_expired_view,
    plan_failed_view,
    plan_outdated_view,
    plan_paused_view,
    plan_view,
    used_tap_notice,
)
from engine.domain.market.pairs import Side
from engine.domain.rebalancing.check_result import BalanceSnapshot
from engine.domain.rebalancing.forecast import Forecast
from engine.domain.rebalancing.planner import InsideBand, MarketBuy, MarketSell, NothingFree, Plan
from tests.builders import account, book, forecast_of, holdings, intent, rules, settings
from tests.unit.phone import check_message, check_notice


def shown(plan: Plan, *, last_price: str = "0.002", **changes: Any) -> Message:
    values: dict[str, Any] = {"account": account(), "rules": rules(), "confirmation_id": "q-1"}
    values |= changes
    market = {"rules": values["rules"], "book": values.pop("book", book())}
    plan, comes_to = forecast_of(plan, last_price=last_price, **market)
    return plan_view(plan=plan, forecast=comes_to, **values)


def labels(view: Message) -> list[str]:
    rows = view.keyboard.inline_keyboard if view.keyboard else ()
    return [button.text for row in rows for button in row]


BUY = Plan(held=Decimal("57.10"), order=MarketBuy(Decimal("17.10"), Decimal("8142.9")))
SELL = Plan(held=Decimal("22.90"), order=MarketSell(Decimal(8555), Decimal("17.09")))


def test_a_plan_shows_what_the_order_would_come_to_with_one_button():
    view = shown(BUY)
    text = check_message(view)

    assert text.startswith("🟢 LIVE · Plan for MNTL/USDT")
    assert "You hold 57.10 USDT, 17.10 USDT over the target of 40.00 (+42.8%)." in text
    assert "Buy about 8,142 MNTL\nfor about 17.10 USDT at about 0.0021" in text
    assert "USDT  57.10 → about 39.99  (fee 0.01 USDT)" in text
    assert "within 90 s" in text
    assert labels(view) == ["Trade"]
    assert view.keyboard is not None
    data = view.keyboard.inline_keyboard[0][0].callback_data
    assert isinstance(data, str)
    assert decode(data) == Confirm("q-1")


def test_a_buy_is_said_to_end_short_as_mexc_sizes_it_by_a_price_above_the_last():
    text = check_message(shown(BUY, book=book(asks=[("0.002002", 900_000)])))

    assert "Buy about 8,142 MNTL\nfor about 16.30 USDT at about 0.002002" in text
    assert "USDT  57.10 → about 40.79" in text
    assert "MEXC will spend 16.30 of 17.10 (normal)." in text


def test_a_plan_in_a_thin_book_says_what_is_on_offer_and_where_the_balance_ends():
    plan = Plan(held=Decimal(100), order=MarketBuy(Decimal(60), Decimal(4696)))
    thin = book(asks=[("0.002002", 3000), ("0.002015", 1696), ("0.0022", 1_000_000)])

    text = check_message(shown(plan, book=thin))

    assert "Buy about 4,696 MNTL\nfor about 9.42 USDT at about 0.002007" in text
    assert "USDT  100.00 → about 90.57" in text
    assert "Only 9.42 USDT of 60.00 USDT: no more MNTL is for sale within 5%" in text
    assert "60.00 USDT at" not in text


def test_a_sell_in_a_thin_book_says_how_much_of_it_is_bought():
    thin = book(bids=[("0.002", 3000), ("0.00199", 1000), ("0.001", 1_000_000)])

    text = check_message(shown(SELL, book=thin))

    assert "Sell about 4,000 MNTL\nfor about 7.99 USDT at about 0.001998" in text
    assert "USDT  22.90 → about 30.89" in text
    assert "Only 4,000 MNTL of 8,555 MNTL: no more buyers within 5%" in text


def test_a_plan_that_nobody_would_fill_has_no_button_and_says_so():
    view = shown(BUY, book=book(asks=[("0.0022", 1_000_000)]))

    assert "No seller of MNTL within 5% of the last price." in check_message(view)
    assert labels(view) == []


def test_an_order_that_mexc_would_call_too_small_is_no_plan():
    plan = Plan(held=Decimal("38.9"), order=MarketSell(Decimal(560), Decimal("1.12")))

    view = shown(plan, last_price="0.0015", book=book(bids=[("0.002", 100_000)]))

    assert "Selling MNTL for 0.84 USDT is too small" in check_message(view)
    assert labels(view) == []


def test_a_target_beyond_all_that_is_owned_is_said_to_be_out_of_reach():
    wanted = account(settings=settings(target=220))
    seen = BalanceSnapshot.of(wanted.settings, holdings(usdt="20", mntl=1000), book())
    plan = Plan(held=Decimal(20), order=MarketSell(Decimal(1000), Decimal("1.99")))

    text = check_message(shown(plan, account=wanted, seen=seen))

    assert "You cannot reach the target of 220.00 USDT" in text
    assert "worth about 22.05 USDT" in text


def test_a_sell_says_what_arrives_and_the_fee():
    text = check_message(shown(SELL))

    assert "17.10 USDT under the target" in text
    assert "Sell 8,555 MNTL\nfor about 17.11 USDT at about 0.002" in text
    assert "USDT  22.90 → about 40.00  (fee 0.01 USDT)" in text


def test_a_pair_without_a_fee_and_a_paper_account_say_so():
    paper = account(settings=settings(dry_run=True))

    text = check_message(shown(BUY, account=paper, rules=rules(taker_fee_rate=0)))

    assert "(no fee)" in text
    assert "no real money moves" in text


def test_a_plan_inside_the_band_may_be_traded_but_is_said_to_be_inside():
    plan = Plan(held=Decimal(39), order=MarketSell(Decimal(501), Decimal(1)))
    view = shown(plan)

    assert "inside the band of 38.00 – 42.00 USDT" in check_message(view)
    assert labels(view) == ["Trade"]


def test_while_paused_the_plan_has_no_trade_button():
    view = shown(BUY, account=account(settings=settings(paused=True)))

    assert "Send /resume first" in check_message(view)
    assert labels(view) == ["Resume"]
    assert labels(shown(BUY, confirmation_id=None)) == ["Resume"]


def test_a_plan_without_an_order_tells_the_reason():
    inside = shown(Plan(held=Decimal(40), reason=InsideBand()), confirmation_id=None)
    blocked = shown(
        Plan(held=Decimal(20), reason=NothingFree(Side.SELL, Decimal(0), Decimal(0))),
        confirmation_id=None,
    )

    assert "just the target" in check_message(inside)
    assert "Nothing to trade: that is inside the band of 38.00 – 42.00 USDT." in check_message(
        inside
    )
    assert "only 0 MNTL is free" in check_message(blocked)
    assert "nothing to trade now" in check_message(blocked)
    assert labels(inside) == labels(blocked) == []


def test_each_way_a_tap_can_end_says_what_was_sent():
    paused = account(settings=settings(paused=True))
    views = {
        "On it": plan_accepted_view(
            account=account(), side=Side.SELL, expected_quote=Decimal("17.1")
        ),
        "3 min old": plan_expired_view(age=timedelta(minutes=3)),
        "made for other settings": plan_outdated_view(),
        "No order was sent: trading is paused": plan_paused_view(account=paused),
        "No order was sent": plan_failed_view(account=account()),
        "is not confirmed yet": plan_blocked_view(account=account(), unresolved=intent()),
        "Nothing was traded": no_key_view(account=account(sealed_key=None)),
    }

    for words, view in views.items():
        assert words in check_message(view)
    buy = plan_accepted_view(account=account(), side=Side.BUY, expected_quote=Decimal(9))
    assert "buy MNTL for up to 9.00 USDT" in check_message(buy)


def test_notices_are_short_and_plain():
    check_notice(foreign_tap_notice())
    check_notice(dead_tap_notice())
    check_notice(used_tap_notice())


@given(
    held=st.decimals(min_value=0, max_value=10**15, places=8),
    quote=st.decimals(min_value="0.01", max_value=10**12, places=8),
    base=st.decimals(min_value="0.0000001", max_value=10**15, places=7),
    buys=st.booleans(),
    complete=st.booleans(),
)
def test_any_plan_fits_a_phone(
    held: Decimal, quote: Decimal, base: Decimal, buys: bool, complete: bool
):
    order = MarketBuy(quote, base) if buys else MarketSell(base, quote)
    comes_to = Forecast(
        base_quantity=base,
        quote_amount=quote,
        fee=quote / 2000,
        held_after=held,
        complete=complete,
    )

    check_message(
        plan_view(
            account=account(),
            plan=Plan(held=held, order=order),
            rules=rules(quantity_step="0.0000001"),
            forecast=comes_to,
            confirmation_id="q-1",
        )
    )
