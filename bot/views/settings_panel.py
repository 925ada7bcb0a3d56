"""The settings panel: an overview, and a page with presets for each setting."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from telegram import InlineKeyboardButton

from bot.interaction.callback_data import (
    PRESSABLE,
    Confirm,
    EnterValue,
    Open,
    PanelPage,
    SetPreset,
)
from bot.interaction.message import Message
from bot.parsing.settings import Topic
from bot.views.components.amounts import cents, pair_name, threshold, usdt
from bot.views.components.badges import badge
from bot.views.components.command_text import (
    interval_text,
    limits_text,
    target_text,
    threshold_text,
)
from bot.views.components.forecast import band_line, caution, outlook
from bot.views.components.keyboards import button, do, in_rows, keyboard
from bot.views.components.layout import block, escape, lines, row
from bot.views.components.times import exactly
from bot.views.settings import USAGE
from bot.views.undo import UNDO, undo_hint
from engine.domain.accounts import setting_presets
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.market.balances import Counting
from engine.domain.market.pairs import PairRules
from engine.domain.rebalancing.check_result import CheckResult
from engine.domain.rebalancing.planner import smallest_order
from engine.rebalancing.preview import Foreseen

_BACK = "⬅️ Back"
_LABEL = 13
_A_ROW = 4
# The icons are understood in any language.
_PAGES = {
    PanelPage.TARGET: ("🎯", "Target"),
    PanelPage.THRESHOLD: ("📏", "Threshold"),
    PanelPage.INTERVAL: ("⏱", "Interval"),
    PanelPage.PAIR: ("🪙", "Pair"),
    PanelPage.COUNTING: ("🔒", "Count"),
    PanelPage.LIMITS: ("🚧", "Limits"),
    PanelPage.DRY_RUN: ("🧪", "Dry run"),
}
_CHOSEN_FROM = frozenset({PanelPage.COUNTING, PanelPage.DRY_RUN})


def panel_view(
    *,
    account: Account,
    now: datetime,
    look: CheckResult | None,
    rules: PairRules | None,
    foreseen: Foreseen | None = None,
) -> Message:
    others = [
        do(f"{icon} {label}", command)
        for icon, label, command in (("🤖", "Mode", "mode"), ("🔔", "Alerts", "alerts"))
        if command in PRESSABLE
    ]
    named = " and ".join(f"/{c}" for c in ("mode", "alerts") if c in PRESSABLE)
    pages = [button(f"{icon} {label}", Open(page)) for page, (icon, label) in _PAGES.items()]
    return Message.paragraphs(
        f"{badge(account)} · /settings",
        block(_rows(account, rules)),
        outlook(account, look=look, rules=rules, foreseen=foreseen, now=now),
        f"{named} open their own." if named else None,
        keyboard=keyboard(pages[:3], pages[3:6], [*pages[6:], *others]),
    )


def page_view(
    *,
    page: PanelPage,
    account: Account,
    now: datetime,
    look: CheckResult | None,
    rules: PairRules | None,
    foreseen: Foreseen | None = None,
    title: str | None = None,
    undo: tuple[SettingsPatch, str] | None = None,
) -> Message:
    """One setting with its presets.
    After a change *title* reports it, and *undo* is the previous value and its confirmation.
    """
    settings = account.settings
    icon, label = _PAGES[page]
    warning = caution(settings, rules=rules, seen=look.seen if look else None)
    hint = f"Typed: {_usage(page)}"
    return Message.paragraphs(
        lines(
            f"{badge(account)} · {icon} {title or f'{label} {_value(page, account)}'}",
            band_line(settings),
            f"Smallest order {usdt(smallest_order(rules))}" if rules else None,
        ),
        outlook(account, look=look, rules=rules, foreseen=foreseen, now=now),
        warning.text if warning else None,
        undo_hint(undo[0]) if undo else None,
        hint,
        keyboard=keyboard(
            [button(UNDO, Confirm(undo[1]))] if undo else [],
            *in_rows(_presets(page, account, rules), _A_ROW),
            [
                *([] if page in _CHOSEN_FROM else [button("✏️ Other…", EnterValue(page))]),
                button(_BACK, Open(PanelPage.HOME)),
            ],
        ),
    )


def enter_view(*, page: PanelPage, account: Account, is_private: bool) -> Message:
    """Asks for the value."""
    icon, label = _PAGES[page]
    what, example = USAGE[Topic(page.value)]
    example = "order 500   or   price 15%" if page is PanelPage.LIMITS else _bare(example)
    return Message.of(
        f"{badge(account)} · {icon} {label} {_value(page, account)}",
        what,
        example,
        None if is_private else "Please send it as a reply to this message.",
        f"I wait for 10 min. Cancel, or any command like /{page.value}, ends that.",
        keyboard=keyboard([button("✖️ Cancel", Open(page))]),
    )


def still_waiting_view(refused: Message, *, page: PanelPage) -> Message:
    """*refused* is what was wrong with the value."""
    return Message.of(
        refused.text,
        "I still wait for it: please send it again without the command.",
        keyboard=keyboard([button("✖️ Cancel", Open(page))]),
    )


def failed_view(failure: Message, *, page: PanelPage) -> Message:
    """*failure* in the panel's place, with the way back. (/settings)"""
    return Message.of(failure.text, "/settings", keyboard=keyboard([button(_BACK, Open(page))]))


