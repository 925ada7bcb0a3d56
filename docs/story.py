"""The chat that `docs/chat.svg` shows. Every word of the bot comes from the planner and the views,
so the picture cannot promise what the bot would not say.
"""  # noqa: INP001 - beside the documents, no package

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.inputs import Topic
from bot.messages import Message
from bot.views.alerts import alert_view
from bot.views.settings import changed_view
from bot.views.status import status_view
from bot.views.trading import resumed_view
from engine.domain.accounts import Account
from engine.domain.alerts import TroubleTold, trade_settled
from engine.domain.book import Level, OrderBook
from engine.domain.holdings import Balance, Holdings
from engine.domain.looks import Declined, Look, Seen
from engine.domain.matching import match_market_order
from engine.domain.orders import (
    AccountId,
    Fees,
    Intent,
    OrderState,
    Trigger,
    client_order_id,
)
from engine.domain.pairs import USDT, Asset, PairRules, Side, Symbol
from engine.domain.planner import InsideBand, MarketBuy, plan
from engine.domain.target import Settings, Threshold
from engine.domain.troubles import TroubleKind

_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_SYMBOL, _MNTL = Symbol("MNTLUSDT"), Asset("MNTL")
_SETTINGS = Settings(
    target=Decimal(40),
    threshold=Threshold(Decimal("0.05")),
    interval=timedelta(minutes=2),
    symbol=_SYMBOL,
    paused=False,
)
_ACCOUNT = Account(
    id=AccountId(1),
    uuid="picture",
    chat_id=1,
    version=1,
    settings=_SETTINGS,
    sealed_key="sealed",
    key_tail="WXC5",
)
_RULES = PairRules(
    symbol=_SYMBOL,
    base=_MNTL,
    quote=USDT,
    quantity_step=Decimal(1),
    min_quantity=Decimal(0),
    quote_step=Decimal("0.00001"),
    price_step=Decimal("0.000001"),
    min_notional=Decimal(1),
    max_notional=Decimal(100_000),
    taker_fee_rate=Decimal("0.0005"),
)
_BOOK = OrderBook(
    _SYMBOL,
    bids=(Level(Decimal("0.001998"), Decimal(900_000)),),
    asks=(Level(Decimal("0.002002"), Decimal(900_000)),),
    read_at=_NOON,
)
_LAST_PRICE = Decimal("0.002")


@dataclass(frozen=True, slots=True)
class Typed:
    """What the person sends."""

    text: str


def story() -> Sequence[Typed | Message]:
    """A balance that drifted is brought back; then the person asks, changes a wish, gets news."""
    before = _holdings(usdt=Decimal("57.10"), mntl=Decimal(83_716))
    trade = _bought(before)
    after = _holdings(usdt=trade.quote_after or Decimal(0), mntl=trade.base_after or Decimal(0))
    later = _NOON + timedelta(minutes=3)
    more = replace(_ACCOUNT, settings=replace(_SETTINGS, target=Decimal(60)))
    refused = TroubleTold(
        dry_run=False,
        kind=TroubleKind.ADDRESS_REFUSED,
        detail="IP [203.0.113.7] not in the ip white list",
        count=1,
        since=_NOON,
        at=_NOON,
        symbol=_SYMBOL,
        paused=True,
    )
    return [
        Typed("/resume"),
        resumed_view(
            account=_ACCOUNT,
            already=False,
            now=_NOON,
            look=_seen(before, at=_NOON),
            rules=_RULES,
        ),
        alert_view(trade_settled(trade, late=False)),
        Typed("/status"),
        status_view(
            account=_ACCOUNT,
            now=later,
            look=_seen(after, at=later),
            rules=_RULES,
            last_trade=trade,
        ),
        Typed("/settarget 60"),
        changed_view(
            topic=Topic.TARGET,
            account=more,
            before=_SETTINGS,
            now=later,
            look=_seen(after, at=later),
            rules=_RULES,
        ),
        alert_view(refused),
    ]


def _holdings(*, usdt: Decimal, mntl: Decimal) -> Holdings:
    return Holdings({USDT: Balance(free=usdt), _MNTL: Balance(free=mntl)}, read_at=_NOON)


def _seen(holdings: Holdings, *, at: datetime) -> Look:
    return Look(
        at=at,
        trigger=Trigger.PERSON,
        target=_SETTINGS.target,
        band=_SETTINGS.band,
        verdict=Declined(InsideBand()),
        seen=Seen.of(_SETTINGS, holdings, _BOOK),
    )


def _bought(before: Holdings) -> Intent:
    """What the planner asks for, filled as the paper exchange would fill it."""
    order = plan(holdings=before, settings=_SETTINGS, rules=_RULES, book=_BOOK).order
    if not isinstance(order, MarketBuy):
        raise TypeError("the story begins with a purchase")
    usdt, mntl = before.of(USDT).free, before.of(_MNTL).free
    match = match_market_order(
        side=Side.BUY,
        amount=order.quote_amount,
        free=usdt,
        last_price=_LAST_PRICE,
        book=_BOOK,
        rules=_RULES,
    )
    return Intent(
        client_order_id=client_order_id(account_uuid="picture", run_id="1", attempt=1),
        account_id=_ACCOUNT.id,
        run_id="1",
        attempt=1,
        symbol=_SYMBOL,
        side=Side.BUY,
        quote_amount=order.quote_amount,
        base_quantity=None,
        expected_quote=order.expected_quote,
        dry_run=False,
        trigger=Trigger.INTERVAL,
        fence=1,
        target=_SETTINGS.target,
        quote_before=usdt,
        base_before=mntl,
        created_at=_NOON,
        state=OrderState.FILLED,
        execution=match.execution,
        fees=Fees({USDT: match.fee}),
        quote_after=usdt - match.execution.quote_amount - match.fee,
        base_after=mntl + match.execution.base_quantity,
        resolved_at=_NOON,
    )
