"""Settings: the effect of a change, a question for an ambiguous value, the valid forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import InlineKeyboardMarkup

from bot.interaction.callback_data import Choose
from bot.interaction.message import Message
from bot.parsing.input_rules import InputRule
from bot.parsing.settings import MOST_HISTORY_ROWS, MOST_LOG_LINES, Ambiguous, Topic
from bot.views.components.amounts import pair_name, threshold
from bot.views.components.badges import badge
from bot.views.components.command_text import amount_text, pair_texts
from bot.views.components.forecast import Caution, band_line, next_check, warning_of
from bot.views.components.input_rules import RULES
from bot.views.components.keyboards import button, in_rows, keyboard, typed
from bot.views.components.layout import echoed, escape, lines
from bot.views.components.listening import listening_line
from bot.views.components.next_check import check_line
from bot.views.components.target_words import target_line
from bot.views.components.times import exactly
from engine.domain.accounts import setting_presets
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.market.balances import Counting
from engine.domain.market.pairs import Asset, base_of
from engine.domain.targets.target import Basket, TokenWorth
from engine.rebalancing.preview import Outlook

USAGE: dict[Topic, tuple[str, str]] = {
    Topic.TARGET: (
        "Send the USDT to hold:",
        "/settarget 40",
    ),
    Topic.GOAL: (
        "Send what to hold:",
        "/target 40   or   /target 25%   or   /target BTC 50 ETH 30 USDT 20",
    ),
    Topic.BANDS: (
        "Send the percentages between which an asset may be, or off:",
        "/bands BTC 45..60   or   /bands BTC off",
    ),
    Topic.DESTINATION: (
        "Send how far inside its band a trade leads:",
        "/destination half   or   /destination edge   or   /destination usual",
    ),
    Topic.PROTECT: (
        "Send a token and the amount that I never count and never sell, or off:",
        "/protect MNTL 50000   or   /protect MNTL off",
    ),
    Topic.COOLDOWN: (
        "Send how long to rest after a trade, from 1 min to 7 days, or off:",
        "/cooldown 30m   or   /cooldown off",
    ),
    Topic.SCHEDULE: (
        "Send when to trade if something is out of its band, or off:",
        "/schedule 09:00   or   /schedule mon 09:00 always   or   /schedule off",
    ),
    Topic.CRASH_GUARD: (
        "Send the fall within a day at which I stop buying, or off:",
        "/crashguard 20%   or   /crashguard 20% pause   or   /crashguard off",
    ),
    Topic.THRESHOLD: (
        "Send how far the balance may drift, in percent or USDT:",
        "/setthreshold 5%   or   /setthreshold 2 USDT",
    ),
    Topic.INTERVAL: (
        "Send the time between two checks, from 1 s to 1 day:",
        "/setinterval 120   or   /setinterval 2m",
    ),
    Topic.PAIR: (
        "Send the token to trade against USDT:",
        "/setpair MNTLUSDT   or   /setpair MNTL",
    ),
    Topic.COUNTING: (
        "Say whether coins in your open orders count as held:",
        "/count held   or   /count free",
    ),
    Topic.DRY_RUN: (
        "Say whether to trade on paper:",
        "/dryrun on   or   /dryrun off",
    ),
    Topic.HISTORY: (
        f"Send how many trades to show, 1 to {MOST_HISTORY_ROWS}:",
        "/history 10",
    ),
    Topic.LIMITS: (
        "Send what to limit, and to how much:",
        "/limits order 500   or   /limits price 15%   or   /limits auto",
    ),
    Topic.ALERTS: (
        "Send what to set:",
        "/alerts trade silent   or   /alerts digest 08:00   or   /alerts weekly mon 08:00",
    ),
    Topic.WARN: (
        "Send a token and the amount below which I should warn you, or off:",
        "/warn MNTL 100000   or   /warn MNTL off",
    ),
    Topic.PRICE_ALERT: (
        "Send a token and by how much its price moves before I tell you, or off:",
        "/pricealert MNTL 10%   or   /pricealert MNTL off",
    ),
    Topic.EXECUTION: (
        "Orders with a bound, orders that wait first, or market orders.",
        "/execution auto   or   /execution maker   or   /execution market",
    ),
    Topic.SLIPPAGE: (
        "How far from the middle price an order with a bound may trade.",
        "/slippage 1%   or   /slippage 1% strict",
    ),
    Topic.DEPOSITS: (
        "Send what to do with USDT that arrives. A wait is from 1 min to 1 day:",
        "/deposits now   or   /deposits wait 15m   or   /deposits ask   or   /deposits keep",
    ),
    Topic.BUY: (
        "Send what to spend, in USDT or as a part of what is free:",
        "/buy 20   or   /buy 50%   or   /buy all",
    ),
    Topic.SELL: (
        "Send what to sell, for USDT or as a part of what is free:",
        "/sell 20 USDT   or   /sell 50%   or   /sell all",
    ),
    Topic.PROFIT: (
        "Send how far back to look:",
        "/profit 7d   or   /profit all   or   /profit 2026-11-01",
    ),
    Topic.WHY: (f"Send how many decisions to show, 1 to {MOST_HISTORY_ROWS}:", "/why 10"),
    Topic.LOGS: (f"Send how many lines to show, 1 to {MOST_LOG_LINES}:", "/logs 50"),
}
# Longer labels are cut by a phone: the options stand in the text then.
_BUTTON = 40
_CHOICES: dict[Topic, tuple[str, ...]] = {
    Topic.THRESHOLD: ("2%", "5%", "10%"),
    Topic.INTERVAL: ("1m", "5m", "1h"),
    Topic.COUNTING: ("held", "free"),
    Topic.DRY_RUN: ("on", "off"),
    Topic.DEPOSITS: ("now", "wait15m", "ask", "keep"),
}


@dataclass(frozen=True, slots=True)
class _Echo:
    """A setting's value after a change, when it was that already, and when it is asked for."""

    changed: str
    same: str
    now: str


