"""Decides how often a balance must be read before it is acted on. Pure.

A rise counts at once. A fall that no order of ours explains counts at the second reading: a
truncated answer of the exchange is the same as a withdrawal.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from engine.domain.accounts.balance_changes import ChangeFinding, Expectation
from engine.domain.accounts.low_balance import LowBalanceThreshold, crossings
from engine.domain.accounts.settings import Settings
from engine.domain.market.balances import Balance, Counting, Holdings, LastSeen
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.errors import BadData

SECOND_SIGHT = timedelta(seconds=3)
# Interest and the like: too little to sell for.
_DUST = Decimal("0.01")


def needs_second(
    holdings: Holdings,
    *,
    settings: Settings,
    asked: bool,
    expected: Expectation | None,
    finding: ChangeFinding | None,
    marks: Sequence[LowBalanceThreshold] = (),
) -> bool:
    """True if *holdings* alone would sell tokens, or report a withdrawal, without reason.

    *asked*: a user wants the trade, so that any shortfall is traded, inside the band too.
    *expected* is what was believed before, *finding* what of *holdings* that does not explain.
    """
    if finding is not None and any(moved.change < ZERO for moved in finding.moved):
        return True
    crossed = crossings(marks, holdings, counting=settings.counting)
    if any(not crossing.mark.told for crossing in crossed):
        return True
    quote = holdings.of(USDT)
    if expected is None:
        return lacks_an_asset(holdings, settings.assets) or is_short(
            holdings, settings, asked=asked
        )
    if expected.fill is not None and LastSeen(expected.amounts, at=holdings.read_at).lost_in(
        holdings
    ):
        return True
    if settings.fixed is None or not is_short(holdings, settings, asked=asked):
        # What is missing of a portfolio's token would be bought.
        is_bought = settings.fixed is None and expected.fill is not None
        return is_bought and bool(expected.lacking(holdings))
    # What sits in open orders is on record as held, wherever it counts.
    uncounted = quote.total - quote.counted(settings.counting)
    fell = expected.amounts[USDT] - quote.total
    return uncounted > ZERO or fell >= expected.room[USDT] + _DUST


def in_doubt(
    holdings: Holdings,
    *,
    settings: Settings,
    last: LastSeen | None,
    marks: Sequence[LowBalanceThreshold] = (),
) -> frozenset[Asset]:
    """Returns the assets of which a second sight is worth one of all *holdings*: those that are not
    as they were seen *last*, and those that are reported.
    """
    counting, known = settings.counting, last is not None and last.is_of(settings.assets)
    before = last.amounts if last is not None and known else {}
    changed = {a for a in settings.assets if holdings.of(a).total != before.get(a)}
    crossed = {crossing.mark.asset for crossing in crossings(marks, holdings, counting=counting)}
    # A total does not tell what of it is in open orders.
    return frozenset(changed | crossed | ({USDT} if counting is Counting.FREE else set()))


def lacks_an_asset(holdings: Holdings, assets: Sequence[Asset]) -> bool:
    """True if one of *assets* is not there at all. Raises BadData as `of` does."""
    return ZERO in [holdings.of(asset).total for asset in assets]


def is_short(holdings: Holdings, settings: Settings, *, asked: bool) -> bool:
    """True if tokens would be sold."""
    if (fixed := settings.fixed) is None:
        return asked  # what a portfolio would sell is known with its prices
    return settings.held(holdings) < (fixed.target if asked else fixed.band.low)


def agreed(first: Holdings, second: Holdings, *, settings: Settings, asked: bool) -> Holdings:
    """Returns the larger balance of both readings, for each asset that is traded.

    Raises BadData where the readings call for trades in opposite directions.
    """
    counting = settings.counting
    both = most_of(first, second, settings.assets, counting=counting)
    if (fixed := settings.fixed) is None:
        return both
    most = fixed.target if asked else fixed.band.high
    if is_short(first, settings, asked=asked) and settings.held(both) > most:
        was, now = (reading.of(USDT).counted(counting) for reading in (first, second))
        raise BadData(f"MEXC said {was:f} USDT, and {now:f} USDT a moment later")
    return both


def most_of(
    first: Holdings,
    second: Holdings,
    assets: Sequence[Asset],
    *,
    counting: Counting = Counting.HELD,
) -> Holdings:
    """Returns *second*, with the larger balance of both readings for *assets*."""

    def larger(asset: Asset) -> Balance:
        was, now = first.of(asset), second.of(asset)
        return max(now, was, key=lambda balance: (balance.counted(counting), balance.total))

    held = {asset: larger(asset) for asset in assets}
    is_as_now = all(second.of(asset) == balance for asset, balance in held.items())
    listed = {a: b for a, b in held.items() if a in second.balances or b.total > ZERO}
    return Holdings(
        {**second.balances, **listed},
        read_at=second.read_at if is_as_now else first.read_at,
        unreadable=second.unreadable,
    )
