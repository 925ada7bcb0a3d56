"""The settings panel: an overview, and a page with presets for each setting."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from telegram import InlineKeyboardButton

from bot.interaction.callback_data import (
    BuildBasket,
    BuildStep,
    Confirm,
    EnterValue,
    Open,
    PanelPage,
    SetPreset,
)
from bot.interaction.message import Message
from bot.parsing.execution import slippage_text
from bot.parsing.input_rules import InputRule
from bot.parsing.settings import Topic
from bot.views.components.amounts import asset_amount, cents, pair_name, threshold, usdt
from bot.views.components.badges import badge
from bot.views.components.command_text import (
    amount_text,
    interval_text,
    limits_text,
    pair_texts,
    threshold_text,
)
from bot.views.components.execution_words import ORDERS, bound_lines, chosen, order_lines
from bot.views.components.forecast import band_line, next_check, warning_of
from bot.views.components.input_rules import RULES
from bot.views.components.keyboards import button, do, in_rows, keyboard
from bot.views.components.layout import block, echoed, escape, lines, listed, row
from bot.views.components.target_words import target_line
from bot.views.components.times import exactly
from bot.views.pacing import schedule_name
from bot.views.settings import USAGE
from bot.views.target import NEW_DRAFT
from bot.views.undo import UNDO, undo_hint
from engine.domain.accounts import setting_presets
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.execution.bound import Slippage
from engine.domain.market.balances import Counting
from engine.domain.market.pairs import PairRules, Symbol
from engine.domain.rebalancing.planner import smallest_order
from engine.domain.targets.notation import crash_guard_text
from engine.rebalancing.preview import Outlook

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
    PanelPage.EXECUTION: ("🎚", "Orders"),
    PanelPage.DRY_RUN: ("🧪", "Dry run"),
    PanelPage.SLIPPAGE: ("🎚", "Slippage"),
}
# Both are one page, with the buttons of both.
_OF_ORDERS = frozenset({PanelPage.EXECUTION, PanelPage.SLIPPAGE})
_BY_COMMAND = "/execution auto or /slippage 1%"
# Targets that are no amount of USDT.
_BASKET = [
    button("🧺 Build a basket", BuildBasket(NEW_DRAFT, BuildStep.SHOW, 0)),
    do("Shares: /target", "target"),
]
_COUNTING = {Counting.HELD: "held, open orders too", Counting.FREE: "free coins only"}
_CHOSEN_FROM = frozenset({PanelPage.COUNTING, PanelPage.DRY_RUN})


def panel_view(
    *,
    account: Account,
    now: datetime,
    outlook: Outlook,
) -> Message:
    pages = [
        button(f"{icon} {label}", Open(page))
        for page, (icon, label) in _PAGES.items()
        if page is not PanelPage.SLIPPAGE
    ]
    others = [do("🤖 Mode", "mode"), do("🔔 Alerts", "alerts")]
    around = [
        do("↔️ Bands", "bands"),
        do("↪️ Destination", "destination"),
        do("🛡 Protect", "protect"),
    ]
    pace = [
        do("🗓 Schedule", "schedule"),
        do("⏳ Cooldown", "cooldown"),
        do("📉 Guard", "crashguard"),
    ]
    return Message.paragraphs(
        f"{badge(account)} · Settings",
        block(_rows(account, outlook.rules)),
        next_check(account, outlook, now=now),
        "/mode and /alerts have pages of their own, as have /bands, /destination, /protect, /schedule, /cooldown and /crashguard.",
        keyboard=keyboard(*in_rows(pages, 3), others, around, pace),
    )


def page_view(
    *,
    page: PanelPage,
    account: Account,
    now: datetime,
    outlook: Outlook,
    title: str | None = None,
    undo: tuple[SettingsPatch, str] | None = None,
) -> Message:
    """One setting with its presets.
    After a change *title* reports it, and *undo* is the previous value and its confirmation.
    """
    settings = account.settings
    icon, label = _PAGES[page]
    rules = outlook.rules
    warning = warning_of(settings, outlook)
    entered = PanelPage.SLIPPAGE if page is PanelPage.EXECUTION else page
    return Message.paragraphs(
        lines(
            f"{badge(account)} · {icon} {title or f'{label} {_value(page, account)}'}",
            *_effects(page, account),
            f"Smallest order {usdt(smallest_order(rules))}" if rules else None,
        ),
        next_check(account, outlook, now=now),
        warning.text if warning else None,
        undo_hint(undo[0], present=undo[0].now(account)) if undo else None,
        f"You can also type {_BY_COMMAND if page in _OF_ORDERS else _usage(page)}.",
        keyboard=keyboard(
            [button(UNDO, Confirm(undo[1]))] if undo else [],
            *_rows_of_presets(page, account, outlook),
            _BASKET if page is PanelPage.TARGET else [],
            [
                *([] if page in _CHOSEN_FROM else [button("✏️ Other…", EnterValue(entered))]),
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
        "Send it now, or Cancel."
        if is_private
        else "Send it now as a reply to this message, or Cancel.",
        f"You can also type {_usage(page)}.",
        keyboard=keyboard([button("✖️ Cancel", Open(page))]),
    )


def still_waiting_view(*, page: PanelPage, typed_text: str, rule: InputRule) -> Message:
    """*rule* is what the value breaks."""
    return Message.of(
        f"I cannot use {echoed(typed_text)} here. Nothing changed.",
        RULES.get(rule),
        f"Send another value, like {_usage(page).partition(' ')[2]}, or Cancel.",
        f"You can also type {_usage(page)}.",
        keyboard=keyboard([button("✖️ Cancel", Open(page))]),
    )


def failed_view(failure: Message, *, page: PanelPage) -> Message:
    """*failure* in the panel's place, with the way back."""
    return Message.of(
        failure.text,
        "/settings shows all settings.",
        keyboard=keyboard([button(_BACK, Open(page))]),
    )


