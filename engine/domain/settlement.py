"""What balances say of an order: whether they show the last fill yet (MEXC's lag a second or more
behind), and whether an order whose outcome is unknown left its mark on them.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from engine.domain.holdings import Holdings
from engine.domain.money import ZERO
from engine.domain.orders import Intent
from engine.domain.pairs import USDT, Side, base_of

# A balance that still does not show a fill after this long is believed after all.
SETTLE_WITHIN = timedelta(minutes=10)
# A fee taken in the token itself makes a buy show a little less than was filled.
_NEARLY_ALL = Decimal("0.99")
# MEXC fills a market order at up to 5 % from the last price, and a buy up to 5 % short on top.
_ABOUT_ALL = (Decimal("0.85"), Decimal("1.15"))


class Trace(Enum):
    """What the balances say of an order whose outcome is unknown."""

    FILLED = "filled"  # both sides moved the order's way, by about what it was for
    NONE = "none"  # nothing moved as the order would have moved it
    UNSURE = "unsure"  # a part of it, or a deposit, a withdrawal or a trade by hand


def shows(holdings: Holdings, fill: Intent) -> bool:
    """False where *holdings* do not have the whole of *fill* in them yet: trading on them would
    trade the same drift, or the rest of it, a second time.
    """
    filled = fill.execution.base_quantity
    if filled == ZERO:
        return True
    if holdings.of(USDT).total == fill.quote_before:
        return False
    return _base_moved(holdings, fill) >= filled * _NEARLY_ALL


def is_settled(*, holdings: Holdings, last_fill: Intent | None, now: datetime) -> bool:
    if last_fill is None or last_fill.resolved_at is None:
        return True
    return now - last_fill.resolved_at > SETTLE_WITHIN or shows(holdings, last_fill)


def trace(holdings: Holdings, order: Intent) -> Trace:
    """Judged by the token: USDT alone proves nothing, because a deposit hides a buy. But USDT that
    moved like the fill while the token did not is reason enough for a doubt.
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


def _base_moved(holdings: Holdings, intent: Intent) -> Decimal:
    """How much of the token came (for a buy) or went (for a sell) since *intent* was planned."""
    difference = holdings.of(base_of(intent.symbol)).total - intent.base_before
    return difference if intent.side is Side.BUY else -difference


def _expected_base(intent: Intent) -> Decimal | None:
    """How much of the token the order was for; None where its price was not kept."""
    if intent.quote_amount is None:
        return intent.base_quantity
    return intent.quote_amount / intent.price if intent.price else None


def _quote_moved(holdings: Holdings, intent: Intent) -> Decimal:
    """How much USDT went (for a buy) or came (for a sell) since *intent* was planned."""
    difference = holdings.of(USDT).total - intent.quote_before
    return difference if intent.side is Side.SELL else -difference


def _is_about(moved: Decimal, expected: Decimal) -> bool:
    least, most = _ABOUT_ALL
    return expected * least <= moved <= expected * most
