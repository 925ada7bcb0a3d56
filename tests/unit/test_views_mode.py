"""The mode in the first line is the real one, in every alert and every view of an account."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.interaction.message import Message
from bot.views.alerts.alerts import alert_view
from bot.views.components.badges import badge
from docs.gallery_cards import CARDS
from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import (
    Digest,
    IncidentAlert,
    IncidentResolved,
    LowBalanceOver,
    LowBalanceReached,
    ManualDeclined,
    OrderNeverArrived,
    OrderUnclear,
    PricesNotTaken,
    RunDeclined,
    TradeSettled,
)
from engine.domain.alerts.deposit_alerts import (
    BalanceChanged,
    DepositKept,
    DepositTraded,
    DepositWaiting,
)
from engine.domain.alerts.key_alerts import InMode, KeyEnding, KeyTooPowerful, MoneyShared
from engine.domain.alerts.order_alerts import StrayOrderFound
from engine.domain.alerts.pace_alerts import GuardActed, GuardLifted, SlotMissed
from engine.domain.alerts.pause_alerts import PauseEnded, ResumeAsked
from engine.domain.alerts.price_alerts import PriceMoved
from engine.domain.alerts.report_alerts import WeeklyReport
from engine.domain.alerts.run_alerts import RunSettled, RunTrade
from engine.domain.alerts.shared_alerts import AccountChanged
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.execution.slices import SlicesEnd
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import Trigger
from engine.domain.portfolio.run import RunEnd
from engine.storage.serialization import ALERTS
from tests.builders import MNTL, MNTLUSDT, account, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
ORDER: dict[str, Any] = {"symbol": MNTLUSDT, "side": Side.BUY, "expected_quote": D("17.1")}
TRADED = RunTrade(symbol=MNTLUSDT, side=Side.BUY, base_quantity=D(8142), quote_amount=D("16.30"))
OVER: dict[str, Any] = {
    "symbol": MNTLUSDT,
    "side": Side.BUY,
    "end": SlicesEnd.DONE,
    "slices": 3,
    "orders": 3,
    "base_quantity": D(5000),
    "quote_amount": D(10),
    "fees": {},
    "fees_complete": True,
    "cost": D("0.02"),
    "left": D(0),
}
TROUBLE: dict[str, Any] = {"detail": "", "count": 2, "since": START, "at": START}


def _deposit(dry_run: bool) -> dict[str, Any]:
    moved = BalanceChange(at=START, dry_run=dry_run, asset=USDT, before=D(40), after=D(140))
    return {
        "symbol": MNTLUSDT,
        "moved": (moved,),
        "quantity_step": None,
        "held": D(140),
        "target": D(40),
    }


def alerts(*, dry_run: bool = False) -> list[Any]:
    """One of each kind that stands in a mode, and a trouble of each kind."""
    return [
        TradeSettled(
            dry_run=dry_run,
            symbol=MNTLUSDT,
            side=Side.BUY,
            trigger=Trigger.INTERVAL,
            base_quantity=D(8142),
            quote_amount=D("16.30"),
            asked_quote=D("17.10"),
            fees={USDT: D("0.01")},
            quote_before=D("57.10"),
            quote_after=D("40.79"),
            target=D(40),
        ),
        OrderUnclear(dry_run=dry_run, **ORDER),
        GuardActed(dry_run=dry_run, fall=D("0.25"), allowed=D("0.2")),
        GuardLifted(dry_run=dry_run, fall=D("0.1")),
        SlotMissed(dry_run=dry_run, at=START, next_at=START + timedelta(days=1)),
        PauseEnded(dry_run=dry_run, **ORDER),
        ResumeAsked(dry_run=dry_run, **ORDER, again_at=START),
        SlicedTradeOver(dry_run=dry_run, **OVER),
        OrderNeverArrived(dry_run=dry_run, **ORDER),
        ManualDeclined(dry_run=dry_run, symbol=MNTLUSDT, side=Side.SELL),
        RunDeclined(dry_run=dry_run, symbol=MNTLUSDT, held=D(40), target=D(40), reason=None),
        BalanceChanged(
            dry_run=dry_run,
            symbol=MNTLUSDT,
            moved=(
                BalanceChange(at=START, dry_run=dry_run, asset=USDT, before=D(40), after=D(140)),
            ),
            by_hand=False,
            held=D(140),
            target=D(40),
            band=settings().fixed_goal.band,
            autonomy=TradingMode.AUTO,
        ),
        DepositTraded(dry_run=dry_run, order_limit=D(400), has_choices=True, **_deposit(dry_run)),
        DepositWaiting(
            dry_run=dry_run,
            amount=D(100),
            buys=D(100),
            new_target=D(140),
            until=START,
            asks=False,
            question_id="q",
            **_deposit(dry_run),
        ),
        DepositKept(dry_run=dry_run, former_target=D(20), question_id="q", **_deposit(dry_run)),
        LowBalanceReached(dry_run=dry_run, symbol=MNTLUSDT, asset=MNTL, below=D(10), left=D(9)),
        LowBalanceOver(dry_run=dry_run, asset=MNTL, below=D(10), left=D(11)),
        PriceMoved(
            dry_run=dry_run,
            asset=MNTL,
            fraction=D("0.1"),
            before=D("0.002"),
            after=D("0.0022"),
            since=START,
            at=START + timedelta(hours=3),
        ),
        WeeklyReport(dry_run=dry_run, since=START, at=START + timedelta(days=7), trading=True),
        Digest(
            dry_run=dry_run,
            since=START,
            at=START + timedelta(days=1),
            target=D(40),
            trades=0,
            bought=D(0),
            sold=D(0),
            fees={},
            small=0,
            smallest=D(0),
        ),
        KeyEnding(dry_run=dry_run, key_tail="BWC5", days_left=3, expires_at=START),
        KeyTooPowerful(dry_run=dry_run, key_tail="BWC5", powers="SPOT_WITHDRAW_WRITE"),
        MoneyShared(dry_run=dry_run, key_tail="BWC5"),
        RunSettled(
            dry_run=dry_run,
            trigger=Trigger.INTERVAL,
            end=RunEnd.INSIDE,
            trades=(TRADED, TRADED),
            fees={USDT: D("0.01")},
            fees_complete=True,
            cost=D("0.02"),
        ),
        PricesNotTaken(dry_run=dry_run, symbol=MNTLUSDT),
        PricesNotTaken(dry_run=dry_run, symbol=MNTLUSDT, rested=True),
        StrayOrderFound(
            dry_run=dry_run,
            symbol=MNTLUSDT,
            side=Side.BUY,
            price=D("0.001998"),
            base_quantity=D(8521),
            executed=D(3000),
            client_order_id="bl" + "a2" * 13,
        ),
        AccountChanged(dry_run=dry_run, user_id=2, name="Mia", trading=True),
        *(
            one
            for kind in IncidentKind
            for one in (
                IncidentAlert(dry_run=dry_run, kind=kind, symbol=MNTLUSDT, **TROUBLE),
                IncidentResolved(
                    dry_run=dry_run, kind=kind, count=2, since=START, at=START + timedelta(1)
                ),
            )
        ),
    ]


def first_line(view: Message) -> str:
    return check_message(view).splitlines()[0]


def test_every_kind_of_alert_that_stands_in_a_mode_is_tried():
    assert {type(alert) for alert in alerts()} == {
        kind for kind in ALERTS.values() if issubclass(kind, InMode)
    }


@pytest.mark.parametrize(
    ("mode", "word"),
    [({"paused": True}, "PAUSED"), ({"halted": True, "paused": True}, "HALTED"), ({}, "LIVE")],
)
def test_an_alert_names_the_mode_the_chat_is_in(mode: dict[str, bool], word: str):
    for alert in alerts():
        head = first_line(alert_view(replace(alert, **mode)))
        others = {"LIVE", "PAUSED", "HALTED"} - {word}

        assert f"{word} · " in head
        assert not [other for other in others if other in head]


def test_an_alert_on_paper_says_so_in_every_mode():
    for alert in alerts(dry_run=True):
        assert "DRY RUN · " in first_line(alert_view(alert))
        assert "PAUSED (dry run) · " in first_line(alert_view(replace(alert, paused=True)))


def test_what_says_that_trading_is_paused_has_paused_as_its_mode():
    said = [alert_view(replace(alert, paused=True)) for alert in alerts()]
    said += [shown for card in CARDS for shown in card.chat if isinstance(shown, Message)]

    for view in said:
        if "Trading is paused" in view.text:
            assert "PAUSED" in view.text.splitlines()[0]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (account(sealed_key=None, key_tail=None), "🔑 NO KEY"),
        (account(), "🟢 LIVE"),
        (account(sealed_key=None, settings=settings(dry_run=True)), "🧪 DRY RUN"),
        (account(sealed_key=None, settings=settings(paused=True)), "⏸ PAUSED"),
        (account(sealed_key=None, halted=True), "🛑 HALTED"),
    ],
)
def test_without_a_key_nothing_is_live(who: Account, expected: str):
    assert badge(who) == expected