_ECHOES: Mapping[Topic, _Echo] = {
    Topic.TARGET: _Echo(
        "Target set to {value}", "Target is {value} already", "Target is {value}."
    ),
    Topic.THRESHOLD: _Echo(
        "Threshold set to {value}", "Threshold is {value} already", "Threshold is {value}."
    ),
    Topic.INTERVAL: _Echo(
        "Interval set to {value}", "Interval is {value} already", "Interval is {value}."
    ),
    Topic.PAIR: _Echo("Pair set to {value}", "Pair is {value} already", "Pair is {value}."),
    Topic.COUNTING: _Echo("Count set to {value}", "Count is {value} already", "Count is {value}."),
    Topic.DRY_RUN: _Echo(
        "Dry run is {value} now", "Dry run is {value} already", "Dry run is {value}."
    ),
}


def changed_view(
    *,
    topic: Topic,
    account: Account,
    before: Settings,
    now: datetime,
    outlook: Outlook,
    every: timedelta = timedelta(),
) -> Message:
    """*account* after the change, in three lines: the value, its effect, and the next check.
    The same value again is reported as no change. *every* as in `welcome_view`.
    """
    settings = account.settings
    warning = warning_of(settings, outlook)
    echo, value = _ECHOES[topic], _value(topic, settings)
    changed = settings != before
    headline = (echo.changed if changed else echo.same).format(value=value)
    return Message.of(
        f"{badge(account)} · {headline}",
        _effect(topic, settings, every) if changed else "Nothing changed.",
        next_check(account, outlook, now=now),
        _warning(warning),
        keyboard=_remedy_buttons(warning),
    )


def question_view(*, ambiguous: Ambiguous, typed_text: str, confirmation_id: str) -> Message:
    """One button per option; the options are stored under *confirmation_id*."""
    commands = [f"/{ambiguous.topic.value} {option}" for option in ambiguous.options]
    fit = all(len(command) <= _BUTTON for command in commands)
    labels = commands if fit else [f"{number}" for number, _ in enumerate(commands, start=1)]
    rows = [[button(label, Choose(confirmation_id, index))] for index, label in enumerate(labels)]
    is_one = len(ambiguous.options) == 1
    return Message.of(
        f"I am not sure how to read {echoed(typed_text)}. Nothing changed yet.",
        "Do you mean this?" if is_one else "Which one do you mean?",
        *(
            []
            if fit
            else [f"{label}: {escape(c)}" for label, c in zip(labels, commands, strict=True)]
        ),
        keyboard=keyboard(*rows),
    )


def not_understood_view(
    *, topic: Topic, typed_text: str, rule: InputRule = InputRule.FORM
) -> Message:
    """*rule* is what the text breaks."""
    return Message.of(
        f"I cannot use {echoed(typed_text)} here. Nothing changed.",
        RULES.get(rule),
        *USAGE[topic],
        keyboard=_choice_buttons(topic),
    )


