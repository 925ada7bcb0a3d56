"""Reads the data that an order of a pair is planned on in one round trip."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Asset, PairRules, Symbol, base_of
from engine.errors import Rejected, Unavailable
from engine.exchanges.interface import ExchangeFor, Market


async def rules_and_book(market: Market, symbol: Symbol) -> tuple[PairRules, OrderBook]:
    """Both at once. Raises what either raises."""
    try:
        async with asyncio.TaskGroup() as reads:
            rules = reads.create_task(market.rules(symbol))
            book = reads.create_task(market.book(symbol))
    except BaseExceptionGroup as failed:
        first = failed.exceptions[0]
        raise first from first.__cause__
    return rules.result(), book.result()


def public_market(exchange_for: ExchangeFor, account: Account) -> Market:
    """Returns what is shown without a key, whoever *account* is."""
    return exchange_for(replace(account, settings=replace(account.settings, dry_run=True))).market


def market_of(exchange_for: ExchangeFor, account: Account) -> Market:
    """Returns what is shown to the account: without a key, what is shown to all."""
    if account.can_trade:
        return exchange_for(account).market
    return public_market(exchange_for, account)


async def middle(market: Market, symbol: Symbol, *, fresh: bool = False) -> Decimal | None:
    """Returns the middle of the book; None where there is none, or it cannot be read now."""
    try:
        return (await market.book(symbol, fresh=fresh)).mid
    except (Unavailable, Rejected):
        return None


async def middles(market: Market, settings: Settings) -> Mapping[Asset, Decimal]:
    """Returns the middle prices of the tokens that are traded, as far as they can be read now: of a
    portfolio by the request that all accounts share.
    """
    if settings.fixed is not None:
        mid = await middle(market, settings.symbol)
        return {} if mid is None else {base_of(settings.symbol): mid}
    try:
        quotes = await market.quotes(settings.targeting.tokens)
    except (Unavailable, Rejected):
        return {}
    return {asset: quote.mid for asset, quote in quotes.by_asset.items()}


async def quantity_step(market: Market, symbol: Symbol) -> Decimal | None:
    """Returns the precision of the pair's token; None where it cannot be read now."""
    try:
        return (await market.rules(symbol)).quantity_step
    except (Unavailable, Rejected):
        return None
