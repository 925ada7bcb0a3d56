"""The card: what it shows, what it warns about, and that it fits whatever the numbers."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interaction.message import Message
from bot.views.components.badges import badge
from bot.views.status import status_view
from engine.accounts.overview import Week
from engine.domain.accounts.deposits import DepositChoice, DepositRule, WaitingDeposit
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.accounts.settings import TradingMode
from engine.domain.accounts.timed_pause import TimedPause
from engine.domain.execution.bound import ExecutionMode, Slippage
from engine.domain.execution.capability import UNKNOWN, Answer, Capability
from engine.domain.market.balances import Balance, Counting
from engine.domain.market.pairs import Side, Symbol
from engine.domain.orders.order import ClientOrderId, OrderState, Trigger
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    AwaitingSettlement,
    BalanceSnapshot,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
    newest_price,
    price_in,
)
from engine.domain.rebalancing.planner import InsideBand, PairClosed
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
        "band": settings().fixed_goal.band,
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
        look=a_look(held="40.79"),
        checked=a_look(held="40.79"),
        next_check_at=NOW + timedelta(seconds=72),
        rules=rules(),
        last_trade=a_trade(),
        week=Week(timedelta(days=7), Decimal("1.31"), Decimal("1.84"), False, Decimal("0.002024")),
    )

    assert check_message(view).splitlines() == [
        "🟢 LIVE · MNTL/USDT",
        "USDT     40.79  target 40 ±5%",
        "         38 ▕───────●───▏ 42",
        "MNTL     91,858 ≈ 183.72 USDT",
        "Total    224.51 USDT",
        "Price    0.002  11:59",
        "         -1.2% in 24 h",
        "Made 7d  +1.31 (trading +1.84)",
        "Orders   market",
        "Last     bought 8,142  11:57",
        "Checked  22 Nov 11:59 ✓ in band",
        "Next     12:01, then every 2m",
        "",
        "I renew this card every 15 min. Is it older? Tap Refresh.",
        "Times in UTC. Set yours: /alerts",
    ]
    assert labels(view) == [
        ["Rebalance…", "Pause"],
        ["Target", "Threshold", "History"],
        ["Refresh", "Why", "Settings", "Pin"],
    ]


@pytest.mark.parametrize(
    ("wishes", "ioc", "row"),
    [
        ({}, UNKNOWN, "Orders   within 1%"),
        (
            {"slippage": Slippage(Decimal("0.0005"), strict=True)},
            Capability(Answer.YES, NOW),
            "Orders   within 0.05% strict",
        ),
        ({}, Capability(Answer.NO, NOW), "Orders   only market here"),
    ],
)
def test_the_card_says_how_orders_are_sent(wishes: dict[str, Any], ioc: Capability, row: str):
    one = account(settings=replace(settings(), execution=ExecutionMode.AUTO, **wishes))
    text = check_message(status_view(account=one, now=NOW, ioc=ioc))

    assert row in text.splitlines()


@pytest.mark.parametrize(
    ("week", "rows"),
    [
        (Week(), []),
        (
            Week(timedelta(days=1, hours=23), Decimal("-0.531"), Decimal(0)),
            ["Made 1d  -0.53 USDT"],
        ),
        (
            Week(timedelta(days=7), Decimal("1.31"), Decimal("1.84"), about=True),
            ["Made 7d  about +1.31", "         (trading +1.84)"],
        ),
        (
            Week(timedelta(days=7), Decimal("13131.31"), Decimal("-98131.84")),
            ["Made 7d  +13,131.31", "         (trading -98,131.84)"],
        ),
    ],
)
def test_what_a_week_brought_is_one_row_where_it_is_known(week: Week, rows: list[str]):
    text = check_message(status_view(account=account(), now=NOW, look=a_look(), week=week))

    assert text.splitlines()[6 : 6 + len(rows)] == rows
    assert "24 h" not in text


def test_the_change_of_a_day_is_left_out_where_the_price_is_old():
    old = replace(a_look(), at=NOW - timedelta(hours=2))
    week = Week(day_ago=Decimal("0.001"))

    assert "24 h" not in check_message(
        status_view(account=account(), now=NOW, look=old, week=week)
    )


def labels(view: Message) -> list[list[str]]:
    assert view.keyboard is not None
    return [[button.text for button in row] for row in view.keyboard.inline_keyboard]


@pytest.mark.parametrize(
    ("held", "gauge"),
    [
        ("38", "38 ▕●──────────▏ 42"),
        ("40", "38 ▕─────●─────▏ 42"),
        ("42", "38 ▕──────────●▏ 42"),
        ("37.99", "38 ●▕───────────▏ 42"),
        ("5057.10", "38 ▕───────────▏● 42"),
    ],
)
def test_the_gauge_shows_where_in_the_band_the_balance_is(held: str, gauge: str):
    text = check_message(status_view(account=account(), now=NOW, look=a_look(held=held)))

    assert text.splitlines()[2].strip() == gauge
    assert "%," not in text  # how far is not told in thousands of percent


def test_a_wide_band_has_a_row_of_its_own_below_its_gauge():
    wide = account(settings=settings(target=Decimal(1_000_000_000)))

    text = check_message(status_view(account=wide, now=NOW, look=a_look()))

    assert text.splitlines()[1:6] == [
        "USDT     57.10",
        "         target 1,000,000,000",
        "         ±5%",
        "         ●▕───────────▏",
        "Band     950,000,000 –",
    ]


@pytest.mark.parametrize(
    ("due_in", "every", "rows"),
    [
        (72, 120, ["Watched  live, check by 12:01"]),
        (0, 120, ["Watched  live, check now"]),
        (600, 1300, ["Watched  live, check by 12:10", "         at least every 21 min"]),
        (86_399, 86_400, ["Watched  live, check by 11:59", "         at least every 24 h"]),
        (86_400, 86_400, ["Watched  live, check by 23 Nov", "         at least every 24 h"]),
    ],
)
def test_while_the_stream_is_live_the_card_says_so_and_how_often_it_is_checked_all_the_same(
    due_in: int, every: int, rows: list[str]
):
    view = status_view(
        account=account(),
        now=NOW,
        look=a_look(),
        next_check_at=NOW + timedelta(seconds=due_in),
        live_every=timedelta(seconds=every),
    )
    text = check_message(view).splitlines()

    start = text.index(rows[0])
    assert text[start : start + len(rows) + 1] == [*rows, ""]


@pytest.mark.parametrize(
    "stop",
    [
        {"account": account(settings=settings(paused=True))},
        {"account": account(sealed_key=None)},
        {"unresolved": intent(state=OrderState.UNKNOWN)},
    ],
)
def test_an_account_that_nothing_would_be_done_for_is_not_live(stop: dict[str, Any]):
    known: dict[str, Any] = {"account": account(), "live_every": timedelta(minutes=2)}

    assert "Watched" not in check_message(status_view(now=NOW, **known | stop))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (OrderPlaced(ClientOrderId("x"), Side.BUY, Decimal(17)), "order sent"),
        (OrderPending(ClientOrderId("x")), "order open"),
        (NoTrade(PairClosed()), "no order"),
        (AwaitingApproval(Side.BUY, Decimal(17), TradingMode.ASK), "up to you"),
        (AwaitingSettlement(), "waiting"),
        (AwaitingSettlement(told=True), "waiting"),
        (CheckFailed(IncidentKind.UNREACHABLE, ""), "failed"),
    ],
)
def test_the_last_check_stands_with_its_result_in_one_row(verdict: Decision, words: str):
    checked = a_look(verdict=verdict)

    text = check_message(status_view(account=account(), now=NOW, checked=checked))

    assert f"Checked  22 Nov 11:59 {words}\n" in text


def test_a_check_on_another_day_stands_with_its_day():
    due = NOW + timedelta(hours=13)

    text = check_message(status_view(account=account(), now=NOW, next_check_at=due))

    assert "Next     23 Nov 01:00" in text


def test_who_may_only_look_gets_no_button_that_refuses():
    stuck = intent(state=OrderState.NEEDS_HUMAN)

    view = status_view(account=account(), now=NOW, unresolved=stuck, for_viewer=True)

    assert labels(view) == [["Refresh", "Why", "History"]]
    assert "tap what you saw" not in check_message(view)


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
    assert "USDT     not seen yet" in text
    assert "Next     nothing without a key" in text
    assert "/connect" in text


def test_a_paused_account_shows_resume_and_no_next_check():
    view = status_view(account=account(settings=settings(paused=True)), now=NOW, look=a_look())

    text = check_message(view)

    assert "Next     nothing while paused" in text
    assert labels(view)[0] == ["Rebalance…", "Resume"]


@pytest.mark.parametrize(
    ("hours", "version", "says"),
    [
        (1, 1, "Paused until 13:00. Then trading starts again.\nIf the first order is big, I ask"),
        (24, 1, "Paused until 23 Nov 12:00. Then trading starts again."),
        (1, 2, "Paused until 13:00. Then I ask you, because something was changed."),
        (-1, 1, None),
    ],
)
def test_a_pause_with_an_end_says_when_it_is_and_what_comes_then(
    hours: int, version: int, says: str | None
):
    paused = account(settings=settings(paused=True), version=version)
    ends_at = NOW + timedelta(hours=hours)
    pause = TimedPause(user_id=1, version=1, ends_at=ends_at, due_at=ends_at)

    text = check_message(status_view(account=paused, now=NOW, pause=pause))

    assert (says or "Next     nothing while paused") in text
    assert ("until" in text) == bool(says)


@pytest.mark.parametrize(
    ("choice", "for_viewer", "says"),
    [
        (DepositChoice.WAIT, False, "30.00 USDT of a deposit waits until 13:00."),
        (DepositChoice.ASK, False, "30.00 USDT of a deposit waits for your answer: /deposits"),
        (DepositChoice.ASK, True, "30.00 USDT of a deposit waits for the owner's answer."),
    ],
)
def test_the_card_says_that_a_deposit_waits(choice: DepositChoice, for_viewer: bool, says: str):
    waiting = WaitingDeposit(amount=Decimal(30), until=NOW + timedelta(hours=1), question_id="q")
    waits = account(settings=settings(deposits=DepositRule(choice)), waiting=waiting)

    text = check_message(status_view(account=waits, now=NOW, for_viewer=for_viewer))
    over = status_view(account=waits, now=waiting.until, for_viewer=for_viewer)

    assert says in text
    assert "deposit" not in over.text


def test_a_failed_check_is_tried_again_soon():
    trouble = Incident(kind=IncidentKind.UNREACHABLE, detail="", since=NOW, last_at=NOW)

    text = check_message(status_view(account=account(), now=NOW, trouble=trouble))

    assert "Next     another try soon" in text


def test_what_is_not_dated_stays_the_same_while_nothing_happens():
    facts: dict[str, Any] = {"account": account(), "last_trade": a_trade()}
    look, later = a_look(), NOW + timedelta(days=1)
    assert look.seen is not None
    dearer = replace(look, at=later, seen=replace(look.seen, price=Decimal(2)))
    checks: dict[str, Any] = {"checked": dearer, "next_check_at": later}

    assert status_view(now=NOW, dated=False, look=look, **facts) == status_view(
        now=later, dated=False, look=dearer, **checks, **facts
    )


def test_a_pinned_card_offers_to_unpin():
    assert "Unpin" in str(status_view(account=account(), now=NOW, pinned=True).keyboard)


def test_old_balances_say_their_age():
    view = status_view(
        account=account(), now=NOW, look=a_look(at=NOW - timedelta(hours=3)), checked=a_look()
    )

    assert "Seen     22 Nov 09:00" in check_message(view)


def test_what_is_wrong_stands_below_the_card():
    trouble = Incident(
        kind=IncidentKind.UNREACHABLE,
        detail="",
        since=NOW - timedelta(minutes=14),
        last_at=NOW,
        count=37,
    )

    text = check_message(status_view(account=account(), now=NOW, trouble=trouble, undelivered=2))

    assert "since 22 Nov 11:46 UTC. More: /why" in text
    assert "2 messages have not reached you yet" in text


def test_a_single_failure_is_not_counted():
    trouble = Incident(kind=IncidentKind.PAIR_UNAVAILABLE, detail="", since=NOW, last_at=NOW)

    text = check_message(status_view(account=account(), now=NOW, trouble=trouble))

    assert "MNTL/USDT is closed to this key. More: /why" in text


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

    assert "USDT     40.79" in after
    assert "MNTL     100,000" in after
    assert "USDT     57.10" in without


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

    assert "USDT     30.00" in text


def test_a_look_without_a_price_is_valued_with_the_one_seen_last():
    earlier, look = price_in(a_look(at=NOW - timedelta(days=1)), MNTLUSDT), a_look()
    assert look.seen is not None
    blind = replace(look, seen=replace(look.seen, price=None))

    without = check_message(status_view(account=account(), now=NOW, look=blind))
    price = newest_price(price_in(blind, MNTLUSDT), None, earlier)
    valued = check_message(status_view(account=account(), now=NOW, look=blind, price=price))

    assert "≈" not in without
    assert "≈ 183.72 USDT" in valued
    assert "Price    0.002  21 Nov" in valued
    assert price_in(look, Symbol("BTCUSDT")) is None


def test_a_trade_on_paper_is_marked():
    trade = a_trade(dry_run=True, side=Side.SELL)

    text = check_message(status_view(account=account(), now=NOW, last_trade=trade))

    assert "sold 8,142  11:57" in text
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
            checked=a_look(),
            next_check_at=NOW + timedelta(days=1),
            last_trade=replace(trade, execution=execution(base, held)),
            rules=rules(quantity_step="0.000001"),
        )
    )


def test_the_card_of_a_shared_account_tells_nothing_of_its_key_and_has_no_owners_buttons():
    stuck = intent(state=OrderState.NEEDS_HUMAN)
    ending = account(key_expires_at=NOW + timedelta(days=3))

    view = status_view(account=ending, now=NOW, unresolved=stuck, is_shared=True)

    assert "BWC5" in check_message(status_view(account=ending, now=NOW))
    assert "BWC5" not in check_message(view)
    assert labels(view) == [
        ["Rebalance…", "Pause"],
        ["Target", "Threshold", "History"],
        ["Refresh", "Why", "Pin"],
    ]
