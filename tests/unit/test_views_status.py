"""The card: what it shows, what it warns about, and that it fits whatever the numbers."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.components.badges import badge
from bot.views.status import status_view
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.market.balances import Balance, Counting
from engine.domain.market.pairs import Side, Symbol
from engine.domain.orders.order import OrderState, Trigger
from engine.domain.rebalancing.check_result import (
    BalanceSnapshot,
    CheckResult,
    NoTrade,
    OrderPlaced,
)
from engine.domain.rebalancing.planner import InsideBand
from tests.builders import MNTLUSDT, account, execution, intent, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

NOW = START
huge = st.decimals(min_value=0, max_value=10**18, places=12)
tiny_price = st.decimals(min_value="0.0000001", max_value=10**6, places=7)


def a_look(*, held: str = "57.10", **changes: Any) -> CheckResult:
    values: dict[str, Any] = {
        "at": NOW - timedelta(seconds=48),
        "trigger": Trigger.INTERVAL,
        "target": Decimal(40),
        "band": settings().band,
        "verdict": NoTrade(InsideBand()),
        "seen": BalanceSnapshot(
            symbol=MNTLUSDT,
            quote=Balance(Decimal(held)),
            base=Balance(Decimal("91858.7")),
            held=Decimal(held),
            price=Decimal("0.002"),
        ),
    }
    return CheckResult(**values | changes)


def a_trade(**changes: Any) -> Any:
    return intent(
        state=OrderState.FILLED,
        execution=execution(),
        resolved_at=NOW - timedelta(minutes=3),
        **changes,
    )


def test_the_card_is_the_one_of_the_product():
    view = status_view(
        account=account(),
        now=NOW,
        look=a_look(),
        rules=rules(),
        last_trade=a_trade(),
    )

    assert check_message(view).split("\n\n")[0].splitlines() == [
        "🟢 LIVE · MNTL/USDT",
        "Target   40.00 USDT ±5%",
        "Holds    57.10 USDT  +42.8%",
        "Band     38.00 – 42.00 USDT",
        "MNTL     91,858 ≈ 183.72 USDT",
        "Next     check within 2m",
        "Last     bought 8,142 MNTL",
        "         for 16.30 USDT",
        "         22 Nov 11:57 UTC",
    ]
    assert view.keyboard is not None
    assert [[button.text for button in row] for row in view.keyboard.inline_keyboard] == [
        ["Rebalance now", "Pause"],
        ["Target", "Threshold", "History"],
        ["Refresh", "Settings", "Pin"],
    ]


@pytest.mark.parametrize(
    ("changes", "halted", "mode"),
    [
        ({}, False, "🟢 LIVE"),
        ({"dry_run": True}, False, "🧪 DRY RUN"),
        ({"paused": True}, False, "⏸ PAUSED"),
        ({"paused": True, "dry_run": True}, False, "⏸ PAUSED (dry run)"),
        ({"paused": True}, True, "🛑 HALTED"),
    ],
)
def test_the_mode_says_whether_money_may_move(changes: Any, halted: bool, mode: str):
    assert badge(account(settings=settings(**changes)), halted=halted) == mode


def test_a_chat_without_a_key_is_shown_the_way_in():
    keyless = account(sealed_key=None, key_tail=None, settings=settings(paused=True))

    text = check_message(status_view(account=keyless, now=NOW))

    assert text.startswith("⏸ PAUSED")
    assert "Holds    not seen yet" in text
    assert "Next     nothing without a key" in text
    assert "/connect" in text


def test_a_paused_account_shows_resume_and_no_next_check():
    view = status_view(account=account(settings=settings(paused=True)), now=NOW, look=a_look())

    text = check_message(view)

    assert "Next     nothing while paused" in text
    assert "/resume" in text


def test_a_failed_check_is_tried_again_soon():
    trouble = Incident(kind=IncidentKind.UNREACHABLE, detail="", since=NOW, last_at=NOW)

    text = check_message(status_view(account=account(), now=NOW, trouble=trouble))

    assert "Next     another try soon" in text


def test_the_card_says_of_when_it_is_and_the_undated_one_stays_the_same():
    facts: dict[str, Any] = {"account": account(), "look": a_look(), "last_trade": a_trade()}
    later = NOW + timedelta(minutes=4)

    assert check_message(status_view(now=NOW, **facts)).endswith("As of 22 Nov 12:00 UTC")
    assert status_view(now=NOW, dated=False, **facts) == status_view(
        now=later, dated=False, **facts
    )


def test_a_pinned_card_offers_to_unpin():
    assert "Unpin" in str(status_view(account=account(), now=NOW, pinned=True).keyboard)


def test_old_balances_say_their_age():
    view = status_view(account=account(), now=NOW, look=a_look(at=NOW - timedelta(hours=3)))

    assert "Seen     22 Nov 09:00 UTC" in check_message(view)


def test_what_is_wrong_stands_below_the_card():
    trouble = Incident(
        kind=IncidentKind.UNREACHABLE,
        detail="",
        since=NOW - timedelta(minutes=14),
        last_at=NOW,
        count=37,
    )

    text = check_message(status_view(account=account(), now=NOW, trouble=trouble, undelivered=2))

    assert "MEXC does not answer: again and again since 22 Nov 11:46 UTC" in text
    assert "2 of my messages did not reach you yet" in text


def test_a_single_failure_is_not_counted():
    trouble = Incident(kind=IncidentKind.PAIR_UNAVAILABLE, detail="", since=NOW, last_at=NOW)

    text = check_message(status_view(account=account(), now=NOW, trouble=trouble))

    assert "MNTL/USDT is closed to this key. /why" in text


def test_an_unclear_order_is_shown_and_halts_when_a_person_must_look():
    unclear = intent(state=OrderState.UNKNOWN, side=Side.SELL)
    stuck = replace(unclear, state=OrderState.NEEDS_HUMAN)

    waiting = check_message(status_view(account=account(), now=NOW, unresolved=unclear))
    halted = check_message(status_view(account=account(), now=NOW, unresolved=stuck))

    assert "An order to sell MNTL for about 17.10 USDT is not confirmed" in waiting
    assert halted.startswith("🛑 HALTED")
    assert unclear.client_order_id in halted


def test_after_a_trade_the_card_shows_the_balance_behind_it():
    trade = a_trade(quote_after="40.79", base_after="100000")
    look = a_look(verdict=OrderPlaced(trade.client_order_id, Side.BUY, Decimal("17.10")))

    after = check_message(status_view(account=account(), now=NOW, look=look, last_trade=trade))
    without = check_message(status_view(account=account(), now=NOW, look=look))

    assert "Holds    40.79 USDT" in after
    assert "MNTL     100,000" in after
    assert "Holds    57.10 USDT" in without


def test_coins_of_another_pair_are_not_shown_under_the_new_name():
    other = account(settings=settings(symbol=Symbol("BTCUSDT")))

    text = check_message(status_view(account=other, now=NOW, look=a_look()))

    assert "91,858" not in text


def test_coins_in_orders_count_as_the_settings_say():
    seen = BalanceSnapshot(
        symbol=MNTLUSDT,
        quote=Balance(Decimal(30), locked=Decimal(10)),
        base=Balance(),
        held=Decimal(40),
    )
    free = account(settings=settings(counting=Counting.FREE))

    text = check_message(status_view(account=free, now=NOW, look=a_look(seen=seen)))

    assert "Holds    30.00 USDT  -25.0%" in text


def test_a_look_without_a_price_is_valued_with_the_one_at_hand():
    look = a_look()
    assert look.seen is not None
    blind = replace(look, seen=replace(look.seen, price=None))

    without = check_message(status_view(account=account(), now=NOW, look=blind))
    valued = check_message(
        status_view(account=account(), now=NOW, look=blind, price=Decimal("0.002"))
    )

    assert "≈" not in without
    assert "≈ 183.72 USDT" in valued


def test_a_trade_on_paper_is_marked():
    trade = a_trade(dry_run=True, side=Side.SELL)

    text = check_message(status_view(account=account(), now=NOW, last_trade=trade))

    assert "sold 8,142 MNTL" in text
    assert "(paper)" in text


@given(
    held=huge,
    base=huge,
    price=tiny_price,
    target=st.decimals(min_value="0.01", max_value=10**9, places=2),
    symbol=st.from_regex(r"[A-Z0-9]{1,16}USDT", fullmatch=True),
)
def test_the_card_fits_a_phone_with_any_numbers(
    held: Decimal, base: Decimal, price: Decimal, target: Decimal, symbol: str
):
    seen = BalanceSnapshot(
        symbol=Symbol(symbol), quote=Balance(held), base=Balance(base), held=held, price=price
    )
    trade = a_trade(symbol=Symbol(symbol), quote_after=held, base_after=base)
    wishes = settings(target=target, symbol=Symbol(symbol), paused=True, dry_run=True)

    check_message(
        status_view(
            account=account(settings=wishes),
            now=NOW,
            look=a_look(seen=seen, at=NOW - timedelta(days=400)),
            last_trade=replace(trade, execution=execution(base, held)),
            rules=rules(quantity_step="0.000001"),
        )
    )
