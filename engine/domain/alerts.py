"""What a chat must be told: facts, stored with the fact they belong to; `bot/views` has the words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.orders import Intent, Trigger
from engine.domain.pairs import Asset, Side, Symbol
from engine.domain.people import Role
from engine.domain.planner import Reason
from engine.domain.troubles import TroubleKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSettled:
    """An order is over. *base_quantity* 0 means nothing was filled.

    *asked_quote* is what a buy was to spend or a sell was to bring. *late* means the exchange's
    first answer was lost and the result had to be looked up.
    """

    dry_run: bool
    symbol: Symbol
    side: Side
    trigger: Trigger
    base_quantity: Decimal
    quote_amount: Decimal
    asked_quote: Decimal
    fees: Mapping[Asset, Decimal] | None
    quote_before: Decimal
    quote_after: Decimal | None
    target: Decimal
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnclear:
    """The exchange did not say whether it took the order; nothing else is sent meanwhile."""

    dry_run: bool
    symbol: Symbol
    side: Side
    expected_quote: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNeverArrived:
    """The unclear order turned out not to exist; the next check plans afresh."""

    dry_run: bool
    symbol: Symbol
    side: Side
    expected_quote: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNeedsPerson:
    """Still unclear after 15 minutes: the person should look at the exchange."""

    dry_run: bool
    symbol: Symbol
    side: Side
    expected_quote: Decimal
    client_order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleTold:
    """A check or an order failed. *paused* says whether trading was paused because of it."""

    dry_run: bool
    kind: TroubleKind
    detail: str
    count: int
    since: datetime
    at: datetime
    symbol: Symbol
    reason: Reason | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleOver:
    dry_run: bool
    kind: TroubleKind
    count: int
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDeclined:
    """A person asked for a trade and got none: *reason*, or the market moved away from the plan."""

    dry_run: bool
    symbol: Symbol
    held: Decimal
    target: Decimal
    reason: Reason | None
    new_side: Side | None = None
    new_quote: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """The owner stopped all chats; *expected_quote* is of an order that had left already."""

    dry_run: bool
    expected_quote: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltLifted:
    """The chat is as it was before the halt."""

    dry_run: bool
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined:
    """A code was used where this chat did not see it. *role* None: for a private chat of their own."""

    user_id: int
    name: str
    role: Role | None


Alert = (
    TradeSettled
    | OrderUnclear
    | OrderNeverArrived
    | OrderNeedsPerson
    | TroubleTold
    | TroubleOver
    | RunDeclined
    | Halted
    | HaltLifted
    | MemberJoined
)


def trade_settled(intent: Intent, *, late: bool) -> TradeSettled:
    return TradeSettled(
        dry_run=intent.dry_run,
        symbol=intent.symbol,
        side=intent.side,
        trigger=intent.trigger,
        base_quantity=intent.execution.base_quantity,
        quote_amount=intent.execution.quote_amount,
        asked_quote=intent.quote_amount or intent.expected_quote,
        fees=intent.fees.by_asset if intent.fees else None,
        quote_before=intent.quote_before,
        quote_after=intent.quote_after,
        target=intent.target,
        late=late,
    )
