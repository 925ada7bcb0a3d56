"""Which alerts of an account the other chats get that it is shared with."""

from dataclasses import dataclass

from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import SharedAlerts
from engine.domain.alerts.alerts import (
    Alert,
    ChatDeliverable,
    ChatUndeliverable,
    Digest,
    ManualDeclined,
    MemberJoined,
    RunDeclined,
    TradeSettled,
)
from engine.domain.alerts.key_alerts import KeyEnding, KeyTooPowerful, MoneyShared
from engine.domain.alerts.order_alerts import PauseAnswerSettled
from engine.domain.alerts.price_alerts import PriceMoved
from engine.domain.alerts.report_alerts import WeeklyReport
from engine.domain.alerts.run_alerts import RunSettled
from engine.domain.alerts.share_alerts import SharingBegun, SharingEnded, SharingLeft
from engine.domain.alerts.shared_alerts import AccountChanged, GroupAnswered, GroupAsks
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.alerts.stream_alerts import StreamsBack, StreamsLost
from engine.domain.alerts.traits import AlertKind
from engine.domain.orders.order import Trigger

# Of other chats and people, of what only the key's owner can mend, and what one chat ordered or asked.
_OWNERS_ALONE = (
    *(ChatDeliverable, ChatUndeliverable, Digest, GroupAnswered, GroupAsks, KeyEnding),
    *(MemberJoined, PauseAnswerSettled, PriceMoved, SharingBegun, SharingEnded, SharingLeft),
    *(StreamsBack, StreamsLost, WeeklyReport),
)
_TROUBLES = frozenset({AlertKind.ERROR, AlertKind.RECOVERY, AlertKind.KEY})


@dataclass(frozen=True, slots=True)
class SharedAlert:
    """An alert of the account *account_id* as a chat gets it that it is shared with.
    *kind* and *facts* are the alert as it is stored.
    """

    account_id: int
    kind: str
    facts: str


def is_heard(alert: Alert, wanted: SharedAlerts, *, role: Role) -> bool:
    """True if a chat with this *role* gets the alert. A chat whose members may trade always gets
    what became of a trade that a user asked for, as it may have been one of them.
    """
    if isinstance(alert, _OWNERS_ALONE):
        return False
    if isinstance(alert, KeyTooPowerful | MoneyShared) and not alert.paused:
        return False
    if role.covers(Role.TRADER) and _answers_a_user(alert):
        return True
    return wanted is SharedAlerts.ALL or (wanted is SharedAlerts.TROUBLES and _is_trouble(alert))


def _is_trouble(alert: Alert) -> bool:
    if isinstance(alert, AccountChanged):
        return alert.trading is not None
    return alert.traits.kind in _TROUBLES


def _answers_a_user(alert: Alert) -> bool:
    if isinstance(alert, TradeSettled | RunSettled):
        return alert.trigger is Trigger.PERSON
    return isinstance(alert, RunDeclined | ManualDeclined | SlicedTradeOver)
