"""Queries of the price alerts that chats have set, and of the prices that they saw."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import exists, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import from_millis, to_millis
from engine.domain.alerts.price_alerts import PriceAlert, PriceRange
from engine.domain.market.decimals import decimal_from_text, plain
from engine.domain.market.pairs import Symbol
from engine.domain.orders.order import AccountId
from engine.storage.coordination import key_values
from engine.storage.models.accounts import AccountRow, PriceAlertRow, ShareRow
from engine.storage.models.coordination import KeyValueRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import delete, update

_CLAIM = "prices_looked_at"


@dataclass(frozen=True, slots=True)
class SetAlert:
    """A price alert of an account. *has_key*: its prices may be asked for with its key."""

    account_id: AccountId
    chat_id: int
    dry_run: bool
    has_key: bool
    alert: PriceAlert


async def of_account(session: AsyncSession, account_id: AccountId) -> Sequence[PriceAlert]:
    rows = await session.scalars(
        select(PriceAlertRow)
        .where(PriceAlertRow.account_id == account_id)
        .order_by(PriceAlertRow.symbol)
    )
    return [_alert(row) for row in rows]


async def symbols(session: AsyncSession) -> Sequence[Symbol]:
    """The pairs that any account waits for."""
    found = await session.scalars(select(PriceAlertRow.symbol).distinct())
    return [Symbol(symbol) for symbol in found]


async def page(
    session: AsyncSession,
    *,
    after: tuple[int, str] = (0, ""),
    most: int,
    only: Sequence[Symbol] | None = None,
) -> Sequence[SetAlert]:
    """At most *most* alerts behind *after*, an account and a symbol. A chat that sees another's
    account in place of its own cannot stop its own alerts, and gets none.
    """
    key = tuple_(PriceAlertRow.account_id, PriceAlertRow.symbol)
    found = await session.execute(
        select(
            PriceAlertRow,
            AccountRow.chat_id,
            AccountRow.dry_run,
            ~AccountRow.dry_run & AccountRow.sealed_key.is_not(None),
        )
        .join(AccountRow, AccountRow.id == PriceAlertRow.account_id)
        .where(
            key > after,
            ~exists().where(ShareRow.chat_id == AccountRow.chat_id),
            *([] if only is None else [PriceAlertRow.symbol.in_(only)]),
        )
        .order_by(PriceAlertRow.account_id, PriceAlertRow.symbol)
        .limit(most)
    )
    return [
        SetAlert(AccountId(row.account_id), chat_id, dry_run, has_key, _alert(row))
        for row, chat_id, dry_run, has_key in found
    ]


async def put(session: AsyncSession, account_id: AccountId, alert: PriceAlert) -> None:
    """Set anew what the account had for the pair, if anything."""
    values = columns_of(alert, "seen")
    await session.merge(PriceAlertRow(account_id=account_id, **values, seen=_written(alert.seen)))


async def remove(session: AsyncSession, account_id: AccountId, symbol: Symbol) -> Decimal | None:
    """Returns the fraction of the alert that was there."""
    return await session.scalar(
        delete(PriceAlertRow)
        .where(PriceAlertRow.account_id == account_id, PriceAlertRow.symbol == symbol)
        .returning(PriceAlertRow.fraction)
    )


async def note(
    session: AsyncSession, account_id: AccountId, before: PriceAlert, after: PriceAlert
) -> bool:
    """Store what was seen. False if *before* was set or told anew since it was read: then another
    process, or the user, is ahead.
    """
    row = PriceAlertRow
    noted = await session.scalar(
        update(row)
        .where(
            row.account_id == account_id,
            row.symbol == before.symbol,
            row.set_at == before.set_at,
            row.told_at.is_not_distinct_from(before.told_at),
        )
        .values(told_at=after.told_at, seen=_written(after.seen))
        .returning(row.symbol)
    )
    return noted is not None


async def claim(session: AsyncSession, *, now: datetime, every: timedelta) -> bool:
    """Claim the look at *now*: one process looks for all. What counts as later than *now* is of
    before the clock was set back.
    """
    await key_values.put_first(session, _CLAIM, _moment(from_millis(0)))
    claimed = await session.scalar(
        update(KeyValueRow)
        .where(
            KeyValueRow.name == _CLAIM,
            or_(
                KeyValueRow.value <= _moment(now - every),
                KeyValueRow.value > _moment(now + every),
            ),
        )
        .values(value=_moment(now))
        .returning(KeyValueRow.name)
    )
    return claimed is not None


def _moment(moment: datetime) -> str:
    """All of one length, so that they compare as text as they do as times."""
    return f"{to_millis(moment):015d}"


def _alert(row: PriceAlertRow) -> PriceAlert:
    return from_row(PriceAlert, row, seen=_read(row.seen))


def _written(seen: Sequence[PriceRange]) -> str:
    return json.dumps([[to_millis(one.at), plain(one.low), plain(one.high)] for one in seen])


def _read(text: str) -> tuple[PriceRange, ...]:
    """Nothing where another version wrote it: it is seen anew."""
    try:
        return tuple(
            PriceRange(from_millis(at), decimal_from_text(low), decimal_from_text(high))
            for at, low, high in json.loads(text)
        )
    except (TypeError, ValueError):
        return ()
