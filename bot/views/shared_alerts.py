"""`/alerts` in a chat that sees another chat's account."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.interaction.message import Message
from bot.parsing.time_zones import shown
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share, SharedAlerts
from engine.domain.alerts.local_time import local

_TOLD: Mapping[SharedAlerts, str] = {
    SharedAlerts.ALL: "Trades, deposits, changes and troubles of it come here.",
    SharedAlerts.TROUBLES: "Only troubles come here, and when trading stops or goes on.",
    SharedAlerts.OFF: "No alerts of it come here.",
}


def shared_alerts_view(
    *, share: Share, now: datetime, is_theirs: bool, is_understood: bool = True
) -> Message:
    """*is_theirs*: who asks may change it."""
    zone = share.time_zone or "UTC"
    choices = [
        do(label, "alerts", level.value)
        for level, label in (
            (SharedAlerts.ALL, "All alerts"),
            (SharedAlerts.TROUBLES, "Only troubles"),
            (SharedAlerts.OFF, "No alerts"),
        )
        if level is not share.alerts
    ]
    return Message.of(
        "👥 Alerts of the shared account",
        None if is_understood else "I cannot use that here. Nothing changed.",
        _TOLD[share.alerts],
        "What became of a trade that you asked for always comes."
        if share.role.covers(Role.TRADER) and share.alerts is not SharedAlerts.ALL
        else None,
        f"Time zone: {escape(shown(zone))}. It is {local(now, zone):%H:%M} there now.",
        "To change it: /alerts all · /alerts troubles · /alerts off · /alerts zone Europe/Berlin"
        if is_theirs
        else "Who sent the link here chooses that.",
        keyboard=keyboard(choices) if is_theirs else None,
    )


def shared_zone_unknown_view(*, suggestions: Sequence[str]) -> Message:
    near = " · ".join(f"/alerts zone {escape(name)}" for name in suggestions)
    return Message.of(
        "Nothing changed. I know no time zone of that name.",
        f"Do you mean one of these? {near}"
        if near
        else "Send it like this: /alerts zone Europe/Berlin",
    )