def _rows(account: Account, rules: PairRules | None) -> list[str]:
    settings, fixed, pacing = account.settings, account.settings.fixed, account.settings.pacing
    rows = [
        ("🎯 Target", target_line(settings.target, most=2)),
        ("📏 Threshold", f"±{threshold(settings.threshold)}"),
        *([("", f"{cents(fixed.band.low)} – {cents(fixed.band.high)}")] if fixed else ()),
        *([("↪️ Leads to", settings.destination.value)] if settings.destination else ()),
        ("⏱ Interval", exactly(settings.interval)),
        *([("🗓 Times", schedule_name(pacing))] if pacing.schedule else ()),
        *([("📉 Guard", crash_guard_text(pacing.crash_guard))] if pacing.crash_guard else ()),
        *([("⏳ Rest", exactly(pacing.cooldown))] if pacing.cooldown else ()),
        *([("📐 Bands", "by volatility")] if settings.scaled else ()),
        *([("👀 Looks", "two in a row")] if settings.looks_twice else ()),
        ("🪙 Pair", pair_name(settings.symbol)),
        *([("", f"from {usdt(smallest_order(rules))}")] if rules else ()),
        ("🔒 Count", settings.counting.value),
        *(
            [("🛡 Protect", listed(asset_amount(u, a) for a, u in settings.protected.items()))]
            if settings.protected
            else ()
        ),
        ("🚧 Limits", f"≤ {usdt(account.limits_in_force.order)}"),
        ("🤖 Mode", settings.autonomy.value),
        ("🎚 Orders", chosen(settings)),
        ("🧪 Dry run", "on, on paper" if settings.dry_run else "off, real money"),
    ]
    return [line for label, value in rows for line in row(label, value, column=_LABEL)]


