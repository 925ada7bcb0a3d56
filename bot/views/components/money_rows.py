"""The rows of the card that tell of money: what is held and worth, its price, and 7 days of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bot.views.components.amounts import (
    balance,
    cents,
    short,
    signed,
    signed_percent,
    threshold,
    usdt,
)
from bot.views.components.amounts import price as price_text
from bot.views.components.band_gauge import band_gauge
from bot.views.components.forecast import held_at
from bot.views.components.layout import row
from bot.views.components.portfolio_words import portfolio_rows
from bot.views.components.target_words import target_line
from bot.views.components.times import time_or_day
from engine.accounts.overview import Week
from engine.domain.accounts.account import Account
from engine.domain.market.pairs import USDT, PairRules, base_of
from engine.domain.orders.order import Order
from engine.domain.rebalancing.check_result import CheckResult, OrderPlaced, PriceSeen, price_in
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import UsdtRange

_PRICE_OF_NOW = timedelta(hours=1)


def _held(account: Account, look: CheckResult | None, last_trade: Order | None) -> Decimal | None:
    if look is None or look.seen is None:
        return None
    held = held_at(look, account.settings, order=last_trade)
    return look.seen.quote.counted(account.settings.counting) if held is None else held


def quote_rows(
    account: Account, look: CheckResult | None, last_trade: Order | None
) -> Iterable[str]:
    """USDT held beside its target, and where that is in the band."""
    settings = account.settings
    if (fixed := settings.fixed) is None:
        return _portfolio(account, look, _held(account, look, last_trade))
    target = f"target {short(fixed.target)} ±{_reach(settings.threshold)}"
    held = _held(account, look, last_trade)
    if held is None:
        return [*row(USDT, "not seen yet"), *row("", target)]
    both = row(USDT, f"{cents(held)}  {target}")
    if len(both) > 1:
        both = [*row(USDT, cents(held)), *row("", target)]
    return [*both, *band_gauge(held, fixed.band)]


def _portfolio(account: Account, look: CheckResult | None, held: Decimal | None) -> Sequence[str]:
    settings = account.settings
    line = target_line(settings.target)
    if not isinstance(settings.target, UsdtRange):  # that has its own edges
        line += f" ±{_reach(settings.threshold)}"
    target = row("Target", line)
    if look is not None and look.portfolio is not None:
        return [*target, *portfolio_rows(look.portfolio)]
    return [*target, *row(USDT, "not seen yet" if held is None else cents(held))]


def _reach(value: Threshold) -> str:
    if value.quote_amount is not None:
        return short(value.quote_amount)
    return threshold(value)


def token_rows(
    account: Account,
    look: CheckResult | None,
    last_trade: Order | None,
    *,
    rules: PairRules | None,
    price: PriceSeen | None,
    day_ago: Decimal | None,
    now: datetime | None,
) -> Iterable[str]:
    """The token, what it is worth at the price seen last, and that price. Without *now* only the
    token.
    """
    symbol = account.settings.symbol
    if look is None or look.seen is None or look.seen.symbol != symbol:
        return
    if look.portfolio is not None and account.settings.fixed is None:
        return  # all of its tokens have their rows
    amount = look.seen.base.counted(account.settings.counting)
    if last_trade is not None and last_trade.base_after is not None and _is_of(last_trade, look):
        amount = last_trade.base_after
    label = base_of(symbol)
    held = balance(amount, step=rules.quantity_step if rules else None)
    price = price or price_in(look, symbol)
    if now is None or price is None:
        yield from row(label, held)
        return
    yield from row(label, f"{held} ≈ {usdt(amount * price.price)}")
    quote = _held(account, look, last_trade)
    if quote is not None:
        yield from row("Total", usdt(quote + amount * price.price))
    text = price_text(price.price, step=rules.price_step if rules else None)
    yield from row("Price", f"{text}  {time_or_day(price.at, now=now)}")
    if day_ago and now - price.at <= _PRICE_OF_NOW:
        yield from row("", f"{signed_percent(price.price / day_ago - 1)} in 24 h")


def week_rows(week: Week) -> Iterable[str]:
    """What was made, and what of it trading brought."""
    if week.made is None:
        return ()
    label = f"Made {week.length // timedelta(days=1)}d"
    made = f"about {signed(week.made)}" if week.about else signed(week.made)
    if not week.brought:
        return row(label, f"{made} USDT")
    trading = f"(trading {signed(week.brought)})"
    both = row(label, f"{made} {trading}")
    return both if len(both) == 1 else [*row(label, made), *row("", trading)]


def _is_of(trade: Order, look: CheckResult) -> bool:
    """True if *look* sent *trade*, and so read the balances before it."""
    verdict = look.verdict
    return isinstance(verdict, OrderPlaced) and verdict.client_order_id == trade.client_order_id
