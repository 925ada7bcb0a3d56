"""Tables of a chat: members, confirmations, conversations and alert preferences.

Rows are private to `engine/storage`, as those of `trading.py`.
"""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, true
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.accounts.members import Role
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


class MemberRow(Base):
    """A user who may use the bot in a chat, let in by the pairing code or an invitation."""

    __tablename__ = "members"

    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_owner: Mapped[bool]
    role: Mapped[Role] = mapped_column(server_default=Role.TRADER.value)
    name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime]


class StrangerRow(Base):
    """A user who was refused once; later refusals get no answer."""

    __tablename__ = "strangers"

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    refused_at: Mapped[datetime]


class AuditRow(Base):
    """Audit of decisions about money: user and change; never changed."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    chat_id: Mapped[int] = mapped_column(index=True)
    user_id: Mapped[int]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]


class InvitationRow(Base):
    """A one-time code (hashed) that lets its bearer into a chat with a role."""

    __tablename__ = "invitations"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    chat_id: Mapped[int]
    role: Mapped[Role]
    invited_by: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_by: Mapped[int | None]
    used_at: Mapped[datetime | None]


class StatusMessageRow(Base):
    """The chat's live status message.

    *next_edit_at* is when it may be edited again; moving it is the claim. *shown* is a hash of its
    text.
    """

    __tablename__ = "cards"

    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    message_id: Mapped[int]
    pinned: Mapped[bool]
    shown: Mapped[str]
    next_edit_at: Mapped[datetime] = mapped_column(index=True)


class AlertPreferencesRow(Base):
    """A chat's alert preferences; no row means the defaults.

    *levels* is JSON: what differs from "on", by kind of alert. Minutes are of the chat's own day,
    in *time_zone* (a name of the tz database). *digest_due* is when the next digest is written,
    *digest_at* and *digest_quote* when the last one was and the USDT held then.
    """

    __tablename__ = "alert_settings"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    levels: Mapped[str]
    smallest: Mapped[Decimal]
    time_zone: Mapped[str]
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    errors_break_through: Mapped[bool] = mapped_column(server_default=true())
    ask_deposits: Mapped[bool] = mapped_column(server_default=true())
    digest_minute: Mapped[int | None]
    digest_due: Mapped[datetime | None] = mapped_column(index=True)
    digest_at: Mapped[datetime | None]
    digest_quote: Mapped[Decimal | None]


class LowBalanceRow(Base):
    """Alerts the user when less than *below* of *asset* is left; *told* until it is back."""

    __tablename__ = "low_marks"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    asset: Mapped[str] = mapped_column(primary_key=True)
    below: Mapped[Decimal]
    told: Mapped[bool]
