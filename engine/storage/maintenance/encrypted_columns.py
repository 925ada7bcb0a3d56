"""Lists all encrypted columns of the database, and replaces their values on rotation.

A secret is replaced only if unchanged since it was read: what a user stores meanwhile stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from engine.storage.coordination import key_values
from engine.storage.models.accounts import AccountRow, ListenKeyRow
from engine.storage.models.chat import ConversationRow
from engine.storage.models.coordination import KeyValueRow
from engine.storage.models.queues import InboxRow
from engine.storage.statements import update


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedColumn:
    """One column of sealed secrets; *kept* are the rows that have one."""

    name: str
    identity: tuple[InstrumentedAttribute[Any], ...]
    secret: InstrumentedAttribute[Any]
    kept: ColumnElement[bool]


KEYS = EncryptedColumn(
    name="keys of accounts",
    identity=(AccountRow.id,),
    secret=AccountRow.sealed_key,
    kept=AccountRow.sealed_key.is_not(None),
)
# The canary is last: while anything is under an old key, so is the canary, and a program that was
# not given that key does not start.
PLACES = (
    KEYS,
    EncryptedColumn(
        name="keys of streams",
        identity=(ListenKeyRow.account_id,),
        secret=ListenKeyRow.sealed,
        kept=ListenKeyRow.sealed != "",
    ),
    EncryptedColumn(
        name="open questions",
        identity=(ConversationRow.chat_id, ConversationRow.user_id),
        secret=ConversationRow.payload,
        kept=ConversationRow.payload != "",
    ),
    EncryptedColumn(
        name="updates to handle",
        identity=(InboxRow.id,),
        secret=InboxRow.payload,
        kept=InboxRow.payload != "",
    ),
    EncryptedColumn(
        name="the webhook's secret",
        identity=(KeyValueRow.name,),
        secret=KeyValueRow.value,
        kept=KeyValueRow.name == key_values.WEBHOOK_SECRET,
    ),
    EncryptedColumn(
        name="the canary",
        identity=(KeyValueRow.name,),
        secret=KeyValueRow.value,
        kept=KeyValueRow.name == key_values.VAULT_CANARY,
    ),
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret and the primary key of its row."""

    identity: tuple[Any, ...]
    token: str


async def after(
    session: AsyncSession, place: EncryptedColumn, last: Sealed | None, *, most: int
) -> Sequence[Sealed]:
    """The next secrets in the order of their rows; none left where it is empty."""
    query = select(*place.identity, place.secret).where(place.kept)
    if last is not None:
        query = query.where(tuple_(*place.identity) > tuple_(*last.identity))
    rows = await session.execute(query.order_by(*place.identity).limit(most))
    return [Sealed(tuple(row[:-1]), row[-1]) for row in rows]


async def replace(
    session: AsyncSession, place: EncryptedColumn, sealed: Sealed, token: str
) -> bool:
    """Replace a secret; False where it was changed or deleted meanwhile."""
    is_the_row = (
        column == value for column, value in zip(place.identity, sealed.identity, strict=True)
    )
    replaced = await session.scalar(
        update(place.secret.class_)
        .where(*is_the_row, place.secret == sealed.token)
        .values({place.secret: token})
        .returning(place.identity[0])
    )
    return replaced is not None
