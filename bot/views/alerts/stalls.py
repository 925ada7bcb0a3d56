"""The owner's alerts when checks stall, and when they resume."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.interaction.message import Message
from bot.views.components.times import roughly
from engine.monitoring.stall_detector import StallCause, Stalled, StallOver

_ALL = "ALL ACCOUNTS"
_NO_TRADING = "Nothing is traded meanwhile."
_NOTHING_LOST = "Nothing is lost: an order sent before is looked up afterwards, never repeated."


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    happened: str
    money: str
    advice: str
    was: str


_WORDS: Mapping[StallCause, _Words] = {
    StallCause.DATABASE: _Words(
        "My database is away",
        "I cannot reach my database, so I check no account and hear no command.",
        _NO_TRADING,
        "I keep trying and go on by myself. If it lasts, look at the database at your host.",
        "My database was away, so I checked no account.",
    ),
    StallCause.HEART: _Words(
        "My checks stand still",
        "I check no account, and I do not know why. The log may tell more: /logs.",
        _NO_TRADING,
        "If it lasts, restart me: that is safe at any moment, and everything is taken up again.",
        "I checked no account.",
    ),
    StallCause.CHECKS: _Words(
        "Not checked in time",
        "The checks hang, or more is due than I get done. The log may tell more: /logs.",
        "Nothing is traded there meanwhile.",
        "I keep trying. If it lasts, restart me: that is safe at any moment.",
        "Some accounts were not checked in time.",
    ),
}


def stalled_view(stalled: Stalled) -> Message:
    words = _WORDS[stalled.cause]
    return Message.of(
        f"⚠️ {_scope(stalled)} · {words.title}",
        words.happened,
        f"It has lasted {roughly(stalled.silent_for)} so far.",
        words.money,
        _NOTHING_LOST,
        words.advice,
    )


def stall_over_view(over: StallOver) -> Message:
    return Message.of(
        f"✅ {_ALL} · Checked again",
        _WORDS[over.cause].was,
        f"It lasted {roughly(over.lasted)} and is over. Nothing was sent twice.",
        "Each check reads its balance afresh and decides anew. /status shows where you stand.",
    )


def clock_set_view(by: timedelta) -> Message:
    how = "back" if by < timedelta() else "ahead"
    return Message.of(
        f"⚠️ {_ALL} · The clock was set {how}",
        f"My machine's clock was set {how} by {roughly(abs(by))}.",
        "Checks and orders go on. They do not go by that clock.",
        "The times in my messages were wrong before, or they are wrong now.",
        "If you did not set it, please switch on NTP on that machine.",
        "/doctor compares the clock with MEXC's.",
    )


def _scope(stalled: Stalled) -> str:
    if stalled.late == stalled.accounts:
        return _ALL
    return f"{stalled.late} OF {stalled.accounts} ACCOUNTS"
