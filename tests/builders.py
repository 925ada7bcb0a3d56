"""Domain values for tests: every argument has a default, so a test names only what it is about.

Amounts may be given as text, whole numbers or Decimals.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.domain.accounts.account import Account
from engine.domain.accounts.deposits import TRADED_AT_ONCE, DepositRule
from engine.domain.accounts.risk_limits import AUTOMATIC, Recent
from engine.domain.accounts.settings import Settings, TradingMode
from engine.domain.execution.bound import USUAL_SLIPPAGE, ExecutionMode, Slippage
from engine.domain.market.balances import Balance, Counting, Holdings
from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import USDT, Asset, PairRules, Side, Symbol
from engine.domain.orders.order import AccountId, Execution, Order, Trigger, client_order_id
from engine.domain.rebalancing.decision import DecisionInputs
from engine.domain.rebalancing.forecast import Forecast, forecast
from engine.domain.rebalancing.planner import Plan
from engine.domain.targets.bands import Threshold
from engine.domain.targets.pacing import UNPACED, Pacing
from engine.domain.targets.target import FixedUsdt
from tests.fakes.clock import START

MNTL = Asset("MNTL")
MNTLUSDT = Symbol("MNTLUSDT")

Amount = Decimal | str | int
Levels = Iterable[tuple[Amount, Amount]]

_PAIR: dict[str, Any] = {"symbol": MNTLUSDT, "base": MNTL, "quote": USDT}
_LIMITS: dict[str, Amount] = {
    "quantity_step": 1,
    "min_quantity": 0,
    "quote_step": "0.00001",
    "price_step": "0.000001",
    "min_notional": 1,
    "max_notional": 100_000,
    "taker_fee_rate": "0.0005",
}
_AMOUNTS_OF_AN_INTENT = (
    "quote_amount",
    "base_quantity",
    "expected_quote",
    "target",
    "quote_before",
    "base_before",
    "quote_after",
    "base_after",
    "price",
)


def holdings(
    *,
    usdt: Amount = 40,
    mntl: Amount = 100_000,
    usdt_locked: Amount = 0,
    mntl_locked: Amount = 0,
    read_at: datetime = START,
) -> Holdings:
    return Holdings(
        {
            USDT: Balance(free=Decimal(usdt), locked=Decimal(usdt_locked)),
            MNTL: Balance(free=Decimal(mntl), locked=Decimal(mntl_locked)),
        },
        read_at=read_at,
    )


def rules(**changes: Any) -> PairRules:
    """MNTLUSDT as the facts describe it: whole tokens, 1 USDT minimum, a fee of 0.05 %."""
    limits = {name: Decimal(changes.pop(name, usual)) for name, usual in _LIMITS.items()}
    return PairRules(**(_PAIR | limits | changes))


def book(
    *,
    bids: Levels = (("0.002", 1_000_000),),
    asks: Levels = (("0.0021", 1_000_000),),
    symbol: Symbol = MNTLUSDT,
    read_at: datetime = START,
) -> OrderBook:
    """Each level is (price, quantity), best first."""
    return OrderBook(symbol, bids=_levels(bids), asks=_levels(asks), read_at=read_at)


def forecast_of(
    plan: Plan, *, last_price: Amount = "0.002", **market: Any
) -> tuple[Plan, Forecast | None]:
    """What *plan* would come to in the usual book and under the usual rules, unless others are given."""
    values: dict[str, Any] = {"rules": rules(), "book": book()} | market
    return forecast(plan, last_price=Decimal(last_price), **values)


def settings(
    *,
    target: Amount = 40,
    threshold: Amount = "0.05",
    in_quote: bool = False,
    interval: timedelta = timedelta(seconds=120),
    symbol: Symbol = MNTLUSDT,
    counting: Counting = Counting.HELD,
    dry_run: bool = False,
    paused: bool = False,
    autonomy: TradingMode = TradingMode.AUTO,
    deposits: DepositRule = TRADED_AT_ONCE,
    execution: ExecutionMode = ExecutionMode.MARKET,
    slippage: Slippage = USUAL_SLIPPAGE,
    pacing: Pacing = UNPACED,
) -> Settings:
    """Running, unlike a new chat's: most tests want trades."""
    return Settings(
        target=FixedUsdt(Decimal(target)),
        threshold=Threshold(**{"quote_amount" if in_quote else "relative": Decimal(threshold)}),
        interval=interval,
        symbol=symbol,
        counting=counting,
        dry_run=dry_run,
        paused=paused,
        autonomy=autonomy,
        deposits=deposits,
        execution=execution,
        slippage=slippage,
        pacing=pacing,
    )


def decision_inputs(**changes: Any) -> DecisionInputs:
    """17.10 USDT too much in the usual account and market."""
    values: dict[str, Any] = {
        "holdings": holdings(usdt="57.10"),
        "settings": settings(),
        "rules": rules(),
        "book": book(),
        "limits": AUTOMATIC.for_target(Decimal(40)),
        "recent": Recent(),
    }
    return DecisionInputs(**(values | changes))


def execution(base: Amount = 8142, quote: Amount = "16.30") -> Execution:
    return Execution(Decimal(base), Decimal(quote))


def intent(**changes: Any) -> Order:
    """A buy for 17.10 USDT that is planned and not sent; with side=SELL, a sell of 8,142 MNTL."""
    side = changes.get("side", Side.BUY)
    values: dict[str, Any] = {
        "account_id": AccountId(1),
        "run_id": "run-1",
        "attempt": 1,
        "symbol": MNTLUSDT,
        "side": side,
        "quote_amount": "17.10" if side is Side.BUY else None,
        "base_quantity": 8142 if side is Side.SELL else None,
        "expected_quote": "17.10",
        "dry_run": False,
        "trigger": Trigger.INTERVAL,
        "fence": 1,
        "target": 40,
        "quote_before": "57.10" if side is Side.BUY else "22.90",
        "base_before": 100_000,
        "created_at": START,
    } | changes
    values.setdefault(
        "client_order_id",
        client_order_id(
            account_uuid="account-1", run_id=values["run_id"], attempt=values["attempt"]
        ),
    )
    for name in _AMOUNTS_OF_AN_INTENT:
        if (value := values.get(name)) is not None:
            values[name] = Decimal(value)
    return Order(**values)


def account(**changes: Any) -> Account:
    """A connected account, running."""
    values: dict[str, Any] = {
        "id": AccountId(1),
        "uuid": "account-1",
        "chat_id": 1001,
        "version": 1,
        "settings": settings(),
        "sealed_key": "sealed",
        "key_tail": "BWC5",
    } | changes
    return Account(**values)


def _levels(levels: Levels) -> tuple[PriceLevel, ...]:
    return tuple(PriceLevel(Decimal(price), Decimal(quantity)) for price, quantity in levels)
