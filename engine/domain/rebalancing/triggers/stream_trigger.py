"""Which changes that a stream tells are looked at at once, and for whom that is enough. Pure.

What is left out here is found by the next poll: it may change no decision until then.
"""

from collections.abc import Mapping, Sequence

from engine.domain.accounts.account import Account
from engine.domain.accounts.low_balance import LowBalanceThreshold, crossings
from engine.domain.accounts.settings import Settings
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.streams.events import Amounts, BalanceEvent, Cause


def matters(
    account: Account,
    event: BalanceEvent,
    known: Mapping[Asset, Amounts],
    marks: Sequence[LowBalanceThreshold] = (),
) -> bool:
    """True if *event* may change what is decided, or is to be told. *known* is what each asset has
    with it, as far as that is known, and *marks* are the account's low-balance thresholds.
    """
    settings = account.settings
    if _crosses(event, marks, settings):
        return True
    if event.asset not in settings.assets:
        return False
    if event.cause is not Cause.TRADE or settings.fixed is None or account.waiting is not None:
        return True
    after = known.get(USDT)
    before = event.before if event.asset == USDT else after
    return not (_rests(before, event, settings) and _rests(after, event, settings))


def hangs_on_balances(account: Account) -> bool:
    """True if nothing but a change of balances, or of settings, leads to a trade of *account*: no
    price and no time.
    """
    settings = account.settings
    is_timed = account.waiting is not None or account.slicing_until is not None
    return settings.fixed is not None and settings.pacing.crash_guard is None and not is_timed


def _crosses(
    event: BalanceEvent, marks: Sequence[LowBalanceThreshold], settings: Settings
) -> bool:
    of_asset = [mark for mark in marks if mark.asset == event.asset]
    after = _holdings({event.asset: event.amounts}, event)
    return bool(of_asset and after and crossings(of_asset, after, counting=settings.counting))


def _rests(usdt: Amounts | None, event: BalanceEvent, settings: Settings) -> bool:
    """True if so much USDT is surely inside the band."""
    holdings = None if usdt is None else _holdings({USDT: usdt}, event)
    return holdings is not None and settings.fixed_goal.band.holds(settings.held(holdings))


def _holdings(amounts: Mapping[Asset, Amounts], event: BalanceEvent) -> Holdings | None:
    """None where it cannot be so: then an event is missing."""
    if any(amount < ZERO for both in amounts.values() for amount in both):
        return None
    return Holdings({asset: Balance(*both) for asset, both in amounts.items()}, read_at=event.at)
