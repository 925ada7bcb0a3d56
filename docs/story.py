"""The chat that `docs/chat.svg` shows. Every word of the bot comes from the planner and the views,
so the picture cannot promise what the bot would not say.
"""  # noqa: INP001 - beside the documents, no package

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.interaction.message import Message
from bot.parsing.settings import Topic
from bot.views.alerts.alerts import alert_view
from bot.views.pause_resume import resumed_view
from bot.views.settings import changed_view
from bot.views.status import status_view
from bot.views.undo import undoable
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.risk_limits import Recent
from engine.domain.accounts.settings import Settings
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.alerts.alerts import IncidentAlert, trade_settled
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import USDT, Asset, OrderType, PairRules, Symbol
from engine.domain.orders.matching import match_priced_order
from engine.domain.orders.order import AccountId, Fees, Order, OrderState, Trigger
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, NoTrade
from engine.domain.rebalancing.decision import DecisionInputs, wanted
from engine.domain.rebalancing.forecast import forecast
from engine.domain.rebalancing.order_factory import create_order
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from engine.rebalancing.preview import Foreseen, Outlook

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SYMBOL, MNTL = Symbol("MNTLUSDT"), Asset("MNTL")
SETTINGS = Settings(
    target=FixedUsdt(Decimal(40)),
    threshold=Threshold(relative=Decimal("0.05")),
    interval=timedelta(minutes=2),
    symbol=SYMBOL,
    paused=False,
    execution=ExecutionMode.AUTO,
)
ACCOUNT = Account(
    id=AccountId(1),
    uuid="picture",
    chat_id=1,
    version=1,
    settings=SETTINGS,
    sealed_key="sealed",
    key_tail="WXC5",
)
RULES = PairRules(
    symbol=SYMBOL,
    base=MNTL,
    quote=USDT,
    quantity_step=Decimal(1),
    min_quantity=Decimal(0),
    quote_step=Decimal("0.00001"),
    price_step=Decimal("0.000001"),
    min_notional=Decimal(1),
    max_notional=Decimal(100_000),
    taker_fee_rate=Decimal("0.0005"),
)
BOOK = OrderBook(
    SYMBOL,
    bids=(PriceLevel(Decimal("0.001998"), Decimal(900_000)),),
    asks=(PriceLevel(Decimal("0.002002"), Decimal(900_000)),),
    read_at=NOON,
)
_LAST_PRICE = Decimal("0.002")


@dataclass(frozen=True, slots=True)
class Typed:
    """What the person sends."""

    text: str


def story() -> Sequence[Typed | Message]:
    """A balance that drifted is brought back; then the person asks, changes a wish, gets news."""
    before = holdings(usdt=Decimal("57.10"), mntl=Decimal(83_716))
    trade = bought(before)
    after = holdings(usdt=trade.quote_after or Decimal(0), mntl=trade.base_after or Decimal(0))
    later = NOON + timedelta(minutes=3)
    more = replace(ACCOUNT, settings=replace(SETTINGS, target=FixedUsdt(Decimal(60))))
    refused = IncidentAlert(
        dry_run=False,
        kind=IncidentKind.ADDRESS_REFUSED,
        detail="IP [203.0.113.7] not in the ip white list",
        count=1,
        since=NOON,
        at=NOON,
        symbol=SYMBOL,
        paused=True,
    )
    return [
        Typed("/resume"),
        resumed_view(
            account=ACCOUNT,
            already=False,
            now=NOON,
            outlook=Outlook(
                look=seen(before, at=NOON),
                rules=RULES,
                foreseen=foreseen(ACCOUNT, before, at=NOON),
            ),
        ),
        alert_view(trade_settled(trade, late=False)),
        Typed("/status"),
        status_view(
            account=ACCOUNT,
            now=later,
            look=seen(after, at=later),
            checked=seen(after, at=later),
            next_check_at=later + SETTINGS.interval,
            rules=RULES,
            last_trade=trade,
        ),
        Typed("/settarget 60"),
        target_set(more, after, at=later),
        alert_view(refused),
    ]


def target_set(account: Account, held: Holdings, *, at: datetime) -> Message:
    """The answer to `/settarget` of the target that *account* has now."""
    outlook = Outlook(look=seen(held, at=at), rules=RULES, foreseen=foreseen(account, held, at=at))
    told = changed_view(
        topic=Topic.TARGET, account=account, before=SETTINGS, now=at, outlook=outlook
    )
    return undoable(
        told, former=SettingsPatch(target=FixedUsdt(SETTINGS.fixed_goal.target)), question_id="q"
    )


def holdings(*, usdt: Decimal, mntl: Decimal) -> Holdings:
    return Holdings({USDT: Balance(free=usdt), MNTL: Balance(free=mntl)}, read_at=NOON)


def seen(holdings: Holdings, *, at: datetime) -> CheckResult:
    return CheckResult(
        at=at,
        trigger=Trigger.PERSON,
        target=SETTINGS.fixed_goal.target,
        band=SETTINGS.fixed_goal.band,
        verdict=NoTrade(InsideBand()),
        seen=BalanceSnapshot.of(SETTINGS, holdings, BOOK),
    )


def inputs_of(settings: Settings, held: Holdings, **more: Any) -> DecisionInputs:
    return DecisionInputs(
        holdings=held,
        settings=settings,
        rules=RULES,
        book=BOOK,
        limits=ACCOUNT.limits_in_force,
        order_type=OrderType.IOC,
        **({"recent": Recent()} | more),
    )


def foreseen(account: Account, held: Holdings, *, at: datetime) -> Foreseen:
    """What the next check of *account* would do."""
    settings = account.settings
    decided = wanted(inputs_of(settings, held))
    decided, comes_to = forecast(decided, rules=RULES, book=BOOK, last_price=_LAST_PRICE)
    look = seen(held, at=at)
    return Foreseen(decided, None, look, BalanceSnapshot.of(settings, held, BOOK), RULES, comes_to)


def bought(before: Holdings) -> Order:
    """What the planner asks for, filled as the paper exchange would fill it."""
    inputs = inputs_of(SETTINGS, before)
    order = wanted(inputs).order
    if not isinstance(order, BoundedOrder):
        raise TypeError("the story begins with an order with a bound")
    usdt, mntl = before.of(USDT).free, before.of(MNTL).free
    match = match_priced_order(
        side=order.side,
        order_type=order.order_type,
        base_quantity=order.base_quantity,
        price=order.price,
        free=usdt,
        book=BOOK,
        rules=RULES,
    )
    intent = create_order(
        ACCOUNT,
        order,
        run_id="1",
        inputs=inputs,
        fence=1,
        trigger=Trigger.INTERVAL,
        attempt=1,
        now=NOON,
    )
    return replace(
        intent,
        state=OrderState.FILLED,
        execution=match.execution,
        fees=Fees({USDT: match.fee}),
        quote_after=usdt - match.execution.quote_amount - match.fee,
        base_after=mntl + match.execution.base_quantity,
        resolved_at=NOON,
        sent_at=NOON,
        exchange_order_id="C02__385413065019117569043",
    )
