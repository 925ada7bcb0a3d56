"""`/crashguard`: what stops when the account falls too far within a day, and its alerts."""

from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.amounts import about_percent, percent
from bot.views.components.badges import RECOVERED, TROUBLE, alert_badge, badge
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.listening import listening_line
from bot.views.components.times import exactly, time_or_stamp, utc
from engine.domain.accounts.account import Account
from engine.domain.alerts.pace_alerts import GuardActed, GuardLifted
from engine.domain.market.decimals import ZERO
from engine.domain.targets.crash_guard import CrashGuard, GuardAction, fall_within_a_day
from engine.domain.targets.notation import crash_guard_text

_CHOICES = ("10%", "20%", "30%")


def crash_guard_view(
    *, account: Account, now: datetime, title: str | None = None, is_listening: bool = False
) -> Message:
    """The guard, and how far the account fell within a day. *title* reports a change;
    *is_listening*: a fall alone may be typed.
    """
    guard, stopped = account.settings.pacing.crash_guard, account.buying_stopped_at
    return Message.of(
        f"{badge(account)} · {title or _name(guard)}",
        *_rules(guard),
        _fall(account, now=now) if guard else None,
        f"I have bought nothing since {time_or_stamp(stopped, now=now)}. /crashguard lift ends that."
        if stopped
        else None,
        "To set it: /crashguard 20%   or   /crashguard 20% pause   or   /crashguard 20% for 1d",
        listening_line("20%") if is_listening else None,
        keyboard=_buttons(account),
    )


def crash_guard_changed_view(*, account: Account, changed: bool, now: datetime) -> Message:
    guard = account.settings.pacing.crash_guard
    title = _name(guard) if changed else "Nothing changed"
    return crash_guard_view(account=account, now=now, title=title)


def crash_guard_lifted_view(*, account: Account, was_acting: bool) -> Message:
    """After `/crashguard lift`."""
    if not was_acting:
        return Message.of(
            f"{badge(account)} · Nothing changed",
            "The crash guard stopped nothing. A pause of it ends with /resume.",
        )
    return Message.of(
        f"{badge(account)} · Crash guard lifted",
        "I buy again from the next check on. Your limits hold: /limits",
        "What fell before that does not count any more. (/crashguard)",
    )


def guard_acted_view(alert: GuardActed) -> Message:
    until = f"until {utc(alert.lifts_at)}" if alert.lifts_at else None
    stops = (
        f"I paused trading{f' {until}' if until else ''}. To start it: /resume"
        if alert.paused
        else "I buy nothing by myself now. Sells go on. To buy again: /crashguard lift"
    )
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · Crash guard",
        f"What I manage fell by {about_percent(alert.fall)} within a day. You allow "
        f"{percent(alert.allowed)}.",
        "Deposits and withdrawals are not in that.",
        stops,
        f"It lifts itself from {utc(alert.lifts_at)} on, if the fall of a day is smaller then."
        if alert.lifts_at and not alert.paused
        else None,
        keyboard=keyboard([do("/crashguard", "crashguard"), do("/balance", "balance")]),
    )


def guard_lifted_view(alert: GuardLifted) -> Message:
    return Message.of(
        f"{alert_badge(alert, sign=RECOVERED)} · Crash guard lifted",
        f"The fall of the last day is {about_percent(max(alert.fall, ZERO))} now.",
        "I buy again from the next check on.",
        keyboard=keyboard([do("/crashguard", "crashguard")]),
    )


def _name(guard: CrashGuard | None) -> str:
    if guard is None:
        return "Crash guard off"
    return f"Crash guard at {percent(guard.fall)}"


def _rules(guard: CrashGuard | None) -> list[str]:
    if guard is None:
        return ["I go on buying, however far the price falls."]
    fall = f"If what I manage falls by {percent(guard.fall)} within a day"
    after = guard.lifts_after
    if guard.action is GuardAction.PAUSE:
        end = "until your /resume" if after is None else f"for {exactly(after)}"
        return [f"{fall}, I pause trading {end}."]
    end = "You lift that: /crashguard lift"
    if after is not None:
        end = f"It ends after {exactly(after)}, if the fall of a day is smaller by then."
    return [f"{fall}, I stop buying. Sells go on.", end]


def _fall(account: Account, *, now: datetime) -> str:
    values = account.guard.values if account.guard else ()
    if len(values) < 2:  # noqa: PLR2004 - two make a difference
        return "I begin to watch it at the next check."
    fall = fall_within_a_day(values, now=now)
    return f"The fall of the last day, as I saw it last: {about_percent(max(fall, ZERO))}."


def _buttons(account: Account) -> InlineKeyboardMarkup:
    lift = [typed("crashguard", "lift")] if account.buying_stopped_at else []
    guard = account.settings.pacing.crash_guard
    current = "" if guard is None else crash_guard_text(guard)
    off = [typed("crashguard", "off")] if guard else []
    return keyboard(
        [typed("crashguard", choice) for choice in _CHOICES if choice != current], [*lift, *off]
    )
