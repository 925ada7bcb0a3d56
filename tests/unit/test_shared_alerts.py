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
from bot.parsing.alerts import UnknownZone, parse_shared_alerts
from bot.views.alerts.alerts import alert_view
from bot.views.alerts.shared import shared_alert_view
from bot.views.errors import error_view
from bot.views.shared_alerts import shared_alerts_view, shared_zone_unknown_view
from bot.views.shared_groups import owner_answered_view
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share, SharedAlerts
from engine.domain.alerts.alerts import (
    ChatDeliverable,
    ChatUndeliverable,
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
from engine.domain.alerts.key_alerts import KeyEnding, KeyTooPowerful, MoneyShared
from engine.domain.alerts.order_alerts import PauseAnswerSettled, StrayOrderFound
from engine.domain.alerts.pace_alerts import GuardActed, GuardLifted, SlotMissed
from engine.domain.alerts.pause_alerts import PauseEnded, ResumeAsked
from engine.domain.alerts.plan_alerts import PortfolioNoticed, PortfolioOffered
from engine.domain.alerts.price_alerts import PriceMoved
from engine.domain.alerts.report_alerts import WeeklyReport
from engine.domain.alerts.run_alerts import RunSettled
from engine.domain.alerts.share_alerts import SharingBegun, SharingEnded, SharingLeft
from engine.domain.alerts.shared_alerts import AccountChanged, GroupAnswered, GroupAsks
from engine.domain.alerts.sharing import is_heard
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.alerts.stream_alerts import StreamsBack, StreamsLost
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import AccountId, Trigger
from engine.domain.portfolio.plan import Leg
from engine.errors import AccountElsewhere, AddressRefused, EngineError
from engine.membership.sharing import Redeemed
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
    band=settings().fixed_goal.band,
)
NOTICE = PortfolioNoticed(
    dry_run=False,
    assets=4,
    outside=(Asset("BTC"), USDT),
    legs=(Leg(asset=Asset("BTC"), side=Side.BUY, quote_amount=D("17.10")),),
    cost=D("0.02"),
)
_GONE: dict[str, Any] = {
    "dry_run": False,
    "chat_id": -5,
    "name": "",
    "since": START,
    "problem": "",
}
ASKS = GroupAsks(
    title="The <Club>", user_id=2, name="Mia", role=Role.TRADER, until=START, question_id="q"
)
ALL = [
    ASKS,
    SharingBegun(chat_id=2, name="Mia", role=Role.VIEWER),
    SharingLeft(chat_id=2, name="Mia", role=Role.VIEWER),
    SharingEnded(owner="Anna", disconnected=True),
    GroupAnswered(is_admitted=True, role=Role.TRADER, name="Mia"),
    *alerts_in_mode(),
    DRIFT,
    PlanOffered(confirmation_id="q", drift=DRIFT),
    NOTICE,
    PortfolioOffered(confirmation_id="q", notice=NOTICE),
    Halted(dry_run=False),
    HaltLifted(dry_run=False, paused=True),
    MemberJoined(user_id=2, name="Mia", role=None),
    ChatUndeliverable(**_GONE, gone=True, paused=True, pauses_at=START),
    ChatDeliverable(**_GONE, at=START, resumed=False, paused=False),
    StreamsLost(live=400, of=1000, since=START),
    StreamsBack(live=990, of=1000, since=START, at=START + timedelta(minutes=4)),
    PauseAnswerSettled(
        symbol=MNTLUSDT,
        side=Side.BUY,
        base_quantity=D(0),
        quote_amount=D(0),
        message_id=1,
        payload='{"text": "Trading is paused. It may fill.", "keyboard": null}',
        doubt="It may fill.",
    ),
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
    *(PortfolioNoticed, PortfolioOffered),
    *(BalanceChanged, DepositTraded, DepositWaiting, DepositKept, RunSettled, SlicedTradeOver),
}
TROUBLES = {
    *(OrderUnclear, OrderNeverArrived, OrderNeedsPerson, IncidentAlert, IncidentResolved),
    *(Halted, HaltLifted, LowBalanceReached, LowBalanceOver, PauseEnded, AccountChanged),
    *(KeyTooPowerful, MoneyShared),  # where they pause trading
    PricesNotTaken,
    GuardActed,
    GuardLifted,
    SlotMissed,
    StrayOrderFound,
}
OWNERS = {
    *(KeyEnding, Digest, MemberJoined, ChatUndeliverable, ChatDeliverable),
    *(GroupAsks, GroupAnswered, SharingBegun, SharingLeft, SharingEnded),
    *(WeeklyReport, PauseAnswerSettled, PriceMoved, StreamsLost, StreamsBack),
}


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
                needed = needed_for(press.command, press.argument, is_shared=True)

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
    assert "Only the owner of this account can mend it. I told them what to do." in text


