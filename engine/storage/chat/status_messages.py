"""Queries of each chat's live status message: its id, its text, and when it may be edited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from engine.domain.rebalancing.check_result import CheckResult
from engine.storage.models.accounts import AccountRow, ShareRow
from engine.storage.models.chat import StatusMessageRow
from engine.storage.models.coordination import LeaseRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.serialization import from_json, to_json
from engine.storage.statements import delete, update

# A status message that must be sent again has no message id yet.
NOT_SENT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusMessage:
    """A chat's status message. *gist* is a hash of its text, *words* one of its letters.
    Both are empty where unknown; *look* are the balances it shows, which may be newer than the
    last check, *price* is that of the same pair. *for_viewer*: it has only a viewer's buttons.
    """

    chat_id: int
    message_id: int
    pinned: bool = False
    gist: str = ""
    words: str = ""
    look: CheckResult | None = None
    price: Decimal | None = None
    price_at: datetime | None = None
    for_viewer: bool = False


async def get(session: AsyncSession, chat_id: int) -> StatusMessage | None:
    row = await session.get(StatusMessageRow, chat_id)
    return None if row is None else _card(row)


async def put(
    session: AsyncSession, card: StatusMessage, *, next_edit_at: datetime
) -> StatusMessage | None:
    """Store the chat's status message; returns the one before it."""
    row = await session.get(StatusMessageRow, card.chat_id, with_for_update=True)
    before = None if row is None else _card(row)
    await session.merge(
        StatusMessageRow(
            **columns_of(card, "gist", "words", "look"),
            shown=_shown(card),
            next_edit_at=next_edit_at,
        )
    )
    return before


async def said(session: AsyncSession, card: StatusMessage, *, before: StatusMessage) -> None:
    """Store the new text.
    If another process has edited it since *before*, its text is unknown, and it is edited once
    more.
    """
    this = _is(card)
    changed = await session.scalar(
        update(StatusMessageRow)
        .where(*this, StatusMessageRow.shown == _shown(before))
        .values(shown=_shown(card), **_also(card))
        .returning(StatusMessageRow.chat_id)
    )
    if changed is None:
        unknown = _shown(replace(card, gist="", words=""))
        await _set(session, this, shown=unknown, **_also(card))


async def pin(session: AsyncSession, card: StatusMessage, *, pinned: bool) -> None:
    await _set(session, _is(card), pinned=pinned)


async def forget(session: AsyncSession, card: StatusMessage) -> None:
    """Delete a status message that is gone; a newer one of the chat stays."""
    await session.execute(delete(StatusMessageRow).where(*_is(card)))


async def any_due(session: AsyncSession, *, owner: str, now: datetime) -> bool:
    """True if `claim` would find one; asked first, for it is often no."""
    return await session.scalar(_due(owner=owner, now=now, most=1)) is not None


async def of_owner(session: AsyncSession, *, owner: str) -> Sequence[int]:
    """The chats with a status message whose account *owner* checks."""
    return (
        await session.scalars(
            _checked_by(owner)
            .where(StatusMessageRow.message_id != NOT_SENT)
            .order_by(StatusMessageRow.chat_id)
        )
    ).all()


async def claim(
    session: AsyncSession, *, owner: str, now: datetime, pause: timedelta, most: int
) -> Sequence[int]:
    """Claim status messages of *owner*'s accounts that no other process updates in *pause*.

    Only the process that checks an account knows its last result.
    """
    due = _due(owner=owner, now=now, most=most)
    rows = await session.scalars(
        update(StatusMessageRow)
        .where(StatusMessageRow.chat_id.in_(due), StatusMessageRow.next_edit_at <= now)
        .values(next_edit_at=now + pause)
        .returning(StatusMessageRow.chat_id)
    )
    return rows.all()


async def claim_now(
    session: AsyncSession,
    chat_id: int,
    *,
    now: datetime,
    pause: timedelta,
    at_most_every: timedelta,
) -> bool:
    """Claim one chat's after a user's change; False just after an edit: then it is due soon.
    The claim is otherwise the same as `claim`.
    """
    claimed = await session.scalar(
        update(StatusMessageRow)
        .where(
            StatusMessageRow.chat_id == chat_id,
            StatusMessageRow.next_edit_at <= now + pause - at_most_every,
        )
        .values(next_edit_at=now + pause)
        .returning(StatusMessageRow.chat_id)
    )
    if claimed is None:
        soon = now + at_most_every
        mine = (StatusMessageRow.chat_id == chat_id, StatusMessageRow.next_edit_at > soon)
        await _set(session, mine, next_edit_at=soon)
    return claimed is not None


