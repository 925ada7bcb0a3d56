"""An order in words: what it is for, and what it cost."""

from collections.abc import Mapping
from decimal import Decimal

from bot.views.components.amounts import fee, usdt
from bot.views.components.layout import escape
from engine.domain.market.pairs import Asset, Side, Symbol, base_of


def deal(side: Side, symbol: Symbol, quote_amount: Decimal) -> str:
    """As in "buy MNTL for about 12.00 USDT", escaped."""
    verb = "buy" if side is Side.BUY else "sell"
    return f"{verb} {escape(base_of(symbol))} for about {usdt(quote_amount)}"


def fees_paid(fees: Mapping[Asset, Decimal], *, complete: bool) -> str:
    """Commissions by their asset, not escaped; empty where none is known."""
    paid = " + ".join(fee(amount, asset) for asset, amount in sorted(fees.items()) if amount)
    return paid if complete or not paid else f"at least {paid}"
