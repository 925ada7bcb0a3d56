"""Whether a balance already shows the last fill: MEXC's balances lag a second or more behind."""

from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.holdings import Holdings
from engine.domain.money import ZERO
from engine.domain.orders import Intent
from engine.domain.pairs import USDT, Side, base_of

# A balance that still does not show a fill after this long is believed after all.
SETTLE_WITHIN = timedelta(minutes=10)
# A fee taken in the token itself makes a buy show a little less than was filled.
_NEARLY_ALL = Decimal("0.99")


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


def moved_as_if_filled(holdings: Holdings, intent: Intent) -> bool:
    """Whether the token's balance has moved the way *intent* would have moved it: reason enough
    not to believe that it never arrived. USDT alone proves nothing: a deposit hides a buy.
    """
    return _base_moved(holdings, intent) > ZERO


def _base_moved(holdings: Holdings, intent: Intent) -> Decimal:
    """How much of the token came (for a buy) or went (for a sell) since *intent* was planned."""
    difference = holdings.of(base_of(intent.symbol)).total - intent.base_before
    return difference if intent.side is Side.BUY else -difference
