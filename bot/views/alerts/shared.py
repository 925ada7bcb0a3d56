"""Alerts in a chat that an account is shared with: no question that its members may not answer."""

from bot.interaction.callback_data import RunCommand
from bot.interaction.message import Message
from bot.views.alerts.alerts import alert_view, unclear_order_lines
from bot.views.alerts.approvals import off_target_line, plan_text, whole_plan_lines
from bot.views.alerts.balance_changes import headline
from bot.views.alerts.deposits import moved_lines
from bot.views.components.amounts import usdt
from bot.views.components.badges import TROUBLE, alert_badge, mode_badge
from bot.views.components.keyboards import do, keyboard, with_buttons
from bot.views.components.layout import lines
from bot.views.components.times import utc
from bot.views.stray_orders import shared_stray_order_view
from engine.domain.accounts.members import Role
from engine.domain.alerts.alerts import (
    Alert,
    DriftNoticed,
    IncidentAlert,
    OrderNeedsPerson,
    PlanOffered,
)
from engine.domain.alerts.deposit_alerts import DepositKept, DepositWaiting
from engine.domain.alerts.key_alerts import InMode, KeyTooPowerful, MoneyShared
from engine.domain.alerts.order_alerts import StrayOrderFound
from engine.domain.alerts.plan_alerts import PortfolioNoticed, PortfolioOffered
from engine.domain.alerts.traits import AlertKind

# The commands of buttons that stay; other buttons answer a question of the owner's chat.
_ALL_MAY = frozenset({"balance", "history", "status", "why"})
_TRADERS_MAY = _ALL_MAY | {"pause", "rebalance", "resume"}


def shared_alert_view(  # noqa: C901, PLR0911 - one return an alert
    alert: Alert, *, role: Role
) -> Message:
    match alert:
        case PlanOffered(drift=drift):
            return _trade_due(drift, role)
        case DriftNoticed():
            return _trade_due(alert, role)
        case PortfolioOffered(notice=notice):
            return _plan_due(notice, role)
        case PortfolioNoticed():
            return _plan_due(alert, role)
        case DepositWaiting():
            return _deposit_waits(alert)
        case DepositKept():
            return _deposit_kept(alert)
        case OrderNeedsPerson():
            return _order_unclear(alert)
        case StrayOrderFound():
            return shared_stray_order_view(alert)
        case KeyTooPowerful() | MoneyShared():
            return _key_trouble(alert)
        case IncidentAlert() if alert.traits.kind is AlertKind.KEY:
            return _key_trouble(alert)
        case _:
            commands = _TRADERS_MAY if role.covers(Role.TRADER) else _ALL_MAY
            return with_buttons(
                alert_view(alert),
                lambda press: isinstance(press, RunCommand) and press.command in commands,
            )


def _trade_due(drift: DriftNoticed, role: Role) -> Message:
    head = f"{mode_badge(dry_run=drift.dry_run)} · Off target"
    return _due(lines(head, off_target_line(drift)), plan_text(drift), role)


def _plan_due(told: PortfolioNoticed, role: Role) -> Message:
    head = f"{mode_badge(dry_run=told.dry_run)} · Off target"
    return _due(head, lines(*whole_plan_lines(told)), role)


def _due(head: str, plan: str, role: Role) -> Message:
    may_trade = role.covers(Role.TRADER)
    return Message.paragraphs(
        head,
        plan,
        lines(
            "I sent nothing. The owner of this account decides about each trade.",
            "To see a plan here: /rebalance" if may_trade else None,
        ),
        keyboard=keyboard([do("Rebalance", "rebalance")]) if may_trade else None,
    )


def _deposit_waits(told: DepositWaiting) -> Message:
    head = f"{usdt(told.amount)} still waiting"
    if told.moved:
        head = headline(told.moved[0], step=told.quantity_step)
    return Message.of(
        f"{alert_badge(told)} · {head}",
        *moved_lines(told),
        "I asked the owner of this account what to do with it."
        if told.asks
        else f"I trade it {utc(told.until)}, if the owner of this account does not decide before.",
    )


def _deposit_kept(told: DepositKept) -> Message:
    return Message.of(
        f"{alert_badge(told)} · {headline(told.moved[0], step=told.quantity_step)}",
        *moved_lines(told),
        f"I keep it: the target is {usdt(told.target)} now.",
    )


def _order_unclear(alert: OrderNeedsPerson) -> Message:
    return Message.of(
        f"{mode_badge(dry_run=alert.dry_run, halted=True)} · An order is unclear",
        *unclear_order_lines(alert),
        "I send nothing else until I know.",
        "I asked the owner of this account to look at MEXC. More: /status",
        keyboard=keyboard([do("Status", "status")]),
    )


def _key_trouble(alert: InMode) -> Message:
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · A problem with MEXC or the key",
        "No order was sent.",
        "Trading is paused." if alert.paused else None,
        "Only the owner of this account can mend it. I told them what to do.",
    )