def _value(page: PanelPage, account: Account) -> str:
    """Raises KeyError for the first page, which is about no setting."""
    settings, in_force = account.settings, account.limits_in_force
    return {
        PanelPage.TARGET: escape(target_line(settings.target)),
        PanelPage.THRESHOLD: f"±{threshold(settings.threshold)}",
        PanelPage.INTERVAL: exactly(settings.interval),
        PanelPage.PAIR: escape(pair_name(settings.symbol)),
        PanelPage.COUNTING: _COUNTING[settings.counting],
        PanelPage.LIMITS: f"{usdt(in_force.order)} an order",
        PanelPage.EXECUTION: settings.execution.value,
        PanelPage.SLIPPAGE: slippage_text(settings.slippage),
        PanelPage.DRY_RUN: "on: on paper" if settings.dry_run else "off: real money",
    }[page]


def _effects(page: PanelPage, account: Account) -> Sequence[str]:
    if page in _OF_ORDERS:
        is_bound = page is PanelPage.SLIPPAGE
        return (bound_lines if is_bound else order_lines)(account.settings)
    if page is not PanelPage.LIMITS:
        return [band_line(account.settings)]
    return [
        f"At most {usdt(account.limits_in_force.day)} a day",
        f"You set: {limits_text(account.limits)}",
        "The buttons set the limit for one order.",
    ]


def _rows_of_presets(
    page: PanelPage, account: Account, outlook: Outlook
) -> Sequence[Sequence[InlineKeyboardButton]]:
    if page not in _OF_ORDERS:
        presets = _presets(page, account, outlook)
        return in_rows(presets, 2 if page is PanelPage.PAIR else _A_ROW)
    slippage = account.settings.slippage
    far = slippage_text(replace(slippage, strict=False))
    label = "5% after 15 min" if slippage.strict else f"Never over {far}"
    return [
        [button(mode.value, SetPreset(PanelPage.EXECUTION, mode.value)) for mode in ORDERS],
        [
            _slippage_preset(replace(slippage, fraction=value))
            for value in setting_presets.slippages(slippage.fraction)
        ],
        [_slippage_preset(replace(slippage, strict=not slippage.strict), label=label)],
    ]


def _slippage_preset(value: Slippage, *, label: str = "") -> InlineKeyboardButton:
    typed = slippage_text(value).replace(" ", "")
    return button(label or typed.removesuffix("strict"), SetPreset(PanelPage.SLIPPAGE, typed))


def _presets(
    page: PanelPage, account: Account, outlook: Outlook
) -> Sequence[InlineKeyboardButton]:
    settings, rules, fixed = account.settings, outlook.rules, account.settings.fixed
    thresholds = setting_presets.thresholds(
        settings, smallest=smallest_order(rules) if rules else None
    )
    order_limits = setting_presets.order_limits(account.limits_in_force.order)
    choices: Mapping[PanelPage, Sequence[tuple[str, str]]] = {
        PanelPage.TARGET: [
            (cents(value), amount_text(value))
            for value in (setting_presets.targets(fixed.target) if fixed else ())
        ],
        PanelPage.THRESHOLD: [
            (f"±{threshold(value)}", threshold_text(value)) for value in thresholds
        ],
        PanelPage.INTERVAL: [
            (exactly(value), interval_text(value))
            for value in setting_presets.intervals(settings.interval)
        ],
        PanelPage.PAIR: [
            (pair_name(Symbol(text)), text)
            for text in pair_texts(outlook.tokens, but=settings.symbol)
        ],
        PanelPage.COUNTING: [(value.value, value.value) for value in Counting],
        PanelPage.LIMITS: [
            *((cents(value), amount_text(value)) for value in order_limits),
            ("auto", "auto"),
        ],
        PanelPage.DRY_RUN: [("🧪 on", "on"), ("🟢 off", "off")],
    }
    return [button(label, SetPreset(page, typed)) for label, typed in choices.get(page, ())]


def _usage(page: PanelPage) -> str:
    return USAGE[Topic(page.value)][1].partition("   or   ")[0]


def _bare(example: str) -> str:
    """The values alone: "/settarget 40" -> "40"."""
    return "   or   ".join(part.partition(" ")[2] for part in example.split("   or   "))
