"""Result of a check: what it saw and decided, for `/why` and `/status`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Self

from engine.domain.accounts.incidents import PAUSING, IncidentKind
from engine.domain.accounts.risk_limits import Jump
from engine.domain.accounts.settings import Band, Settings, TradingMode
from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.execution.slices import SlicesRun
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, Asset, Side, Symbol, base_of
from engine.domain.orders.order import ClientOrderId, Trigger
from engine.domain.portfolio.plan import (
    MissingPrices,
    NoLegs,
    NothingManaged,
    OldPrices,
    PortfolioPlan,
    WithinSpread,
)
from engine.domain.rebalancing.planner import (
    DepositWaits,
    EmptyBook,
    InsideBand,
    NothingFree,
    OverLimit,
    PairClosed,
    Reason,
    SideClosed,
    StepTooCoarse,
    UnderMinimum,
)
from engine.domain.targets.destination import Edges
from engine.domain.targets.pacing import AwaitsSlot, BuyingStopped, RestsUntil, SecondLook
from engine.domain.targets.protection import NotCovered

# What rows and the log call each reason. Rows outlive versions: a name, once used, keeps its meaning.
REASON_TAGS: Mapping[type[Reason], str] = {
    InsideBand: "InsideBand",
    DepositWaits: "DepositWaits",
    PairClosed: "PairClosed",
    SideClosed: "SideClosed",
    EmptyBook: "EmptyBook",
    NothingFree: "NothingFree",
    UnderMinimum: "UnderMinimum",
    StepTooCoarse: "StepTooCoarse",
    NotCovered: "NotCovered",
    OverLimit: "OverLimit",
    NoOfferNear: "NoOfferNear",
    MissingPrices: "MissingPrices",
    OldPrices: "OldPrices",
    NothingManaged: "NothingManaged",
    WithinSpread: "WithinSpread",
    NoLegs: "NoLegs",
    SlicesRun: "SlicesRun",
    AwaitsSlot: "AwaitsSlot",
    RestsUntil: "RestsUntil",
    BuyingStopped: "BuyingStopped",
    SecondLook: "SecondLook",
}


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """An order was sent; its story is found under its id."""

    client_order_id: ClientOrderId
    side: Side
    expected_quote: Decimal


@dataclass(frozen=True, slots=True)
class NoTrade:
    """No order, and that was the right thing."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class AwaitingApproval:
    """A trade was due, in a chat that approves trades or is only informed; none was sent."""

    side: Side
    expected_quote: Decimal
    autonomy: TradingMode


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """The user's tap did not cover the order that is right by now; nothing was sent."""

    side: Side
    expected_quote: Decimal


@dataclass(frozen=True, slots=True)
class OrderPending:
    """An earlier order is not resolved yet; nothing else is sent."""

    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class AwaitingSettlement:
    """The exchange's balance does not show the last fill yet, or a change that its stream *told*."""

    told: bool = False


@dataclass(frozen=True, slots=True)
class CheckFailed:
    """The check could not be made."""

    kind: IncidentKind
    detail: str


Decision = (
    OrderPlaced
    | NoTrade
    | AwaitingApproval
    | PlanChanged
    | OrderPending
    | AwaitingSettlement
    | CheckFailed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceSnapshot:
    """The account at that moment; *held* is without what is protected. *price* is the middle of the book, if it was read.
    *jump*: the price must be seen again before it is a reference.
    """

    symbol: Symbol
    quote: Balance
    base: Balance
    held: Decimal
    price: Decimal | None = None
    jump: Jump | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        holdings: Holdings,
        book: OrderBook | None,
        jump: Jump | None = None,
    ) -> Self:
        """Returns the part of *holdings* that belongs to the pair, at the middle of *book*."""
        return cls(
            symbol=settings.symbol,
            quote=holdings.of(USDT),
            base=holdings.of(base_of(settings.symbol)),
            held=settings.held(holdings),
            price=book.mid if book else None,
            jump=jump,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioSnapshot:
    """Several tokens at that moment. *held* is what is managed of each asset, *prices* are middles
    in USDT; *edges* are the goals that the plan's worth makes of the target, in USDT. *plan* is
    None where there is none, *jumps* are of prices that must be seen again before they are a
    reference. *run_id* names the run that trades the plan, if one began.
    """

    held: Mapping[Asset, Decimal]
    prices: Mapping[Asset, Decimal]
    plan: PortfolioPlan | None = None
    edges: Mapping[Asset, Edges] = field(default_factory=dict)
    jumps: Mapping[Asset, Jump] = field(default_factory=dict)
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check: when, what it saw (None if it could not see), what it decided.

    *target* and *band* are None where the target is planned as a portfolio.
    *funds* names the balances that were read, as an Account does; None where an older version
    wrote it. Where a balance had to be read twice, *first* is the first answer. *portfolio* is set
    for a target of several tokens.
    """

    at: datetime
    trigger: Trigger
    target: Decimal | None
    band: Band | None
    verdict: Decision
    seen: BalanceSnapshot | None = None
    funds: str | None = None
    first: BalanceSnapshot | None = None
    portfolio: PortfolioSnapshot | None = None

    def for_others(self) -> Self:
        """Returns it without what the exchange said of the key, which may name addresses."""
        failed = self.verdict
        if not isinstance(failed, CheckFailed) or failed.kind not in PAUSING:
            return self
        return replace(self, verdict=replace(failed, detail=""))

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        at: datetime,
        trigger: Trigger,
        verdict: Decision,
        funds: str | None,
        holdings: Holdings | None = None,
        book: OrderBook | None = None,
        first: Holdings | None = None,
        jump: Jump | None = None,
        portfolio: PortfolioSnapshot | None = None,
    ) -> Self:
        fixed = settings.fixed
        return cls(
            at=at,
            trigger=trigger,
            target=fixed.target if fixed else None,
            band=fixed.band if fixed else None,
            verdict=verdict,
            seen=None if holdings is None else BalanceSnapshot.of(settings, holdings, book, jump),
            funds=funds,
            first=None if first is None else BalanceSnapshot.of(settings, first, None),
            portfolio=portfolio,
        )

    def concerns(self, funds: str | None) -> bool:
        """True if these balances were read, and not those of the other kind of money."""
        return funds is not None and self.funds == funds


@dataclass(frozen=True, slots=True)
class PriceSeen:
    """What the token of a pair cost when that was last seen."""

    price: Decimal
    at: datetime


def price_in(look: CheckResult | None, symbol: Symbol) -> PriceSeen | None:
    """The price of the pair that was read with the balances of *look*, whatever money they are."""
    seen = look.seen if look is not None else None
    if look is None or seen is None or seen.price is None or seen.symbol != symbol:
        return None
    return PriceSeen(seen.price, look.at)


def newest_price(*prices: PriceSeen | None) -> PriceSeen | None:
    return max((price for price in prices if price), key=lambda price: price.at, default=None)


def newest(*looks: CheckResult | None) -> CheckResult | None:
    return max(
        (look for look in looks if look is not None), key=lambda look: look.at, default=None
    )
