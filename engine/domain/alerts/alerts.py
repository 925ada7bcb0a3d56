"""What a chat must be told: facts, stored with the fact they belong to; `bot/views` has the words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.accounts.incidents import PAUSING, IncidentKind
from engine.domain.accounts.members import Role
from engine.domain.accounts.settings import Band
from engine.domain.alerts.deposit_alerts import (
    BalanceChanged,
    DepositKept,
    DepositTraded,
    DepositWaiting,
)
from engine.domain.alerts.key_alerts import InMode, KeyEnding, KeyTooPowerful, MoneyShared
from engine.domain.alerts.order_alerts import PauseAnswerSettled, StrayOrderFound
from engine.domain.alerts.pace_alerts import GuardActed, GuardLifted, SlotMissed
from engine.domain.alerts.pause_alerts import PauseEnded, ResumeAsked
from engine.domain.alerts.plan_alerts import PortfolioNoticed, PortfolioOffered
from engine.domain.alerts.price_alerts import PriceMoved
from engine.domain.alerts.report_alerts import WeeklyReport
from engine.domain.alerts.run_alerts import RunSettled
from engine.domain.alerts.share_alerts import SharingBegun, SharingEnded, SharingLeft
from engine.domain.alerts.shared_alerts import AccountChanged, GroupAnswered, GroupAsks
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.alerts.stream_alerts import StreamAlert
from engine.domain.alerts.traits import AlertFacts, AlertKind, AlertTraits
from engine.domain.market.decimals import ZERO, ceil_to_step, step_of
from engine.domain.market.pairs import Asset, Side, Symbol
from engine.domain.orders.order import Order, Trigger
from engine.domain.orders.slippage import slippage
from engine.domain.rebalancing.planner import Reason

_KEY_TROUBLES = PAUSING - {IncidentKind.BAD_FILL}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSettled(InMode, stored_as="trade_settled", kind=AlertKind.TRADE):
    """An order has ended. *base_quantity* 0 means nothing was filled. *asked_quote* is what a buy was to spend or a sell was to bring; an order with a bound asked for
    *asked_base* instead. *late*: the exchange's first answer was lost and the result looked up. An
    order with a bound has the average that was *expected* of it; *widened*: it went beyond the
    user's own bound, *slipped* is how much worse than the middle it traded, as a fraction. *waited*:
    it was a maker's, and what is left of it trades at once.
    """

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
    fees_complete: bool = True
    expected: Decimal | None = None
    widened: bool = False
    slipped: Decimal | None = None
    asked_base: Decimal | None = None
    waited: bool = False

    @property
    def traits(self) -> AlertTraits:
        """An order that was not filled is worth what it was to move."""
        worth = self.quote_amount if self.base_quantity else self.asked_quote
        asked_for = self.trigger is Trigger.PERSON
        return AlertTraits(AlertKind.TRADE, asked_for or self.late, worth)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesNotTaken(InMode, stored_as="prices_not_taken", kind=AlertKind.ERROR):
    """The exchange takes no orders with a price that end at once: MARKET orders are sent instead.
    *rested*: it took one, which rested and was cancelled. *maker*: it takes none that wait, and
    orders with a bound are sent instead.
    """

    symbol: Symbol
    rested: bool = False
    maker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnclear(InMode, stored_as="order_unclear", kind=AlertKind.ERROR):
    """The exchange did not say whether it took the order; nothing else is sent meanwhile."""

    symbol: Symbol
    side: Side
    expected_quote: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNeverArrived(InMode, stored_as="order_never_arrived", kind=AlertKind.ERROR):
    """The unclear order turned out not to exist; the next check plans afresh."""

    symbol: Symbol
    side: Side
    expected_quote: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNeedsPerson(
    AlertFacts, stored_as="order_needs_person", kind=AlertKind.ERROR, needed=True
):
    """Still unclear after 15 minutes: the user should look at the exchange.

    *status* is one that the exchange does not document: then the user is asked after a minute.
    *base_quantity* and *quote_amount* are what the exchange says was executed. One that *rests* was
    cancelled 15 minutes ago, and that is not proven.
    """

    dry_run: bool
    symbol: Symbol
    side: Side
    expected_quote: Decimal
    client_order_id: str
    status: str = ""
    base_quantity: Decimal = ZERO
    quote_amount: Decimal = ZERO
    rests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAlert(InMode, stored_as="trouble_told", kind=AlertKind.ERROR):
    """A check or an order failed; *paused* where that paused trading, too."""

    kind: IncidentKind
    detail: str
    count: int
    since: datetime
    at: datetime
    symbol: Symbol
    reason: Reason | None = None

    @property
    def traits(self) -> AlertTraits:
        about_key = self.kind in _KEY_TROUBLES
        return AlertTraits(AlertKind.KEY if about_key else AlertKind.ERROR, needed=self.paused)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResolved(InMode, stored_as="trouble_over", kind=AlertKind.RECOVERY):
    kind: IncidentKind
    count: int
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDeclined(InMode, stored_as="run_declined", kind=AlertKind.TRADE, needed=True):
    """A confirmed trade was not made: for *reason*, or the market moved away from the plan.
    *target* is None where it is no amount of USDT; *new_side* and *new_quote* are of the plan now.
    """

    symbol: Symbol
    held: Decimal
    target: Decimal | None
    reason: Reason | None
    new_side: Side | None = None
    new_quote: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualDeclined(InMode, stored_as="manual_declined", kind=AlertKind.TRADE, needed=True):
    """A trade by hand was not made: for *reason*, or things moved away from the plan."""

    symbol: Symbol
    side: Side
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftNoticed(AlertFacts, stored_as="drift_noticed", kind=AlertKind.PLAN):
    """A trade is due, and the chat wants to be told of it and to trade by itself.

    *expected_quote* and *expected_base* are what the order would come to in the book as it was,
    *asked_quote* is what it is for; *complete* is False where the book has no more within reach.
    *held_after* is None where an older version wrote it. *bound* is the worst price of an order that
    has one, and *cost* what it is expected to cost, a fraction of its worth, with the fee.
    """

    dry_run: bool
    symbol: Symbol
    side: Side
    expected_quote: Decimal
    expected_base: Decimal
    held: Decimal
    target: Decimal
    band: Band
    asked_quote: Decimal | None = None
    held_after: Decimal | None = None
    complete: bool = True
    bound: Decimal | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOffered(AlertFacts, stored_as="plan_offered", kind=AlertKind.PLAN, needed=True):
    """A trade is due, and traders of the chat are asked; without an answer nothing is traded."""

    confirmation_id: str
    drift: DriftNoticed


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted(AlertFacts, stored_as="halted", kind=AlertKind.ERROR, needed=True):
    """The owner stopped all chats; *expected_quote* is of an order that had left already."""

    dry_run: bool
    expected_quote: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltLifted(AlertFacts, stored_as="halt_lifted", kind=AlertKind.RECOVERY, needed=True):
    """The chat is as it was before the halt."""

    dry_run: bool
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LowBalanceReached(InMode, stored_as="low_mark_reached", kind=AlertKind.ERROR):
    """Less than *below* of *asset* is left: the threshold that a user set."""

    symbol: Symbol
    asset: Asset
    below: Decimal
    left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LowBalanceOver(InMode, stored_as="low_mark_over", kind=AlertKind.RECOVERY):
    """There is enough of *asset* again."""

    asset: Asset
    below: Decimal
    left: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest(InMode, stored_as="digest", kind=AlertKind.DIGEST):
    """What came between *since* and *at*. *bought* and *sold* are USDT before fees; *small* trades
    were worth less than *smallest* each. *troubles* counts the alerts of troubles, *trouble* is the
    one that lasts. The balances are USDT, None where they are not known. *made* is the profit,
    *brought* what of it came of trading; None where the token has no price. *about*: not all of
    that is known exactly. *target* is None where it is planned as a portfolio, of which *worth* is
    all in USDT, None where it is not known.
    """

    since: datetime
    at: datetime
    target: Decimal | None
    trades: int
    bought: Decimal
    sold: Decimal
    fees: Mapping[Asset, Decimal]
    small: int
    smallest: Decimal
    held_before: Decimal | None = None
    held: Decimal | None = None
    troubles: int = 0
    trouble: IncidentKind | None = None
    key_expires_at: datetime | None = None
    fees_complete: bool = True
    made: Decimal | None = None
    brought: Decimal | None = None
    about: bool = False
    worth: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined(AlertFacts, stored_as="member_joined", kind=AlertKind.KEY, needed=True):
    """A code was used where this chat did not see it, which must know who may look or trade. *role*
    None: for a private chat of their own.
    """

    user_id: int
    name: str
    role: Role | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatUndeliverable(
    AlertFacts, stored_as="chat_undeliverable", kind=AlertKind.ERROR, needed=True
):
    """Telegram accepts no message for another chat, *chat_id*; *name* is "" for a group.
    *problem* is Telegram's answer, *gone* that the bot was blocked or removed there. *paused* is
    its account's trading; else that is paused at *pauses_at*, if nothing is delivered before.
    """

    dry_run: bool
    chat_id: int
    name: str
    since: datetime
    problem: str
    gone: bool
    paused: bool
    pauses_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDeliverable(
    AlertFacts, stored_as="chat_deliverable", kind=AlertKind.RECOVERY, needed=True
):
    """Telegram accepts messages for the chat again; *here*: reported in that chat itself.
    *resumed*: its trading was paused for that reason alone and resumes. *paused*: it is still
    paused.
    """

    dry_run: bool
    chat_id: int
    name: str
    since: datetime
    at: datetime
    problem: str
    resumed: bool
    paused: bool
    here: bool = False


Alert = (
    TradeSettled
    | RunSettled
    | SlotMissed
    | GuardActed
    | GuardLifted
    | PricesNotTaken
    | OrderUnclear
    | OrderNeverArrived
    | OrderNeedsPerson
    | StrayOrderFound
    | PauseAnswerSettled
    | IncidentAlert
    | IncidentResolved
    | RunDeclined
    | ManualDeclined
    | DriftNoticed
    | PlanOffered
    | PortfolioNoticed
    | PortfolioOffered
    | BalanceChanged
    | DepositTraded
    | DepositWaiting
    | DepositKept
    | Halted
    | HaltLifted
    | LowBalanceReached
    | LowBalanceOver
    | PriceMoved
    | Digest
    | WeeklyReport
    | KeyEnding
    | KeyTooPowerful
    | MoneyShared
    | MemberJoined
    | SharingBegun
    | SharingLeft
    | SharingEnded
    | GroupAsks
    | GroupAnswered
    | AccountChanged
    | PauseEnded
    | ResumeAsked
    | ChatUndeliverable
    | ChatDeliverable
    | SlicedTradeOver
    | StreamAlert
)


def trade_settled(intent: Order, *, late: bool) -> TradeSettled:
    return TradeSettled(
        dry_run=intent.dry_run,
        symbol=intent.symbol,
        side=intent.side,
        trigger=intent.trigger,
        base_quantity=intent.execution.base_quantity,
        quote_amount=intent.execution.quote_amount,
        asked_quote=intent.quote_amount or intent.expected_quote,
        fees=intent.fees.by_asset if intent.fees else None,
        fees_complete=intent.fees is None or intent.fees.complete,
        quote_before=intent.quote_before,
        quote_after=intent.quote_after,
        target=intent.target,
        late=late,
        expected=None if intent.priced is None else intent.priced.average,
        widened=intent.priced is not None and intent.priced.widened,
        slipped=None if intent.priced is None else _slipped(intent),
        asked_base=None if intent.priced is None else intent.priced.base_quantity,
        waited=intent.order_type.may_rest,
    )


def _slipped(intent: Order) -> Decimal | None:
    slipped = slippage(intent)
    return None if slipped is None else ceil_to_step(max(slipped, ZERO), step_of(6))
