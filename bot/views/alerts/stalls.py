"""The owner's alerts when checks stall, and when they resume."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.interaction.message import Message
from bot.views.components.times import roughly
from engine.monitoring.stall_detector import StallCause, Stalled, StallOver

_ALL = "ALL ACCOUNTS"
_NO_TRADING = "Nothing is traded until it is over."
_NOTHING_LOST = "Nothing is lost: I look up an earlier order later, and never send it again."


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
        "I cannot reach my database. I check no account and answer no command.",
        _NO_TRADING,
        "I keep trying and go on by myself. If it lasts: look at the database at your host.",
        "My database was away. I checked no account.",
    ),
    StallCause.HEART: _Words(
        "My checks have stopped",
        "I check no account, and I do not know why. The log may help: /logs",
        _NO_TRADING,
        "If it lasts: restart me. That is safe at any moment.",
        "I checked no account.",
    ),
    StallCause.CHECKS: _Words(
        "Not checked in time",
        "The checks hang, or there are too many for me. The log may help: /logs",
        "Nothing is traded there until it is over.",
        "I keep trying. If it lasts: restart me. That is safe at any moment.",
        "Some accounts were not checked in time.",
    ),
}


def stalled_view(stalled: Stalled) -> Message:
    words = _WORDS[stalled.cause]
    return Message.of(
        f"⚠️ {_scope(stalled)} · {words.title}",
        words.money,
        words.happened,
        f"It has lasted {roughly(stalled.silent_for)} so far.",
        _NOTHING_LOST,
        words.advice,
    )


def stall_over_view(over: StallOver) -> Message:
    return Message.of(
        f"✅ {_ALL} · Checked again",
        f"Back after {roughly(over.lasted)}. Nothing was sent twice.",
        _WORDS[over.cause].was,
        "Each check reads the balance again and decides. More: /status",
    )


def clock_set_view(by: timedelta) -> Message:
    back, size = by < timedelta(), roughly(abs(by))
    return Message.of(
        f"⚠️ {_ALL} · The clock was set back" if back else f"⚠️ {_ALL} · The clock was set ahead",
        "Checks and orders go on. They do not use that clock.",
        f"My machine's clock was set back by {size}."
        if back
        else f"My machine's clock was set ahead by {size}.",
        "The times in my messages were wrong before, or they are wrong now.",
        "Did you not set it? Please switch on NTP on that machine.",
        "/doctor compares the clock with MEXC's.",
    )


def _scope(stalled: Stalled) -> str:
    if stalled.late == stalled.accounts:
        return _ALL
    return f"{stalled.late} OF {stalled.accounts} ACCOUNTS"
