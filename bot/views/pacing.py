"""`/schedule` and `/cooldown`: set times of trades, and the rest after one."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.badges import alert_badge, badge
from bot.views.components.forecast import next_check
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.layout import lines
from bot.views.components.listening import listening_line
from bot.views.components.target_words import widths_line
from bot.views.components.times import exactly, time_or_stamp, utc, zone_name
from bot.views.crash_guard import guard_acted_view, guard_lifted_view
from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import Alert
from engine.domain.alerts.local_time import zone
from engine.domain.alerts.pace_alerts import GuardActed, GuardLifted, SlotMissed
from engine.domain.orders.order import Order
from engine.domain.targets.notation import schedule_text, span_text
from engine.domain.targets.pacing import Pacing
from engine.domain.targets.timing import When, next_slot
from engine.rebalancing.preview import Outlook

_MEANINGS: Mapping[When, str] = {
    When.BOTH: "At these times I trade if something is out of its band. In between I trade nothing.",
    When.SCHEDULE: "At these times I trade to the target, also inside the band. In between I trade nothing.",
    When.EITHER: "At these times I trade to the target, also inside the band. In between I trade if something is out of its band.",
    When.THRESHOLD: "I trade at each check that finds something out of its band.",
}
_ENDS = "Two things end a rest: three times the drift that you allow, and your own trade."
_RESTS = ("15m", "30m", "2h")


def schedule_view(*, account: Account, now: datetime, is_listening: bool = False) -> Message:
    """*is_listening*: the times alone may be typed."""
    pacing = account.settings.pacing
    return Message.of(
        f"{badge(account)} · Schedule: {schedule_name(pacing)}",
        _MEANINGS[pacing.when],
        _coming(pacing, now=now),
        "Your own trades are free at any time.",
        "Set times: /schedule mon 09:00, 21:00   or   /schedule 09:00 always",
        listening_line("09:00") if is_listening else None,
        keyboard=_schedule_buttons(pacing),
    )


def schedule_changed_view(
    *, account: Account, changed: bool, now: datetime, outlook: Outlook
) -> Message:
    """*account* after the change."""
    pacing = account.settings.pacing
    name = schedule_name(pacing)
    title = f"Schedule set to {name}" if changed else f"Schedule is {name} already"
    then = next_check(account, outlook, now=now)
    return Message.of(
        f"{badge(account)} · {title}",
        _MEANINGS[pacing.when],
        _coming(pacing, now=now, said=then),
        then,
        keyboard=_schedule_buttons(pacing),
    )


def cooldown_view(*, account: Account, is_listening: bool = False) -> Message:
    """*is_listening*: the time alone may be typed."""
    rest = account.settings.pacing.cooldown
    return Message.of(
        f"{badge(account)} · Cool-down: {cooldown_name(rest)}",
        _rest(rest),
        _ENDS,
        "To set it: /cooldown 30m. To end it: /cooldown off",
        listening_line("30m") if is_listening else None,
        keyboard=_cooldown_buttons(rest),
    )


def cooldown_changed_view(
    *, account: Account, changed: bool, now: datetime, outlook: Outlook
) -> Message:
    """*account* after the change."""
    rest = account.settings.pacing.cooldown
    name = cooldown_name(rest)
    title = f"Cool-down set to {name}" if changed else f"Cool-down is {name} already"
    return Message.of(
        f"{badge(account)} · {title}",
        _rest(rest),
        _ENDS if rest else None,
        next_check(account, outlook, now=now),
        keyboard=_cooldown_buttons(rest),
    )


def slot_missed_view(alert: SlotMissed) -> Message:
    return Message.of(
        f"{alert_badge(alert)} · A set time was missed",
        f"I was to trade {utc(alert.at)}, and could not for more than an hour.",
        "I traded nothing for it, and do not make up for it.",
        f"The next set time is {utc(alert.next_at)}. (/schedule)",
        keyboard=keyboard([do("Why", "why"), do("Rebalance", "rebalance")]),
    )


def pace_note(account: Account, last_trade: Order | None, *, now: datetime) -> str | None:
    """Why the card's account does not trade just now, as far as its pace says."""
    pacing = account.settings.pacing
    if account.stopped or not account.can_trade:
        return None
    rest = None
    if pacing.cooldown is not None and last_trade is not None:
        filled_at = last_trade.resolved_at or last_trade.created_at
        is_same_money = last_trade.dry_run == account.settings.dry_run
        left = filled_at + pacing.cooldown - now
        if is_same_money and left > timedelta(0):
            rest = f"Next trade allowed in {_minutes(left)}. (/cooldown)"
    stopped = account.buying_stopped_at
    guard = "The crash guard lets me buy nothing. (/crashguard)" if stopped else None
    looks = None
    if account.settings.looks_twice:
        looks = "I trade what two checks in a row find out of its band. (/bands)"
    return lines(guard, rest, looks, widths_line(account), _coming(pacing, now=now)) or None


def schedule_name(pacing: Pacing) -> str:
    if pacing.schedule is None:
        return "off"
    return schedule_text(pacing.schedule, pacing.when).removesuffix(" outside")


def cooldown_name(rest: timedelta | None) -> str:
    return "off" if rest is None else exactly(rest)


def _minutes(left: timedelta) -> str:
    return exactly(max(timedelta(minutes=1), left - left % timedelta(minutes=1)))


def _rest(rest: timedelta | None) -> str:
    if rest is None:
        return "After a trade I do not rest."
    return f"After a trade I rest for {exactly(rest)}."


def _coming(pacing: Pacing, *, now: datetime, said: str = "") -> str | None:
    """When the next set time is, unless that was *said*."""
    if pacing.schedule is None:
        return None
    at = next_slot(pacing.schedule, zone=zone(zone_name()), after=now).at
    when = f"The next set time is {time_or_stamp(at, now=now)}." if utc(at) not in said else None
    return lines(when, "Times in UTC. Set yours: /alerts zone" if zone_name() == "UTC" else None)


def _schedule_buttons(pacing: Pacing) -> InlineKeyboardMarkup:
    off = [] if pacing.schedule is None else [typed("schedule", "off")]
    first = (
        []
        if schedule_name(pacing) == "daily 09:00"
        else [do("/schedule 09:00", "schedule", "0900")]
    )
    return keyboard([*first, *off])


def _cooldown_buttons(rest: timedelta | None) -> InlineKeyboardMarkup:
    current = "" if rest is None else span_text(rest)
    names = [name for name in (*_RESTS, *(["off"] if rest else [])) if name != current]
    return keyboard([typed("cooldown", name) for name in names])


PACE_VIEWS: Mapping[type[Alert], Callable[[Any], Message]] = {
    SlotMissed: slot_missed_view,
    GuardActed: guard_acted_view,
    GuardLifted: guard_lifted_view,
}
