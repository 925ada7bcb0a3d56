"""Tells from balances whether they show the last fill, or an order of unknown outcome.
MEXC's balances lag a second or more behind its fills.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from engine.domain.market.balances import Holdings, LastSeen
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Side, base_of
from engine.domain.orders.order import Order

# A balance that still does not show a fill after this long is believed after all.
SETTLE_WITHIN = timedelta(minutes=10)
# A fee taken in the token itself makes a buy show a little less than was filled.
_NEARLY_ALL = Decimal("0.99")
# How far USDT may be from what a fill made of it: a fee that is not known, and dust.
_ABOUT, _DUST = Decimal("0.01"), Decimal("0.05")
# MEXC fills a market order at up to 5 % from the last price, and a buy up to 5 % short on top.
_ABOUT_ALL = (Decimal("0.85"), Decimal("1.15"))


class Trace(Enum):
    """Evidence in the balances about an order whose outcome is unknown."""

    FILLED = "filled"  # both sides moved the order's way, by about what it was for
    NONE = "none"  # nothing moved as the order would have moved it
    UNSURE = "unsure"  # a part of it, or a deposit, a withdrawal or a trade by hand


def shows(holdings: Holdings, fill: Order) -> bool:
    """True if both sides of *fill* are in *holdings*."""
    return shows_base(holdings, fill) and shows_quote(holdings, fill)


def shows_base(holdings: Holdings, fill: Order) -> bool:
    """True if the token moved the order's way by what was executed, or further."""
    filled = fill.execution.base_quantity
    return filled == ZERO or _base_moved(holdings, fill) >= filled * _NEARLY_ALL


def shows_quote(holdings: Holdings, fill: Order, *, came: Decimal = ZERO) -> bool:
    """True if USDT moved the order's way by about what was executed, beside what *came* without it.
    Plans are made from USDT, so without that the same drift would be traded a second time.
    """
    executed = fill.execution.quote_amount
    fee = fill.fees.in_asset(USDT) if fill.fees is not None else ZERO
    expected = executed + fee if fill.side is Side.BUY else executed - fee
    room = max(executed * _ABOUT, _DUST)
    moved = _quote_moved(holdings, fill) + (came if fill.side is Side.BUY else -came)
    return executed == ZERO or abs(moved - expected) <= room


def is_settled(
    *, holdings: Holdings, last_fill: Order | None, seen_settled: bool, now: datetime
) -> bool:
    """True if *holdings* have *last_fill* in them.

    A fill that was *seen_settled* once stays so, whatever is moved by hand afterwards. Only USDT
    that is exactly the old one again comes from a copy at the exchange that lags behind. Of an
    order that was sent long ago and booked late the token is proof enough.
    """
    if last_fill is None or last_fill.resolved_at is None:
        return True
    if now - last_fill.resolved_at > SETTLE_WITHIN or shows_quote(holdings, last_fill):
        return True
    if _quote_moved(holdings, last_fill) == ZERO:
        return False
    sent_at = last_fill.sent_at or last_fill.created_at
    return seen_settled or (now - sent_at > SETTLE_WITHIN and shows_base(holdings, last_fill))


def was_seen_settled(fill: Order, last: LastSeen | None) -> bool:
    """True if balances with *fill* in them are on record: after it was booked, or by a check."""
    if fill.quote_after is not None:
        return True
    return last is not None and fill.resolved_at is not None and last.at > fill.resolved_at


def left_no_trace(holdings: Holdings, order: Order, *, now: datetime) -> bool:
    """True if *holdings* show that an order never arrived.

    USDT that moved like its fill is a doubt at first. But a fill moves both sides, and a token
    that is unchanged after SETTLE_WITHIN does not lag any more: the USDT moved for another reason.
    """
    if trace(holdings, order) is Trace.NONE:
        return True
    waited = now - (order.sent_at or order.created_at)
    return _base_moved(holdings, order) == ZERO and waited >= SETTLE_WITHIN


def trace(holdings: Holdings, order: Order) -> Trace:
    """Judge by the token: USDT alone proves nothing, because a deposit hides a buy.
    But USDT that moved like the fill while the token did not is a doubt.
    """
    base, quote = _base_moved(holdings, order), _quote_moved(holdings, order)
    quote_as_filled = _is_about(quote, order.quote_amount or order.expected_quote)
    if base <= ZERO:
        return Trace.UNSURE if quote_as_filled else Trace.NONE
    expected = _expected_base(order)
    if expected is None:
        as_filled = quote_as_filled
    else:  # a balance that is exactly the old one lags behind: see `shows`
        as_filled = quote != ZERO and _is_about(base, expected)
    return Trace.FILLED if as_filled else Trace.UNSURE


def _base_moved(holdings: Holdings, intent: Order) -> Decimal:
    """Returns how much of the token came (for a buy) or went (for a sell) since the plan."""
    difference = holdings.of(base_of(intent.symbol)).total - intent.base_before
    return difference if intent.side is Side.BUY else -difference


def _expected_base(intent: Order) -> Decimal | None:
    """Returns how much of the token the order was for; None where its price was not kept."""
    if (asked := intent.asked_base) is not None or intent.quote_amount is None:
        return asked
    return intent.quote_amount / intent.price if intent.price else None


def _quote_moved(holdings: Holdings, intent: Order) -> Decimal:
    """Returns how much USDT went (for a buy) or came (for a sell) since the plan."""
    difference = holdings.of(USDT).total - intent.quote_before
    return difference if intent.side is Side.SELL else -difference


def _is_about(moved: Decimal, expected: Decimal) -> bool:
    least, most = _ABOUT_ALL
    return expected * least <= moved <= expected * most