def test_a_changed_target_is_no_trouble():
    changed = AccountChanged(dry_run=False, user_id=2, target=D(60))

    assert is_heard(changed, SharedAlerts.ALL, role=Role.VIEWER)
    assert not is_heard(changed, SharedAlerts.TROUBLES, role=Role.VIEWER)


def test_a_change_in_another_chat_says_who_changed_what():
    changed = AccountChanged(
        dry_run=False,
        user_id=2,
        name="Mia",
        trading=False,
        target=D(60),
        threshold=settings().threshold,
        paused=True,
    )

    text = check_message(alert_view(changed))

    assert "PAUSED · Changed in another chat" in text
    assert "Mia paused trading.\nMia set the target to 60.00 USDT." in text
    assert "Mia set the threshold to ±5%." in text
    assert "User 2 started trading." in check_message(
        alert_view(replace(changed, name="", trading=True))
    )


@pytest.mark.parametrize(
    "error",
    [AddressRefused(code=700006, message="IP [203.0.113.7]"), AccountElsewhere("another chat")],
)
def test_who_sees_an_account_hears_of_no_address_and_of_no_other_chat(error: EngineError):
    text = check_message(error_view(error, is_shared=True))

    assert "Only the owner of this account can mend it." in text
    assert "203.0.113.7" not in text
    assert "nother chat" not in text


def test_the_question_to_the_owner_says_what_the_group_and_who_sent_the_link_may_do():
    text = check_message(alert_view(ASKS))
    watching = check_message(alert_view(replace(ASKS, role=Role.VIEWER)))

    assert "The group: The <Club>" in text
    assert (
        "Mia and the group's traders could also pause, resume, rebalance and set the target."
        in text
    )
    assert "could also" not in watching
    assert "Everybody in the group would see balances, trades and settings." in watching


@pytest.mark.parametrize("result", [*Redeemed, None])
def test_what_became_of_the_owners_answer_is_said_in_words(result: Redeemed | None):
    text = check_message(owner_answered_view(result, title="The <Club>"))

    assert ("sees your account now" in text) == (result in {Redeemed.JOINED, Redeemed.ALREADY})
    assert check_message(owner_answered_view(Redeemed.JOINED, title=""))


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("all", SharedAlerts.ALL),
        ("Troubles", SharedAlerts.TROUBLES),
        ("off", SharedAlerts.OFF),
        ("zone europe/berlin", "Europe/Berlin"),
        ("loud", None),
    ],
)
def test_a_shared_chat_chooses_in_one_word(typed: str, wanted: object):
    assert parse_shared_alerts(typed) == wanted


def test_a_time_zone_that_nobody_knows_is_refused_with_what_is_near():
    with pytest.raises(UnknownZone) as refused:
        parse_shared_alerts("zone berln")

    assert "Europe/Berlin" in check_message(
        shared_zone_unknown_view(suggestions=refused.value.suggestions)
    )
    assert "Europe/Berlin" in check_message(shared_zone_unknown_view(suggestions=()))


@pytest.mark.parametrize("wanted", SharedAlerts)
def test_the_panel_of_a_shared_chat_offers_what_it_does_not_have(wanted: SharedAlerts):
    share = Share(
        chat_id=-5,
        account_id=AccountId(1),
        role=Role.TRADER,
        user_id=2,
        name="The Club",
        shared_by=1001,
        created_at=START,
        alerts=wanted,
        time_zone="Asia/Tokyo",
    )
    view = shared_alerts_view(share=share, now=START, is_theirs=True)

    assert "It is 21:00 there now." in check_message(view)
    assert {press.argument for press in presses(view)} == {
        level.value for level in SharedAlerts if level is not wanted
    }
    assert presses(shared_alerts_view(share=share, now=START, is_theirs=False)) == []
    unknown = shared_alerts_view(share=share, now=START, is_theirs=True, is_understood=False)
    assert "Nothing changed." in unknown.text
    assert "Nothing changed." not in view.text
