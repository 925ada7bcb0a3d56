"""Trouble with an account: recorded, counted, told, and told again when it is over.

Every function works inside the caller's transaction, so the message is stored with its fact.
"""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import (
    OUTAGES,
    PAUSING,
    Incident,
    IncidentKind,
    again,
    resumed,
)
from engine.domain.alerts.alerts import IncidentAlert, IncidentResolved
from engine.domain.market.decimals import plain
from engine.domain.orders.order import Order
from engine.domain.rebalancing.check_result import REASON_TAGS
from engine.domain.rebalancing.limit_checks import as_fraction, loss_bp
from engine.domain.rebalancing.planner import Reason, is_closed
from engine.errors import (
    AccountRestricted,
    AddressRefused,
    BadCredentials,
    BadData,
    ClockRefused,
    ClockUnsure,
    DecryptionFailed,
    EngineError,
    HostRefused,
    MissingPermission,
    PairUnavailable,
    RateLimited,
    Rejected,
    Unavailable,
)
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, incidents
from engine.storage.trading import orders

# An order refused this often in a row is not going to be accepted by asking once more.
REFUSALS_BEFORE_PAUSE = 3
# The next trade or the quiet says it; after a bad fill it was the person who went on.
_OVER_WITHOUT_A_WORD = frozenset(
    {IncidentKind.BLOCKED, IncidentKind.NOT_FILLED, IncidentKind.BAD_FILL}
)
# A drift that cannot be traded comes and goes with every price tick: one episode, not many.
_BLOCKED_CALM = timedelta(hours=6)

_KINDS: tuple[tuple[type[EngineError], IncidentKind], ...] = (
    (RateLimited, IncidentKind.RATE_LIMITED),
    (HostRefused, IncidentKind.HOST_REFUSED),
    (BadData, IncidentKind.BAD_DATA),
    (ClockUnsure, IncidentKind.CLOCK),
    (Unavailable, IncidentKind.UNREACHABLE),
    (BadCredentials, IncidentKind.KEY_REFUSED),
    (AddressRefused, IncidentKind.ADDRESS_REFUSED),
    (MissingPermission, IncidentKind.MISSING_PERMISSION),
    (AccountRestricted, IncidentKind.ACCOUNT_RESTRICTED),
    (PairUnavailable, IncidentKind.PAIR_UNAVAILABLE),
    (ClockRefused, IncidentKind.CLOCK),
    (Rejected, IncidentKind.ORDER_REFUSED),
    (DecryptionFailed, IncidentKind.KEY_UNREADABLE),
)


def kind_of(error: EngineError) -> IncidentKind:
    """The first class that fits, leaves before their roots."""
    return next((kind for cls, kind in _KINDS if isinstance(error, cls)), IncidentKind.INTERNAL)


def kind_of_question(error: EngineError) -> IncidentKind:
    """As `kind_of`, of a question: one that is refused is no refused order."""
    kind = kind_of(error)
    return IncidentKind.BAD_DATA if kind is IncidentKind.ORDER_REFUSED else kind


async def record(
    session: AsyncSession,
    account: Account,
    *,
    kind: IncidentKind,
    detail: str = "",
    now: datetime,
    reason: Reason | None = None,
    asked: bool = False,
) -> None:
    """Count this trouble; tell the chat if it is new or due again, or if a person *asked* for the
    trade that failed; pause trading if it must be.
    """
    trouble, tell = again(
        await incidents.get(session, account.id), kind=kind, detail=detail, now=now
    )
    refused_too_often = (
        kind is IncidentKind.ORDER_REFUSED
        and await orders.count_refused(session, account.id, since=trouble.since)
        >= REFUSALS_BEFORE_PAUSE
    )
    must_pause = kind in PAUSING or refused_too_often
    pause = must_pause and not account.settings.paused
    if must_pause:
        account = await accounts.change(session, account, paused=True)
    await incidents.put(session, account.id, trouble)
    if not (tell or pause or asked):
        return
    times = trouble.times(kind)
    told = IncidentAlert(
        dry_run=account.settings.dry_run,
        kind=kind,
        detail=detail,
        count=times.count,
        since=times.since,
        at=now,
        symbol=account.settings.symbol,
        reason=reason,
        paused=account.settings.paused,
    )
    key = f"trouble:{account.id}:{trouble.since.isoformat()}:{kind.value}:{trouble.count}"
    await publish(session, account.chat_id, told, key=key, now=now)


async def record_blocked(
    session: AsyncSession,
    account: Account,
    trouble: Incident | None,
    reason: Reason,
    *,
    now: datetime,
    calm: timedelta,
) -> None:
    """A drift that cannot be traded. The exchange itself works, so another *trouble* is over;
    but a closed pair is the same trouble, seen from the other side.
    """
    kind, detail = IncidentKind.BLOCKED, REASON_TAGS[type(reason)]
    if trouble is not None and trouble.kind is not IncidentKind.BLOCKED:
        if trouble.kind is IncidentKind.PAIR_UNAVAILABLE and is_closed(reason):
            kind, detail = trouble.kind, trouble.detail
        else:
            await resolve(session, account, trouble, now=now, calm=calm)
    await record(session, account, kind=kind, detail=detail, now=now, reason=reason)


async def judge_fill(
    session: AsyncSession, account: Account, settled: Order, *, now: datetime
) -> None:
    """A price that got out of hand between the last look and the fill pauses trading: somebody
    should know why before there is a next one.
    """
    paid, expected = settled.execution.average_price, settled.price
    if paid is None or expected is None:
        return
    worse = loss_bp(settled.side, paid=paid, expected=expected)
    if worse > account.limits_in_force.move_bp:
        detail = plain(as_fraction(worse))
        await record(session, account, kind=IncidentKind.BAD_FILL, detail=detail, now=now)


async def resolve(
    session: AsyncSession,
    account: Account,
    trouble: Incident | None,
    *,
    now: datetime,
    calm: timedelta,
) -> None:
    """All is well again: say so, once, if the chat had been worried.

    What comes and goes is one episode, not many: an outage is over after it stayed away for *calm*.
    """
    if trouble is None or lingers(trouble, now=now, calm=calm):
        return
    if (before := resumed(trouble)) is None:
        await incidents.end(session, account.id)
    else:
        await incidents.put(session, account.id, before)
    if trouble.kind in _OVER_WITHOUT_A_WORD:
        return
    over = IncidentResolved(
        dry_run=account.settings.dry_run,
        kind=trouble.kind,
        count=trouble.times(trouble.kind).count,
        since=trouble.times(trouble.kind).since,
        at=now,
    )
    key = f"over:{account.id}:{trouble.since.isoformat()}"
    await publish(session, account.chat_id, over, key=key, now=now)


def lingers(trouble: Incident, *, now: datetime, calm: timedelta) -> bool:
    """Whether it is too early to call the trouble over."""
    if trouble.kind is IncidentKind.BLOCKED:
        return now - trouble.last_at < _BLOCKED_CALM
    return trouble.kind in OUTAGES and now - trouble.last_at < calm