def ask_view(
    *,
    topic: Topic,
    settings: Settings,
    is_listening: bool = False,
    tokens: Sequence[Asset] = (),
) -> Message:
    """A bare command, or a tapped button that needs a value: the current one and how to set it.
    *is_listening*: the value alone may be typed. *tokens* are held, beside USDT.
    """
    value = _value(topic, settings)
    example = USAGE[topic][1].split("   or   ")[0].partition(" ")[2]
    return Message.of(
        _ECHOES[topic].now.format(value=value),
        *USAGE[topic],
        listening_line(example) if is_listening else None,
        keyboard=_value_buttons(topic, settings, tokens),
    )


def question_closed_view() -> Message:
    """The answer to a confirmation that was answered before or has expired."""
    return Message("Nothing changed: this question is closed. Please send the command again.")


def pair_unavailable_view(*, account: Account, wanted: str) -> Message:
    return Message.of(
        f"Nothing changed: the pair is still {escape(pair_name(account.settings.symbol))}.",
        f"MEXC shows no pair {escape(wanted)} that a key can trade.",
        None
        if account.can_trade
        else "MEXC shows some pairs only to a key that may trade them. To add yours: /connect",
        *USAGE[Topic.PAIR],
    )


def not_checked_view(*, settings: Settings, wanted: str) -> Message:
    return Message.of(
        f"Nothing changed: the pair is still {escape(pair_name(settings.symbol))}.",
        f"MEXC does not answer, so I could not check the pair {escape(wanted)}.",
        "Please send /setpair again in a minute.",
    )


def _value(topic: Topic, settings: Settings) -> str:
    values = {
        Topic.TARGET: escape(target_line(settings.target)),
        Topic.THRESHOLD: threshold(settings.threshold),
        Topic.INTERVAL: exactly(settings.interval),
        Topic.PAIR: escape(pair_name(settings.symbol)),
        Topic.COUNTING: settings.counting.value,
        Topic.DRY_RUN: "on" if settings.dry_run else "off",
    }
    if topic not in values:
        raise ValueError(f"/{topic.value} is no setting")
    return values[topic]


def _effect(topic: Topic, settings: Settings, every: timedelta) -> str:  # noqa: PLR0911 - one return a topic
    match topic:
        case Topic.INTERVAL:
            return check_line(settings.interval, every=every)
        case Topic.PAIR if isinstance(settings.target, TokenWorth | Basket):
            return "Your target names its own tokens: nothing changes in what I trade."
        case Topic.PAIR:
            base = escape(base_of(settings.symbol))
            return f"From now on I buy and sell only {base}. Other tokens stay as they are."
        case Topic.COUNTING if settings.counting is Counting.HELD:
            return "USDT in your open orders counts as held. Orders only use what is free."
        case Topic.COUNTING:
            return "USDT in your open orders does not count as held."
        case Topic.DRY_RUN if settings.dry_run:
            return "I trade on paper with live prices. Your real balance is not touched."
        case Topic.DRY_RUN:
            return "⚠️ From now on orders use real money."
        case _:
            return band_line(settings)


def _warning(warning: Caution | None) -> str | None:
    if warning is None:
        return None
    return lines(warning.text, "These would work:" if warning.remedies else None)


def _remedy_buttons(warning: Caution | None) -> InlineKeyboardMarkup | None:
    if warning is None or not warning.remedies:
        return None
    return keyboard(*([typed(remedy.command, remedy.argument)] for remedy in warning.remedies))


def _value_buttons(
    topic: Topic, settings: Settings, tokens: Sequence[Asset]
) -> InlineKeyboardMarkup | None:
    if topic is Topic.TARGET:
        fixed = settings.fixed
        values = (
            [amount_text(one) for one in setting_presets.targets(fixed.target)] if fixed else []
        )
    elif topic is Topic.PAIR:
        values = [*pair_texts(tokens, but=settings.symbol)]
    else:
        return _choice_buttons(topic)
    buttons = [typed(topic.value, value) for value in values]
    return keyboard(*in_rows(buttons, 2)) if buttons else None


def _choice_buttons(topic: Topic) -> InlineKeyboardMarkup | None:
    if topic not in _CHOICES:
        return None
    return keyboard(*([typed(topic.value, choice)] for choice in _CHOICES[topic]))
