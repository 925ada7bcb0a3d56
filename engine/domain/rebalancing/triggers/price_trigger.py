"""Which prices an account waits for between its polls, and what calls for a check. Pure.

What is judged here is what was held at the last check, at prices that a stream tells. It says when
to look; the check reads balances and prices itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset, base_of
from engine.domain.market.quotes import Quote
from engine.domain.portfolio.plan import WithinSpread
from engine.domain.rebalancing.check_result import CheckResult, NoTrade
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.targets.crash_guard import CrashGuard, ManagedValue, acts_at
from engine.domain.targets.goals import Goals
from engine.domain.targets.outside import surely_outside
from engine.domain.targets.room import room, room_of_worth
from engine.domain.targets.usdt_goal import needs_price

# A rise that the crash guard notes: what comes may be a fall from there.
_NOTED_RISE = Decimal("1.02")
# A price that moves less is none that moved: near an edge each would be judged anew.
_LEAST_ROOM = Decimal("0.0001")

Edges = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceWatch:
    """What of an account hangs on prices: *held* of each asset, the bands of its *goals* if they move
    with them, and the *worth*, low and high, at which its crash guard has something to do.
    """

    held: Mapping[Asset, Decimal]
    goals: Goals | None
    worth: Edges | None

    @property
    def tokens(self) -> tuple[Asset, ...]:
        return tuple(asset for asset in self.held if asset != USDT)

    def calls(self, quotes: Mapping[Asset, Quote]) -> bool:
        """True if a check has something to do at *quotes*, which have every token."""
        if self.goals is not None and surely_outside(self.goals, self.held, quotes):
            return True
        if self.worth is None:
            return False
        low, high = self.worth
        whole = sum(self.values(quotes).values(), ZERO)
        return whole <= low or whole > high

    def brackets(self, quotes: Mapping[Asset, Quote]) -> Mapping[Asset, Edges]:
        """Returns between which middle prices of each token nothing calls for a check, whichever way
        the others move meanwhile.
        """
        values, least = self.values(quotes), ONE
        if self.goals is not None:
            least = room(self.goals, values)
        if self.worth is not None:
            low, high = self.worth
            least = min(least, room_of_worth(values, low=low, high=high))
        least = max(least, _LEAST_ROOM)
        return {
            asset: (quotes[asset].mid * (ONE - least), quotes[asset].mid * (ONE + least))
            for asset in self.tokens
        }

    def values(self, quotes: Mapping[Asset, Quote]) -> Mapping[Asset, Decimal]:
        return {
            asset: units if asset == USDT else units * quotes[asset].mid
            for asset, units in self.held.items()
        }


def waits_for(account: Account) -> frozenset[Asset]:
    """Returns the tokens whose prices may lead to a trade of *account*, or to a stop."""
    settings = account.settings
    hangs = settings.pacing.crash_guard is not None or _moves(account)
    return frozenset(settings.targeting.tokens) if hangs else frozenset()


def watch_of(
    account: Account, look: CheckResult, quotes: Mapping[Asset, Quote], *, now: datetime
) -> PriceWatch | None:
    """Returns what to watch between a check of *account* and the next one. *quotes* are of all tokens
    that it waits for. None where the check left something to do, or time alone does.
    """
    is_timed = account.waiting is not None or account.slicing_until is not None
    is_stopped = account.buying_stopped_at is not None
    if is_timed or is_stopped or not _is_calm(look) or _renews_bands(account, now):
        return None
    if not waits_for(account):
        return PriceWatch(held={}, goals=None, worth=None)
    held = _held(account, look)
    if held is None:
        return None
    goals = account.targeting.goals if _moves(account) else None
    watch = PriceWatch(held=held, goals=goals, worth=None)
    if account.settings.pacing.crash_guard is not None:
        whole = sum(watch.values(quotes).values(), ZERO)
        worth = _guarded(account, account.settings.pacing.crash_guard, whole, now=now)
        if worth is None:
            return None
        watch = replace(watch, worth=worth)
    return watch


def _moves(account: Account) -> bool:
    """True if the target moves with prices."""
    settings = account.settings
    return settings.fixed is None and needs_price(settings.targeting)


def _renews_bands(account: Account, now: datetime) -> bool:
    """True if the bands that the check kept to may be others than those of *account*."""
    if not account.settings.scaled:
        return False
    return account.widths is None or not account.widths.holds(account.targeting.tokens, now=now)


def _is_calm(look: CheckResult) -> bool:
    """True if all is inside, at the bids or at the asks at least."""
    return isinstance(look.verdict, NoTrade) and isinstance(
        look.verdict.reason, InsideBand | WithinSpread
    )


def _held(account: Account, look: CheckResult) -> Mapping[Asset, Decimal] | None:
    """Returns what is managed of each asset; None where the check did not see it."""
    wanted = (*account.targeting.tokens, USDT)
    if look.portfolio is not None:
        held = look.portfolio.held
        return {asset: held[asset] for asset in wanted} if {*wanted} <= held.keys() else None
    if look.seen is None or wanted != (base_of(look.seen.symbol), USDT):
        return None
    protected = account.settings.protected
    totals = zip(wanted, (look.seen.base.total, look.seen.quote.total), strict=True)
    return {asset: max(ZERO, total - protected.get(asset, ZERO)) for asset, total in totals}


def _guarded(
    account: Account, guard: CrashGuard, whole: Decimal, *, now: datetime
) -> Edges | None:
    """Returns the worth, low and high, at which the crash guard stops something or has a new height
    to note, after a check that saw *whole*.
    """
    before = () if account.guard is None else account.guard.values
    low = acts_at(guard, [*before, ManagedValue(now, whole)], now=now)
    last = before[-1].before + before[-1].flow if before else whole
    high = _NOTED_RISE * (last if whole <= _NOTED_RISE * last else whole)
    return None if low is None else (low, high)
