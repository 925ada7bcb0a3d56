"""Alerts of an account in the other chats that it is shared with: which, and with which buttons."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

import pytest

from bot.access.permissions import needed_for
from bot.interaction.callback_data import RunCommand, decode
from bot.interaction.message import Message
from bot.views.alerts.shared import shared_alert_view
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import SharedAlerts
from engine.domain.alerts.alerts import (
    BalanceChanged,
    ChatDeliverable,
    ChatUndeliverable,
    DepositKept,
    DepositTraded,
    DepositWaiting,
    Digest,
    DriftNoticed,
    Halted,
    HaltLifted,
    IncidentAlert,
    IncidentResolved,
    LowBalanceOver,
    LowBalanceReached,
    ManualDeclined,
    MemberJoined,
    OrderNeedsPerson,
    OrderNeverArrived,
    OrderUnclear,
    PlanOffered,
    RunDeclined,
    TradeSettled,
)
from engine.domain.alerts.key_alerts import KeyEnding, KeyTooPowerful, MoneyShared
from engine.domain.alerts.pause_alerts import PauseEnded, ResumeAsked
from engine.domain.alerts.sharing import is_heard
from engine.domain.market.pairs import Side
from engine.domain.orders.order import Trigger
from engine.storage.serialization import ALERTS
from tests.builders import MNTLUSDT, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message
from tests.unit.test_views_length import MOST_LINES, lines_of
from tests.unit.test_views_mode import alerts as alerts_in_mode

D = Decimal
DRIFT = DriftNoticed(
    dry_run=False,
    symbol=MNTLUSDT,
    side=Side.BUY,
    expected_quote=D("17.10"),
    expected_base=D(8550),
    held=D("57.10"),
    target=D(40),
    band=settings().band,
)
_GONE: dict[str, Any] = {
    "dry_run": False,
    "chat_id": -5,
    "name": "",
    "since": START,
    "problem": "",
}
ALL = [
    *alerts_in_mode(),
    DRIFT,
    PlanOffered(confirmation_id="q", drift=DRIFT),
    Halted(dry_run=False),
    HaltLifted(dry_run=False, paused=True),
    MemberJoined(user_id=2, name="Mia", role=None),
    ChatUndeliverable(**_GONE, gone=True, paused=True, pauses_at=START),
    ChatDeliverable(**_GONE, at=START, resumed=False, paused=False),
    OrderNeedsPerson(
        dry_run=False,
        symbol=MNTLUSDT,
        side=Side.BUY,
        expected_quote=D("17.10"),
        client_order_id="BALc1",
    ),
]
TRADES = {
    *(TradeSettled, RunDeclined, ManualDeclined, DriftNoticed, PlanOffered, ResumeAsked),
    *(BalanceChanged, DepositTraded, DepositWaiting, DepositKept),
}
TROUBLES = {
    *(OrderUnclear, OrderNeverArrived, OrderNeedsPerson, IncidentAlert, IncidentResolved),
    *(Halted, HaltLifted, LowBalanceReached, LowBalanceOver, PauseEnded),
    *(KeyTooPowerful, MoneyShared),  # where they pause trading
}
OWNERS = {KeyEnding, Digest, MemberJoined, ChatUndeliverable, ChatDeliverable}


def paused(alert: Any) -> Any:
    return replace(alert, paused=True) if hasattr(alert, "paused") else alert


def presses(message: Message) -> list[RunCommand]:
    rows = message.keyboard.inline_keyboard if message.keyboard else ()
    found = [decode(str(one.callback_data)) for one in chain.from_iterable(rows)]
    assert all(isinstance(press, RunCommand) for press in found), found
    return [press for press in found if isinstance(press, RunCommand)]


def test_it_is_decided_of_every_alert_who_gets_it():
    assert {*ALERTS.values()} == TRADES | TROUBLES | OWNERS == {type(alert) for alert in ALL}


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (SharedAlerts.ALL, TRADES | TROUBLES),
        (SharedAlerts.TROUBLES, TROUBLES),
        (SharedAlerts.OFF, set()),
    ],
)
def test_a_watching_chat_gets_the_alerts_that_it_wants(wanted: SharedAlerts, kinds: set[type]):
    heard = {type(alert) for alert in ALL if is_heard(paused(alert), wanted, role=Role.VIEWER)}

    assert heard == kinds


def test_a_key_that_may_do_too_much_is_its_owners_matter_while_trading_goes_on():
    for alert in ALL:
        if isinstance(alert, KeyTooPowerful | MoneyShared):
            assert not is_heard(alert, SharedAlerts.ALL, role=Role.TRADER)


@pytest.mark.parametrize("wanted", [SharedAlerts.TROUBLES, SharedAlerts.OFF])
def test_who_may_trade_always_gets_what_became_of_a_trade_that_was_asked_for(wanted: SharedAlerts):
    [trade] = [alert for alert in ALL if isinstance(alert, TradeSettled)]
    by_hand = replace(trade, trigger=Trigger.PERSON)
    [declined] = [alert for alert in ALL if isinstance(alert, RunDeclined)]

    assert is_heard(by_hand, wanted, role=Role.TRADER)
    assert is_heard(declined, wanted, role=Role.TRADER)
    assert not is_heard(trade, wanted, role=Role.TRADER)
    assert not is_heard(by_hand, wanted, role=Role.VIEWER)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER])
def test_a_shared_alert_has_no_button_that_is_refused(role: Role):
    for alert in map(paused, ALL):
        if is_heard(alert, SharedAlerts.ALL, role=role):
            for press in presses(shared_alert_view(alert, role=role)):
                needed = needed_for(press.command, press.argument)

                assert role.covers(needed), alert


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER])
def test_a_shared_alert_asks_no_question_and_tells_nothing_of_the_key(role: Role):
    for alert in map(paused, ALL):
        if is_heard(alert, SharedAlerts.ALL, role=role):
            view = shared_alert_view(alert, role=role)
            text = check_message(view)

            assert len(lines_of(view)) <= MOST_LINES
            assert "Shall I" not in text
            assert not [word for word in ("BWC5", "/connect", "WITHDRAW") if word in text], text


def test_a_trader_can_ask_for_a_plan_where_the_owner_is_asked():
    offered = PlanOffered(confirmation_id="q", drift=DRIFT)

    assert presses(shared_alert_view(offered, role=Role.TRADER)) == [RunCommand("rebalance")]
    assert presses(shared_alert_view(offered, role=Role.VIEWER)) == []


def test_a_trouble_of_the_key_says_only_that_its_owner_is_told():
    trouble = IncidentAlert(
        dry_run=False,
        kind=IncidentKind.KEY_REFUSED,
        detail="api key BWC5 is wrong",
        count=1,
        since=START,
        at=START + timedelta(1),
        symbol=MNTLUSDT,
        paused=True,
    )

    text = check_message(shared_alert_view(trouble, role=Role.VIEWER))

    assert "Trading is paused." in text
    assert "I told the owner of this account what to do." in text
