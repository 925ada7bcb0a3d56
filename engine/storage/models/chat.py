"""Tables of a chat: confirmations, conversations and the status message."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column

from engine.storage.column_types import Base


class ConfirmationRow(Base):
    """A button that changes something: bound to a chat and a user, used once, until it expires.

    *user_id* 0 is any trader of the chat; *message_id* the message that has the button.
    """

    __tablename__ = "confirmations"

    id: Mapped[str] = mapped_column(primary_key=True)
    chat_id: Mapped[int]
    user_id: Mapped[int]
    kind: Mapped[str]
    payload: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    message_id: Mapped[int | None]


class ConversationRow(Base):
    """A question the bot has asked and not had answered; *payload* is encrypted."""

    __tablename__ = "dialogs"

    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    payload: Mapped[str]
    expires_at: Mapped[datetime]


class StatusMessageRow(Base):
    """The chat's live status message.

    *next_edit_at* is when it may be edited again; moving it is the claim. *shown* is a hash of its
    text, *price* what the pair cost when that was last seen. *for_viewer*: it was asked for by
    somebody who may only look, and has no other buttons.
    """

    __tablename__ = "cards"

    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[int]
    pinned: Mapped[bool]
    shown: Mapped[str]
    price: Mapped[Decimal | None]
    price_at: Mapped[datetime | None]
    for_viewer: Mapped[bool] = mapped_column(server_default=false())
    next_edit_at: Mapped[datetime] = mapped_column(index=True)
