"""`/alerts`: which alerts the chat gets, how loud and when; the panel, its choices, changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from telegram import InlineKeyboardButton

from bot.interaction.callback_data import SetAlert
from bot.interaction.message import Message
from bot.parsing.time_zones import cities_of, shown
from bot.views.components.amounts import usdt
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, in_rows, keyboard
from bot.views.components.layout import block, echoed, escape, lines, listed, row
from bot.views.components.listening import listening_line
from bot.views.components.times import stamp, times_in
from engine.domain.accounts.account import Account
from engine.domain.alerts.local_time import WEEKDAYS, local
from engine.domain.alerts.preferences import AlertLevel, AlertPreferences
from engine.domain.alerts.traits import AlertKind

_NAMES = {
    AlertKind.TRADE: "Trades",
    AlertKind.ERROR: "Errors",
    AlertKind.RECOVERY: "Solved",
    AlertKind.KEY: "Key",
    AlertKind.PLAN: "Question",
    AlertKind.DIGEST: "Digest",
    AlertKind.PRICE: "Prices",
}
_HOW_LOUD = {
    AlertLevel.ON: "These messages come with a sound.",
    AlertLevel.SILENT: "These messages come without a sound.",
    AlertLevel.OFF: "These messages are not sent.",
}
# The digest also has a time, so it has choices of its own.
_WITHOUT_A_TIME = tuple(kind for kind in AlertKind if kind is not AlertKind.DIGEST)
_HOW = (
    "Tap to change, or send /alerts trade silent · /alerts smallest 5 · "
    "/alerts quiet 23:00-07:00 · /alerts zone Europe/Berlin · /alerts digest 08:00 · "
    "/alerts weekly mon 08:00"
)
_NEVER_OFF = "You always get: halts, pauses, orders that need you, answers to your taps."
_WITH_PICTURE = "It comes with a picture of what your account is worth."
_SMALLEST = ("0", "1", "5", "20", "100")
TYPED_PARTS = frozenset({"smallest", "quiet", "zone", "digest", "weekly"})
"""Parts whose value may be typed after their choices are shown."""
_QUIET = ("22:00-07:00", "23:00-07:00", "23:00-08:00", "00:00-09:00")
_ZONES = (
    *("UTC", "Europe/London", "Europe/Berlin", "Europe/Istanbul", "Asia/Dubai", "Asia/Kolkata"),
    *("Asia/Singapore", "Asia/Tokyo", "America/New_York", "America/Sao_Paulo"),
)
_WEEKLY = ("Mon 08:00", "Fri 18:00", "Sat 10:00", "Sun 20:00")
_DIGEST = ("07:00", "08:00", "12:00", "20:00")


def alerts_view(*, account: Account, settings: AlertPreferences, now: datetime) -> Message:
    return _panel(f"{badge(account)} · Alerts", None, settings, now)


def alerts_changed_view(
    *,
    account: Account,
    part: str,
    before: AlertPreferences,
    settings: AlertPreferences,
    now: datetime,
) -> Message:
    """*settings* are those after the change of *part*."""
    title = "Alerts set" if before != settings else "Nothing changed"
    panel = _panel(f"{badge(account)} · {title}", _consequence(part, settings, now), settings, now)
    cities = cities_of(settings.time_zone, at=now) if part == "zone" else ()
    if not cities or panel.keyboard is None:
        return panel
    offered = in_rows([_choice("zone", name) for name in cities], 2)
    return replace(panel, keyboard=keyboard(*offered, *panel.keyboard.inline_keyboard))


def alert_choices_view(
    *,
    account: Account,
    part: str,
    settings: AlertPreferences,
    now: datetime,
    is_listening: bool = False,
) -> Message:
    """The choices for one part of the panel, in its place."""
    back = [button("Back to /alerts", SetAlert())]
    match part:
        case "smallest":
            text = "From which size on do you want a message? The digest counts smaller trades."
            typed = "/alerts smallest 5"
            rows = [[_choice(part, value, f"{value} USDT") for value in _SMALLEST]]
        case "quiet":
            text = "When should messages make no sound? You still get all of them."
            typed = "/alerts quiet 23:00-07:00"
            rows = in_rows([_choice(part, value) for value in _QUIET], 2)
            rows.append([_choice(part, "off", "No quiet hours")])
        case "zone":
            text = f"Your time zone? In the one set now it is {_clock(now, settings)}."
            typed = "/alerts zone Europe/Berlin"
            rows = in_rows([_choice(part, value) for value in _ZONES], 2)
        case "digest":
            text = "When do you want the daily summary?"
            typed = "/alerts digest 08:00"
            rows = [[_choice(part, value) for value in _DIGEST]]
            rows.append([_choice(part, "on", "With sound"), _choice(part, "silent", "Silent")])
            rows.append(_pictures(part))
            rows.append([_choice(part, "off", "No digest")])
        case "weekly":
            text = "When do you want the report of 7 days?"
            typed = "/alerts weekly mon 08:00"
            rows = in_rows([_choice(part, value) for value in _WEEKLY], 2)
            rows.append(_pictures(part))
            rows.append([_choice(part, "off", "No weekly report")])
        case _:
            return alerts_view(account=account, settings=settings, now=now)
    return Message.of(
        f"{badge(account)} · Alerts",
        text,
        f"Tap, or send it like this: {typed}",
        listening_line(typed.split(maxsplit=2)[-1]) if is_listening else None,
        keyboard=keyboard(*rows, back),
    )


def unknown_zone_view(*, account: Account, typed_text: str, suggestions: Sequence[str]) -> Message:
    """One button for each time zone that may be meant."""
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"I know no time zone {echoed(typed_text)}.",
        "Do you mean one of these?" if suggestions else None,
        "Send it like this: /alerts zone Europe/Berlin",
        keyboard=keyboard(
            *in_rows([_choice("zone", name) for name in suggestions], 2),
            [button("Back to /alerts", SetAlert())],
        ),
    )


def _panel(title: str, note: str | None, settings: AlertPreferences, now: datetime) -> Message:
    return Message.paragraphs(
        lines(title, note),
        _table(settings, now),
        _HOW,
        keyboard=keyboard(
            *in_rows([_level_button(kind, settings) for kind in _WITHOUT_A_TIME], 2),
            [button("Digest…", SetAlert("digest")), button("Weekly…", SetAlert("weekly"))],
            [
                button("Smallest trade…", SetAlert("smallest")),
                button("Quiet hours…", SetAlert("quiet")),
            ],
            [
                button("Time zone…", SetAlert("zone")),
                button(
                    f"Pictures: {_theme(settings)}",
                    SetAlert("pictures", "dark" if settings.light_pictures else "light"),
                ),
            ],
            [_switch("Errors in quiet hours", "through", now_on=settings.errors_break_through)],
            [_switch("Choices on deposits", "deposits", now_on=settings.ask_deposits)],
        ),
    )


def _table(settings: AlertPreferences, now: datetime) -> str:
    through = "errors with sound" if settings.errors_break_through else "errors silent too"
    small, quiet = f"from {usdt(settings.smallest)}", settings.quiet
    return block(
        [
            *row("Trades", settings.level(AlertKind.TRADE).value),
            *(row("", small) if settings.smallest else ()),
            *(
                line
                for kind in _WITHOUT_A_TIME
                if kind is not AlertKind.TRADE
                for line in row(_NAMES[kind], settings.level(kind).value)
            ),
            *row("Digest", _digest(settings)),
            *row("Weekly", _weekly(settings)),
            *row("Quiet", f"{_time(quiet.start)}–{_time(quiet.end)}" if quiet else "never"),
            *(row("", through) if quiet else ()),
            *row("Zone", shown(settings.time_zone)),
            *row("", f"{_clock(now, settings)} now"),
            *row("Deposits", "with choices" if settings.ask_deposits else "no choices"),
            *row("Pictures", _theme(settings)),
        ]
    )


def _consequence(part: str, settings: AlertPreferences, now: datetime) -> str:  # noqa: PLR0911 - one return a part
    match part:
        case "smallest":
            if not settings.smallest:
                return "You get a message for every trade."
            return lines(
                f"You get no message for trades under {usdt(settings.smallest)}.",
                "The digest counts them. /history shows them.",
                "No digest is set. /alerts digest 08:00 sends one every day."
                if settings.next_digest(now) is None
                else None,
            )
        case "quiet":
            return _quiet_consequence(settings, now)
        case "zone":
            return lines(
                f"Your time zone is {escape(shown(settings.time_zone))}.",
                f"It is {_clock(now, settings)} there now.",
                "It has no summer time. If your clocks have it, choose your city below."
                if cities_of(settings.time_zone, at=now)
                else None,
            )
        case "digest":
            return _digest_consequence(settings, now)
        case "weekly":
            return _weekly_consequence(settings, now)
        case "through":
            return (
                "In quiet hours errors come with a sound."
                if settings.errors_break_through
                else "In quiet hours errors come without a sound."
            )
        case "deposits":
            return (
                "The message of a deposit has buttons for the next one, as /deposits has."
                if settings.ask_deposits
                else "The message of a deposit that I trade has no buttons. /deposits has them."
            )
        case "pictures":
            return f"Pictures have a {_theme(settings)} background. /chart shows one."
        case _:
            return _level_consequence(AlertKind(part), settings)


def _level_consequence(kind: AlertKind, settings: AlertPreferences) -> str:
    level = settings.level(kind)
    return lines(
        f"{_NAMES[kind]}: {level.value}",
        _HOW_LOUD[level],
        _NEVER_OFF if level is AlertLevel.OFF else None,
    )


def _quiet_consequence(settings: AlertPreferences, now: datetime) -> str:
    if settings.quiet is None:
        return "No quiet hours: messages come with a sound at any time."
    return lines(
        f"From {_time(settings.quiet.start)} to {_time(settings.quiet.end)} "
        f"({escape(shown(settings.time_zone))}) messages come without a sound.",
        "Errors still come with a sound." if settings.errors_break_through else None,
        "You get all messages.",
        f"It is {_clock(now, settings)} there. It is quiet now."
        if settings.is_quiet(now)
        else f"It is {_clock(now, settings)} there. Messages come with a sound now.",
        "Another time? /alerts zone sets your time zone." if settings.time_zone == "UTC" else None,
    )


def _digest_consequence(settings: AlertPreferences, now: datetime) -> str:
    due = settings.next_digest(now)
    if due is None:
        return lines(
            "No digest. /alerts digest 08:00 sends one every day.",
            _WITH_PICTURE if settings.digest_picture else None,
        )
    with times_in(settings.time_zone):  # which may have been set just now
        at = stamp(due).strip()
    silent = settings.level(AlertKind.DIGEST) is AlertLevel.SILENT
    return lines(
        f"The next digest comes {at} ({escape(shown(settings.time_zone))}).",
        "It comes without a sound." if silent else None,
        _WITH_PICTURE if settings.digest_picture else None,
    )


def _weekly_consequence(settings: AlertPreferences, now: datetime) -> str:
    due = settings.next_weekly(now)
    if due is None:
        return "No weekly report. /alerts weekly mon 08:00 sends one every week."
    with times_in(settings.time_zone):
        at = stamp(due).strip()
    silent = settings.level(AlertKind.DIGEST) is AlertLevel.SILENT
    return lines(
        f"The next weekly report comes {at} ({escape(shown(settings.time_zone))}).",
        "It comes without a sound, as the digest does." if silent else None,
        _WITH_PICTURE if settings.weekly_picture else None,
    )


def _digest(settings: AlertPreferences) -> str:
    level = settings.level(AlertKind.DIGEST)
    if settings.digest_minute is None or level is AlertLevel.OFF:
        return "off"
    at = _time(settings.digest_minute)
    return listed(
        (
            at,
            *(("silent",) if level is AlertLevel.SILENT else ()),
            *(("picture",) if settings.digest_picture else ()),
        )
    )


def _weekly(settings: AlertPreferences) -> str:
    weekly, level = settings.weekly, settings.level(AlertKind.DIGEST)
    if weekly is None or level is AlertLevel.OFF:
        return "off"
    return listed(
        (
            f"{WEEKDAYS[weekly.day].title()} {_time(weekly.minute)}",
            *(("silent",) if level is AlertLevel.SILENT else ()),
            *(("picture",) if settings.weekly_picture else ()),
        )
    )


def _level_button(kind: AlertKind, settings: AlertPreferences) -> InlineKeyboardButton:
    """Show the current level; the button carries the next, so a second tap changes nothing."""
    level = settings.level(kind)
    return button(f"{_NAMES[kind]}: {level.value}", SetAlert(kind.value, level.following.value))


def _switch(label: str, part: str, *, now_on: bool) -> InlineKeyboardButton:
    return button(
        f"{label}: {'yes' if now_on else 'no'}", SetAlert(part, "no" if now_on else "yes")
    )


def _choice(part: str, value: str, label: str = "") -> InlineKeyboardButton:
    return button(label or value, SetAlert(part, value.replace(":", "").replace(" ", ".")))


def _pictures(part: str) -> list[InlineKeyboardButton]:
    return [_choice(part, "picture", "With a picture"), _choice(part, "text", "Text only")]


def _theme(settings: AlertPreferences) -> str:
    return "light" if settings.light_pictures else "dark"


def _time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _clock(now: datetime, settings: AlertPreferences) -> str:
    return f"{local(now, settings.time_zone):%H:%M}"
