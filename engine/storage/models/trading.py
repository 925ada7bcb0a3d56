"""Tables of trading: orders, results of checks, balances, and the paper exchange's ledger."""

from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.accounts.flows import Correction
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.capability import Answer
from engine.domain.execution.slices import SlicesEnd
from engine.domain.market.pairs import OrderType, Side
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import UNRESOLVED, OrderState, Trigger
from engine.domain.portfolio.run import RunEnd
from engine.domain.profit.entries import FlowKind
from engine.storage.column_types import Base
from engine.storage.models.accounts import AccountRow

# Written as in the index: only then do the databases use it.
UNRESOLVED_SQL = "state IN ({})".format(
    ", ".join(sorted(f"'{state.value}'" for state in UNRESOLVED))
)


class OrderRow(Base):
    """One intent and its outcome. At most one unresolved a time and account.

    *worth_cents* and *move_bp* repeat `expected_quote` (in cents, rounded up) and how far the price
    was from the one seen before (in basis points, rounded up): whole numbers, so that the statement
    which lets an order leave can add and compare them exactly on both databases. *inputs* is what
    the order was planned from, as JSON; NULL where a version before schema 0017 wrote the row.

    An order with a price is for *bound_quantity* at *bound*. A buy has its expected quote in
    *quote_amount* all the same: the version before schema 0021 reads it as an order like its own.

    From *execution_mode* on, a version before schema 0024 has written NULL: what is kept to tell what
    the order cost. *fills* are JSON, a row a trade.
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
    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id))
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
    inputs: Mapped[str | None] = mapped_column(deferred=True)
    order_type: Mapped[OrderType] = mapped_column(server_default=OrderType.MARKET.value)
    bound: Mapped[Decimal | None]
    bound_quantity: Mapped[Decimal | None]
    expected_average: Mapped[Decimal | None]
    widened: Mapped[bool] = mapped_column(server_default=false())
    cancelling_since: Mapped[datetime | None]
    slice_number: Mapped[int | None]
    slices: Mapped[int | None]
    leg: Mapped[int | None]
    execution_mode: Mapped[ExecutionMode | None]
    bid: Mapped[Decimal | None]
    ask: Mapped[Decimal | None]
    book_at: Mapped[datetime | None]
    depth: Mapped[Decimal | None]
    guard: Mapped[Decimal | None]
    expected_cost_bp: Mapped[Decimal | None]
    acknowledged_at: Mapped[datetime | None]
    end_reason: Mapped[EndReason | None]
    final_mid: Mapped[Decimal | None]
    fills: Mapped[str | None] = mapped_column(deferred=True)
    fee_price: Mapped[Decimal | None]
    account_version: Mapped[int | None]


class RunRow(Base):
    """One run of a plan over several pairs, whose orders are its legs: those with its *run_id* and a
    `leg`. *story* is JSON. An account has one open run at most; *told* when its end was.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index(
            "uq_runs_one_open",
            "account_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    run_id: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    dry_run: Mapped[bool]
    ended_at: Mapped[datetime | None]
    end: Mapped[RunEnd | None]
    told: Mapped[bool] = mapped_column(server_default=false())
    story: Mapped[str]


class OrderTypeRow(Base):
    """Whether the exchange takes orders of a type for a pair from the key with that end (*funds*),
    learned *at* that moment. No row: it is not known.
    """

    __tablename__ = "order_types"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    symbol: Mapped[str] = mapped_column(primary_key=True)
    funds: Mapped[str] = mapped_column(primary_key=True)
    order_type: Mapped[OrderType] = mapped_column(primary_key=True)
    answer: Mapped[Answer]
    at: Mapped[datetime]


class CheckResultRow(Base):
    """The last check that wanted to trade, as JSON: for `/why` after a restart."""

    __tablename__ = "looks"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    at: Mapped[datetime]
    payload: Mapped[str]


class DecisionRow(Base):
    """A decision that differs from the one before, as JSON: the history of `/why`."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_account_id_id", "account_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id))
    at: Mapped[datetime]
    payload: Mapped[str]


class BalanceRow(Base):
    """Balances that an account was last seen to hold, written when they change."""

    __tablename__ = "balances"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    dry_run: Mapped[bool] = mapped_column(primary_key=True)
    asset: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[Decimal]
    at: Mapped[datetime]


class BalanceChangeRow(Base):
    """A balance change that no order of ours explains: deposit, withdrawal or trade by hand.
    *price* is the traded token's then; None where it was not known, or before 0.8.0.
    """

    __tablename__ = "movements"
    __table_args__ = (Index("ix_movements_account_id_at", "account_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id))
    at: Mapped[datetime]
    dry_run: Mapped[bool]
    asset: Mapped[str]
    before: Mapped[Decimal]
    after: Mapped[Decimal]
    price: Mapped[Decimal | None]


class FlowCorrectionRow(Base):
    """What a person says of a flow of so many *units*, which `FlowKey` names."""

    __tablename__ = "flow_corrections"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    dry_run: Mapped[bool] = mapped_column(primary_key=True)
    kind: Mapped[FlowKind] = mapped_column(primary_key=True)
    asset: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    units: Mapped[Decimal]
    correction: Mapped[Correction]


class CandleRow(Base):
    """The price of the last trade of an hour that ended *at*, for all accounts of the pair.
    An hour without a trade may have no row.
    """

    __tablename__ = "candles"

    symbol: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    close: Mapped[Decimal]


class CandleRangeRow(Base):
    """The hours of a pair that were asked for, from *since* to *until*, and when it was last."""

    __tablename__ = "candle_ranges"

    symbol: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    asked_at: Mapped[datetime]


class RunRequestRow(Base):
    """A user's confirmed trade that the account's owner has not run yet: a rebalance, or the one in
    *manual*, as JSON; so is the *plan* of several trades that was shown.
    """

    __tablename__ = "requests"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    confirmation_id: Mapped[str]
    side: Mapped[Side]
    expected_quote: Mapped[Decimal]
    expires_at: Mapped[datetime]
    manual: Mapped[str | None]
    bound: Mapped[Decimal | None]
    plan: Mapped[str | None]


class SlicedTradeRow(Base):
    """A trade over time that runs: *slices* of *each*, but the last, which is the rest of *total*;
    they are USDT, or the token where *in_base*. *last* is the slice that ran last, stored before its
    order leaves. *ended* is why no further one runs, until a check has told so and deletes the row.
    """

    __tablename__ = "sliced_trades"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    plan_id: Mapped[str]
    user_id: Mapped[int]
    symbol: Mapped[str]
    dry_run: Mapped[bool]
    side: Mapped[Side]
    total: Mapped[Decimal]
    each: Mapped[Decimal]
    slices: Mapped[int]
    in_base: Mapped[bool]
    least: Mapped[Decimal]
    started_at: Mapped[datetime]
    span: Mapped[timedelta]
    pauses: Mapped[bool]
    target: Mapped[Decimal | None]
    last: Mapped[int]
    ended: Mapped[SlicesEnd | None]


class PaperBalanceRow(Base):
    """The paper exchange's ledger."""

    __tablename__ = "paper_balances"

    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id), primary_key=True)
    asset: Mapped[str] = mapped_column(primary_key=True)
    free: Mapped[Decimal]
    locked: Mapped[Decimal]


class PaperOrderRow(Base):
    """The paper exchange's orders: it must know them after a restart, as a real one does. One that
    *is_open* rests.
    """

    __tablename__ = "paper_orders"
    __table_args__ = (UniqueConstraint("account_id", "client_order_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(AccountRow.id))
    client_order_id: Mapped[str]
    symbol: Mapped[str]
    side: Mapped[Side]
    executed_base: Mapped[Decimal]
    executed_quote: Mapped[Decimal]
    fee_quote: Mapped[Decimal]
    complete: Mapped[bool]
    created_at: Mapped[datetime]
    price: Mapped[Decimal | None]
    base_quantity: Mapped[Decimal | None]
    seen_at: Mapped[datetime | None]
    is_open: Mapped[bool] = mapped_column(server_default=false())
