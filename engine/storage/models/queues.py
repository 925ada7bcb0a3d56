"""Tables of the queues, the inbox and the outbox: their columns, and cheap claiming."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.storage.column_types import Base

FIRST, NORMAL, LAST = 0, 10, 20
"""Ranks. FIRST overtakes what is being worked on; numbers between are free for other uses."""

ASIDE = 90
"""The rank of a row that is being worked on and no longer keeps its chat waiting."""


class QueueColumns:
    """Columns of every queue. A row is waiting while *done_at* is empty.

    *attempts* counts the claims, so it is also the fence of the present one. *deaths* counts
    claims that expired: the process ended, or was frozen, with an unknown result.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    chat_id: Mapped[int]
    payload: Mapped[str]
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    rank: Mapped[int] = mapped_column(server_default=text(str(NORMAL)))
    deaths: Mapped[int] = mapped_column(server_default=text("0"))


def queue_indexes(table_name: str) -> tuple[Index, Index]:
    """Returns the indexes that keep `claim` cheap, however long the history grows."""
    still_waiting, claimed = text("done_at IS NULL"), text("claimed_until IS NOT NULL")
    return (
        Index(
            f"ix_{table_name}_waiting",
            "chat_id",
            "rank",
            "id",
            sqlite_where=still_waiting,
            postgresql_where=still_waiting,
        ),
        Index(
            f"ix_{table_name}_claimed",
            "chat_id",
            sqlite_where=claimed,
            postgresql_where=claimed,
        ),
    )


class InboxRow(QueueColumns, Base):
    """A Telegram update, encrypted, until it has been handled."""

    __tablename__ = "inbox"
    __table_args__ = (UniqueConstraint("bot_id", "update_id"), *queue_indexes("inbox"))

    bot_id: Mapped[int]
    update_id: Mapped[int]


class OutboxRow(QueueColumns, Base):
    """A message that must reach a chat, as JSON of its facts."""

    __tablename__ = "outbox"
    __table_args__ = queue_indexes("outbox")

    kind: Mapped[str]
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    message_id: Mapped[int | None]
    topic_id: Mapped[int | None]
