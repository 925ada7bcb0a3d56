"""Tables of accounts: settings and keys, members, audit trail, preferences, incidents."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from sqlalchemy import ForeignKey, String, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.accounts.deposits import DepositChoice
from engine.domain.accounts.members import Role
from engine.domain.accounts.settings import TradingMode
from engine.domain.accounts.shares import SharedAlerts
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.balances import Counting
from engine.storage.column_types import Base


class ThresholdUnit(Enum):
    FRACTION = "fraction"
    QUOTE = "quote"


class AccountRow(Base):
    """One chat's settings and sealed key. A limit that is empty follows from the target.

    No plan is offered until *not_before*. *key_told_days* is the last reminder of the key's
    expiry, in days before it; *topic_id* the forum topic that gets the account's messages. The
    waiting ones are of a deposit that is not traded yet, or all empty. Without a *slippage* it is
    the usual one. *outside_since* is the first check that found the balance out of its band.
    *targeting* is a target that is no amount of USDT, with what is set around it, as JSON: then
    *target* and the threshold rest, for code that knows no others.
    *slicing_until* is the deadline of its row in `sliced_trades`. *slot_at* is the last set time
    that was dealt with; empty before checks keep to any. *guard* is what the crash guard saw, and
    *sighted* what the last check found outside for the first time, as JSON.
    *widths* are those of the bands that follow volatility, as JSON.
    """

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(unique=True)
    chat_id: Mapped[int] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)
    target: Mapped[Decimal]
    threshold: Mapped[Decimal]
    threshold_unit: Mapped[ThresholdUnit]
    interval_s: Mapped[timedelta]
    symbol: Mapped[str]
    counting: Mapped[Counting]
    dry_run: Mapped[bool]
    paused: Mapped[bool]
    halted: Mapped[bool] = mapped_column(server_default=false())
    autonomy: Mapped[TradingMode] = mapped_column(server_default=TradingMode.AUTO.value)
    not_before: Mapped[datetime | None]
    limit_order: Mapped[Decimal | None]
    limit_day: Mapped[Decimal | None]
    limit_orders: Mapped[int | None]
    limit_move: Mapped[Decimal | None]
    sealed_key: Mapped[str | None]
    key_tail: Mapped[str | None]
    key_print: Mapped[str | None] = mapped_column(unique=True)
    key_expires_at: Mapped[datetime | None]
    key_checked_at: Mapped[datetime | None]
    key_told_days: Mapped[int | None]
    topic_id: Mapped[int | None]
    all_may_look: Mapped[bool] = mapped_column(server_default=false())
    deposits: Mapped[DepositChoice] = mapped_column(server_default=DepositChoice.NOW.value)
    deposit_wait_s: Mapped[timedelta] = mapped_column(server_default=text("900"))
    waiting_amount: Mapped[Decimal | None]
    waiting_until: Mapped[datetime | None]
    waiting_question: Mapped[str | None]
    execution: Mapped[ExecutionMode] = mapped_column(server_default=ExecutionMode.MARKET.value)
    slippage: Mapped[Decimal | None]
    slippage_strict: Mapped[bool] = mapped_column(server_default=false())
    outside_since: Mapped[datetime | None]
    targeting: Mapped[str | None]
    slicing_until: Mapped[datetime | None]
    slot_at: Mapped[datetime | None]
    guard: Mapped[str | None]
    sighted: Mapped[str | None]
    widths: Mapped[str | None]
    created_at: Mapped[datetime]


class ExchangeAccountRow(Base):
    """The exchange account of a key: *account_print* is the same for all its keys.
    A key without a row was not read yet, or the exchange did not state it.
    """

    __tablename__ = "exchange_accounts"

    key_print: Mapped[str] = mapped_column(primary_key=True)
    account_print: Mapped[str] = mapped_column(index=True)
    connected_at: Mapped[datetime]


class ListenKeyRow(Base):
    """The key of an account's stream, made with the API key of *key_print*. The exchange forgets it
    an hour after *extended_at*. *created_at* tells it from the one before it.
    """

    __tablename__ = "listen_keys"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    sealed: Mapped[str]
    key_print: Mapped[str]
    created_at: Mapped[datetime]
    extended_at: Mapped[datetime]


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


class ShareRow(Base):
    """A chat that sees another chat's account in place of its own, which has no key."""

    __tablename__ = "shares"

    chat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), index=True)
    role: Mapped[Role]
    user_id: Mapped[int]
    name: Mapped[str]
    alerts: Mapped[SharedAlerts] = mapped_column(server_default=SharedAlerts.ALL.value)
    time_zone: Mapped[str | None]
    shared_by: Mapped[int]
    created_at: Mapped[datetime]