def _rows(account: Account, rules: PairRules | None) -> list[str]:
    settings = account.settings
    mode = f"{settings.autonomy.value} (/mode)" if "mode" in PRESSABLE else settings.autonomy.value
    rows = [
        ("🎯 Target", usdt(settings.target)),
        ("📏 Threshold", f"±{threshold(settings.threshold)}"),
        ("", f"{cents(settings.band.low)} – {cents(settings.band.high)}"),
        ("⏱ Interval", exactly(settings.interval)),
        ("🪙 Pair", pair_name(settings.symbol)),
        *([("", f"from {usdt(smallest_order(rules))}")] if rules else ()),
        ("🔒 Count", settings.counting.value),
        ("🚧 Limits", f"≤ {usdt(account.limits_in_force.order)}"),
        ("🤖 Mode", mode),
        ("🧪 Dry run", "on, on paper" if settings.dry_run else "off, real money"),
    ]
    return [line for label, value in rows for line in row(label, value, column=_LABEL)]


def _value(page: PanelPage, account: Account) -> str:  # noqa: PLR0911 - one return a page
    settings = account.settings
    match page:
        case PanelPage.TARGET:
            return usdt(settings.target)
        case PanelPage.THRESHOLD:
            return f"±{threshold(settings.threshold)}"
        case PanelPage.INTERVAL:
            return exactly(settings.interval)
        case PanelPage.PAIR:
            return escape(pair_name(settings.symbol))
        case PanelPage.COUNTING:
            return _counting(settings)
        case PanelPage.LIMITS:
            in_force = account.limits_in_force
            own = limits_text(account.limits)
            return f"{usdt(in_force.order)} an order, {usdt(in_force.day)} a day ({own})"
        case PanelPage.DRY_RUN:
            return "on: on paper" if settings.dry_run else "off: real money"
        case PanelPage.HOME:
            raise ValueError("the first page is about nothing in particular")
        case _:
            assert_never(page)


def _counting(settings: Settings) -> str:
    return "held, open orders too" if settings.counting is Counting.HELD else "free coins only"


def _presets(  # noqa: PLR0911 - one return a page
    page: PanelPage, account: Account, rules: PairRules | None
) -> Sequence[InlineKeyboardButton]:
    settings = account.settings
    smallest = smallest_order(rules) if rules else None
    match page:
        case PanelPage.TARGET:
            return [
                button(cents(value), SetPreset(page, target_text(value)))
                for value in setting_presets.targets(settings.target)
            ]
        case PanelPage.THRESHOLD:
            return [
                button(f"±{threshold(value)}", SetPreset(page, threshold_text(value)))
                for value in setting_presets.thresholds(settings, smallest=smallest)
            ]
        case PanelPage.INTERVAL:
            return [
                button(exactly(value), SetPreset(page, interval_text(value)))
                for value in setting_presets.intervals(settings.interval)
            ]
        case PanelPage.COUNTING:
            return [button(value.value, SetPreset(page, value.value)) for value in Counting]
        case PanelPage.LIMITS:
            amounts = setting_presets.order_limits(account.limits_in_force.order)
            return [
                *(button(cents(value), SetPreset(page, target_text(value))) for value in amounts),
                button("auto", SetPreset(page, "auto")),
            ]
        case PanelPage.DRY_RUN:
            return [
                button("🧪 on", SetPreset(page, "on")),
                button("🟢 off", SetPreset(page, "off")),
            ]
        case PanelPage.PAIR | PanelPage.HOME:
            return []
        case _:
            assert_never(page)


def _usage(page: PanelPage) -> str:
    return USAGE[Topic(page.value)][1].split("   or   ")[0]


def _bare(example: str) -> str:
    """The values alone: "/settarget 40" -> "40"."""
    return "   or   ".join(part.partition(" ")[2] for part in example.split("   or   "))
