"""Whether a balance already shows the last fill: MEXC's balances lag a second or more behind."""

from datetime import datetime, timedelta

from engine.domain.holdings import Holdings
from engine.domain.money import ZERO
from engine.domain.orders import Intent
from engine.domain.pairs import USDT, Side, base_of

# A balance that still shows none of a fill after this long is believed after all.
SETTLE_WITHIN = timedelta(minutes=10)


def shows(holdings: Holdings, fill: Intent) -> bool:
    """False where *holdings* are exactly what they were before *fill*: trading on them would
    trade the same drift a second time.
    """
    if fill.execution.base_quantity == ZERO:
        return True
    same_quote = holdings.of(USDT).total == fill.quote_before
    same_base = holdings.of(base_of(fill.symbol)).total == fill.base_before
    return not (same_quote or same_base)


def is_settled(*, holdings: Holdings, last_fill: Intent | None, now: datetime) -> bool:
    if last_fill is None or last_fill.resolved_at is None:
        return True
    return now - last_fill.resolved_at > SETTLE_WITHIN or shows(holdings, last_fill)


def moved_as_if_filled(holdings: Holdings, intent: Intent) -> bool:
    """Whether both balances have moved the way *intent* would have moved them: reason enough
    not to believe that it never arrived.
    """
    quote = holdings.of(USDT).total
    base = holdings.of(base_of(intent.symbol)).total
    if intent.side is Side.BUY:
        return quote < intent.quote_before and base > intent.base_before
    return quote > intent.quote_before and base < intent.base_before