async def hurry_others(session: AsyncSession, *, but_not: int, at: datetime) -> None:
    """Make the status messages of the account that the chat *but_not* sees due by *at* in others."""
    mine, theirs = aliased(ShareRow), aliased(ShareRow)
    with_share = select(mine.account_id).where(mine.chat_id == but_not)
    own = select(AccountRow.id).where(AccountRow.chat_id == but_not)
    seen = func.coalesce(with_share.scalar_subquery(), own.scalar_subquery())
    owners = select(AccountRow.chat_id).where(AccountRow.id == seen)
    shared = select(theirs.chat_id).where(theirs.account_id == seen)
    others = (
        StatusMessageRow.chat_id.in_(owners.union_all(shared)),
        StatusMessageRow.chat_id != but_not,
        StatusMessageRow.next_edit_at > at,
    )
    await _set(session, others, next_edit_at=at)


async def forget_chat(session: AsyncSession, chat_id: int) -> None:
    """The chat has another account to show from now on, or none."""
    await session.execute(delete(StatusMessageRow).where(StatusMessageRow.chat_id == chat_id))


async def postpone(session: AsyncSession, *, until: datetime) -> None:
    """Postpone all edits, where Telegram wants fewer."""
    await _set(session, (StatusMessageRow.next_edit_at < until,), next_edit_at=until)


async def move(session: AsyncSession, *, old: int, new: int, now: datetime) -> None:
    """Move to the group's new id, under which old messages do not exist: it is sent again."""
    await _set(
        session,
        (StatusMessageRow.chat_id == old,),
        chat_id=new,
        message_id=NOT_SENT,
        shown="",
        next_edit_at=now,
    )


def _due(*, owner: str, now: datetime, most: int) -> Any:
    return (
        _checked_by(owner)
        .where(StatusMessageRow.next_edit_at <= now)
        .order_by(StatusMessageRow.next_edit_at, StatusMessageRow.chat_id)
        .limit(most)
    )


def _checked_by(owner: str) -> Select[int]:
    """The chats with a status message of an account, their own or a shared one, of *owner*'s."""
    shown = func.coalesce(ShareRow.account_id, AccountRow.id)
    return (
        select(StatusMessageRow.chat_id)
        .outerjoin(ShareRow, ShareRow.chat_id == StatusMessageRow.chat_id)
        .outerjoin(AccountRow, AccountRow.chat_id == StatusMessageRow.chat_id)
        .join(LeaseRow, LeaseRow.account_id == shown)
        .where(LeaseRow.owner == owner)
    )


def _is(card: StatusMessage) -> tuple[ColumnElement[bool], ...]:
    return StatusMessageRow.chat_id == card.chat_id, StatusMessageRow.message_id == card.message_id


async def make_due(session: AsyncSession, chat_id: int, *, at: datetime) -> None:
    """Make the status message due in the next round after *at*."""
    await _set(session, (StatusMessageRow.chat_id == chat_id,), next_edit_at=at)


async def _set(session: AsyncSession, where: Sequence[ColumnElement[bool]], **values: Any) -> None:
    await session.execute(update(StatusMessageRow).where(*where).values(**values))


def _also(card: StatusMessage) -> dict[str, Any]:
    return {"price": card.price, "price_at": card.price_at, "for_viewer": card.for_viewer}


def _shown(card: StatusMessage) -> str:
    look = "" if card.look is None else to_json(card.look)
    return f"{card.gist} {card.words} {look}"


def _card(row: StatusMessageRow) -> StatusMessage:
    gist, _, rest = row.shown.partition(" ")
    words, _, json = rest.partition(" ")
    try:
        look = from_json(json, CheckResult) if json else None
    except ValueError:  # written by another version
        gist, words, look = "", "", None
    return from_row(StatusMessage, row, gist=gist, words=words, look=look)