class ShareLinkRow(Base):
    """A one-time code (hashed) that lets its bearer see an account.
    The requested ones and *title* are of a group whose user sent it: its owner decides.
    """

    __tablename__ = "share_links"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), index=True)
    role: Mapped[Role]
    made_by: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_by: Mapped[int | None]
    used_at: Mapped[datetime | None]
    requested_chat: Mapped[int | None]
    requested_by: Mapped[int | None]
    requested_at: Mapped[datetime | None]
    requested_name: Mapped[str | None]
    title: Mapped[str | None]


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


class AlertPreferencesRow(Base):
    """A chat's alert preferences; no row means the defaults.

    *levels* is JSON: what differs from "on", by kind of alert. Minutes are of the chat's own day,
    in *time_zone* (a name of the tz database). *digest_due* is when the next digest is written,
    *digest_at* and *digest_quote* when the last one was and the USDT held then. *weekly_day* (0 is
    Monday) and *weekly_minute* are None where no weekly report is wanted; *weekly_due* and
    *weekly_at* are of those.
    """

    __tablename__ = "alert_settings"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    levels: Mapped[str]
    smallest: Mapped[Decimal]
    time_zone: Mapped[str]
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    errors_break_through: Mapped[bool] = mapped_column(server_default=true())
    ask_deposits: Mapped[bool] = mapped_column(server_default=true())
    light_pictures: Mapped[bool] = mapped_column(server_default=false())
    digest_minute: Mapped[int | None]
    digest_due: Mapped[datetime | None] = mapped_column(index=True)
    digest_at: Mapped[datetime | None]
    digest_quote: Mapped[Decimal | None]
    digest_picture: Mapped[bool] = mapped_column(server_default=false())
    weekly_day: Mapped[int | None]
    weekly_minute: Mapped[int | None]
    weekly_due: Mapped[datetime | None] = mapped_column(index=True)
    weekly_at: Mapped[datetime | None]
    weekly_picture: Mapped[bool] = mapped_column(server_default=true())


class TimedPauseRow(Base):
    """A pause that ends by itself at *ends_at*; *asked* questions were sent instead.
    *version* is the account's when it was paused, *due_at* when something is to be done next.
    """

    __tablename__ = "timed_pauses"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    user_id: Mapped[int]
    version: Mapped[int]
    ends_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    asked: Mapped[int]


class LowBalanceRow(Base):
    """Alerts the user when less than *below* of *asset* is left; *told* until it is back."""

    __tablename__ = "low_marks"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    asset: Mapped[str] = mapped_column(primary_key=True)
    below: Mapped[Decimal]
    told: Mapped[bool]


class PriceAlertRow(Base):
    """Tells the user when the price of *symbol* moves by *fraction* within a day. *told_at* is when it
    did last; *seen* are the prices since it was set or told, as JSON: of each hour its beginning in
    milliseconds, the lowest and the highest.
    """

    __tablename__ = "price_alerts"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    symbol: Mapped[str] = mapped_column(primary_key=True)
    fraction: Mapped[Decimal]
    set_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    seen: Mapped[str]


class IncidentRow(Base):
    """The open incident of an account, if any. *kind* may be another version's."""

    __tablename__ = "troubles"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    detail: Mapped[str]
    since: Mapped[datetime]
    last_at: Mapped[datetime]
    count: Mapped[int]
    told: Mapped[int]
    told_kinds: Mapped[str]
    kinds: Mapped[str] = mapped_column(server_default="")
