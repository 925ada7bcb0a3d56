"""The tables. Rows are private to `engine/storage`; domain values come out of its modules."""

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.accounts.settings import ThresholdUnit, TradingMode
from engine.domain.market.balances import Counting
from engine.domain.market.pairs import Side
from engine.domain.orders.order import UNRESOLVED, OrderState, Trigger
from engine.storage.column_types import Base
from engine.storage.models.queue_columns import QueueColumns, queue_indexes

# Written as in the index: only then do the databases use it.
UNRESOLVED_SQL = "state IN ({})".format(
    ", ".join(sorted(f"'{state.value}'" for state in UNRESOLVED))
)


class AccountRow(Base):
    """One chat's settings and sealed key. A limit that is empty follows from the target.

    No plan is offered until *not_before*. *key_told_days* is the last reminder of the key's
    expiry, in days before it; *topic_id* the forum topic that gets the account's messages.
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
    created_at: Mapped[datetime]


class ExchangeAccountRow(Base):
    """The exchange account of a key: *account_print* is the same for all its keys.
    A key without a row was not read yet, or the exchange did not state it.
    """

    __tablename__ = "exchange_accounts"

    key_print: Mapped[str] = mapped_column(primary_key=True)
    account_print: Mapped[str] = mapped_column(index=True)
    connected_at: Mapped[datetime]


class LeaseRow(Base):
    """Lease of an account by a process. Each claim raises *fence*; times are the database's."""

    __tablename__ = "leases"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    owner: Mapped[str | None] = mapped_column(index=True)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime]
    woken: Mapped[bool] = mapped_column(default=False)


class LeaderLeaseRow(Base):
    """Lease of a job that one process at a time runs. *held_until* is the database's time."""

    __tablename__ = "posts"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    held_until: Mapped[datetime]


class ProcessRow(Base):
    """A process that works on this database, until its announcement expires.
    *session* is the database's name of its session; empty where unknown, and absent in 0.4.0.
    """

    __tablename__ = "processes"

    owner: Mapped[str] = mapped_column(primary_key=True)
    alive_until: Mapped[datetime]
    session: Mapped[str | None]


class OrderRow(Base):
    """One intent and its outcome. At most one unresolved a time and account.

    *worth_cents* and *move_bp* repeat `expected_quote` (in cents, rounded up) and how far the price
    was from the one seen before (in basis points, rounded up): whole numbers, so that the statement
    which lets an order leave can add and compare them exactly on both databases.
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("account_id", "run_id", "attempt"),
        Index(
            "uq_orders_one_unresolved",
            "account_id",
            unique=True,
            sqlite_where=text(UNRESOLVED_SQL),
            postgresql_where=text(UNRESOLVED_SQL),
        ),
        Index("ix_orders_account_id_created_at", "account_id", "created_at"),
        Index("ix_orders_account_id_sent_at", "account_id", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_order_id: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    run_id: Mapped[str]
    attempt: Mapped[int]
    symbol: Mapped[str]
    side: Mapped[Side]
    quote_amount: Mapped[Decimal | None]
    base_quantity: Mapped[Decimal | None]
    expected_quote: Mapped[Decimal]
    worth_cents: Mapped[int] = mapped_column(server_default=text("0"))
    price: Mapped[Decimal | None]
    move_bp: Mapped[int] = mapped_column(server_default=text("0"))
    dry_run: Mapped[bool]
    trigger: Mapped[Trigger]
    fence: Mapped[int]
    target: Mapped[Decimal]
    quote_before: Mapped[Decimal]
    base_before: Mapped[Decimal]
    created_at: Mapped[datetime]
    state: Mapped[OrderState]
    sent_at: Mapped[datetime | None]
    exchange_order_id: Mapped[str | None]
    executed_base: Mapped[Decimal]
    executed_quote: Mapped[Decimal]
    fees: Mapped[str | None]
    fees_complete: Mapped[bool] = mapped_column(server_default=true())
    quote_after: Mapped[Decimal | None]
    base_after: Mapped[Decimal | None]
    resolved_at: Mapped[datetime | None]
    misses: Mapped[int]
    missed_at: Mapped[datetime | None]
    error: Mapped[str | None]


class IncidentRow(Base):
    """The open incident of an account, if any. *kind* may be another version's."""

    __tablename__ = "troubles"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    detail: Mapped[str]
    since: Mapped[datetime]
    last_at: Mapped[datetime]
    count: Mapped[int]
    told: Mapped[int]
    told_kinds: Mapped[str]
    kinds: Mapped[str] = mapped_column(server_default="")


class CheckResultRow(Base):
    """The last check that wanted to trade, as JSON: for `/why` after a restart."""

    __tablename__ = "looks"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    at: Mapped[datetime]
    payload: Mapped[str]


class DecisionRow(Base):
    """A decision that differs from the one before, as JSON: the history of `/why`."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_account_id_id", "account_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime]
    payload: Mapped[str]


class BalanceRow(Base):
    """Balances that an account was last seen to hold, written when they change."""

    __tablename__ = "balances"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    dry_run: Mapped[bool] = mapped_column(primary_key=True)
    asset: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[Decimal]
    at: Mapped[datetime]


class BalanceChangeRow(Base):
    """A balance change that no order of ours explains: deposit, withdrawal or trade by hand."""

    __tablename__ = "movements"
    __table_args__ = (Index("ix_movements_account_id_at", "account_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime]
    dry_run: Mapped[bool]
    asset: Mapped[str]
    before: Mapped[Decimal]
    after: Mapped[Decimal]


class RunRequestRow(Base):
    """A user's confirmed rebalance that the account's owner has not run yet."""

    __tablename__ = "requests"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    confirmation_id: Mapped[str]
    side: Mapped[Side]
    expected_quote: Mapped[Decimal]
    expires_at: Mapped[datetime]


class KeyValueRow(Base):
    """Small facts of the installation: the vault's canary, the pairing code's hash, a halt."""

    __tablename__ = "notes"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


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


class PaperBalanceRow(Base):
    """The paper exchange's ledger."""

    __tablename__ = "paper_balances"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    asset: Mapped[str] = mapped_column(primary_key=True)
    free: Mapped[Decimal]
    locked: Mapped[Decimal]


class PaperOrderRow(Base):
    """The paper exchange's orders: it must know them after a restart, as a real one does."""

    __tablename__ = "paper_orders"
    __table_args__ = (UniqueConstraint("account_id", "client_order_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    client_order_id: Mapped[str]
    symbol: Mapped[str]
    side: Mapped[Side]
    executed_base: Mapped[Decimal]
    executed_quote: Mapped[Decimal]
    fee_quote: Mapped[Decimal]
    complete: Mapped[bool]
    created_at: Mapped[datetime]
