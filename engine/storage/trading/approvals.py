"""Queries of the last plan offered to a chat or reported: one per account."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from engine.domain.orders.order import AccountId, Order, Trigger
from engine.domain.rebalancing.approval import ApprovalRequest, ApprovalState
from engine.storage.coordination import key_values
from engine.storage.models.trading import OrderRow, RunRequestRow
from engine.storage.serialization import readable, to_json


async def last(session: AsyncSession, account_id: AccountId) -> ApprovalRequest | None:
    """Returns the last one; None also where another version wrote it: it is offered again."""
    return readable(await key_values.get(session, _name(account_id)), ApprovalRequest)


async def put(session: AsyncSession, account_id: AccountId, offer: ApprovalRequest) -> None:
    await key_values.put(session, _name(account_id), to_json(offer))


async def forget(session: AsyncSession, account_id: AccountId) -> None:
    await key_values.remove(session, _name(account_id))


async def answered(
    session: AsyncSession,
    account_id: AccountId,
    offer_id: str,
    standing: ApprovalState,
    now: datetime,
) -> None:
    """Record a user's answer; ignored for an offer that was replaced."""
    offer = await last(session, account_id)
    if offer is not None and offer.id == offer_id:
        await put(session, account_id, replace(offer, standing=standing, since=now))


def asked_for(intent: Order) -> ColumnElement[bool]:
    """True if a user's tap requests this run: it waits, or it let an earlier attempt out."""
    earlier = aliased(OrderRow)
    waits = exists().where(
        RunRequestRow.account_id == intent.account_id,
        RunRequestRow.confirmation_id == intent.run_id,
    )
    went = exists().where(
        earlier.account_id == intent.account_id,
        earlier.run_id == intent.run_id,
        earlier.trigger == Trigger.PERSON,
        earlier.attempt < intent.attempt,
        earlier.sent_at.is_not(None),
    )
    return or_(waits, went)


def _name(account_id: AccountId) -> str:
    return f"offer:{account_id}"
