"""Reads an account's balances for a check, and decides whether it may act on them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.domain.accounts.balance_changes import ChangeFinding, expectation, is_undecided
from engine.domain.accounts.deposits import DepositChoice
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT
from engine.domain.orders.order import AccountId, ClientOrderId, Order
from engine.domain.orders.settlement import (
    SETTLE_WITHIN,
    is_settled,
    shows,
    shows_base,
    shows_quote,
    was_seen_settled,
)
from engine.domain.rebalancing.balance_confirmation import agreed, in_doubt, needs_second
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.streams.live_account import ReadVerdict
from engine.errors import BadData
from engine.exchanges.interface import Exchange
from engine.rebalancing.balance_changes import BalanceChangeMonitor
from engine.streaming.live_accounts import LiveAccounts
from engine.timeouts import Timing

logger = logging.getLogger(__name__)

# How soon balances that lack what a stream told are read again, and the last of them from then on.
_BEHIND_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 5))


@dataclass(frozen=True, slots=True)
class BalanceReading:
    """A balance reading. *holdings* may be acted on if settled; *finding* is what came or went.
    *first* is the exchange's first answer where it was asked twice. They lack what a stream told
    where *again_in* says when to read again.
    """

    holdings: Holdings
    is_settled: bool = True
    first: Holdings | None = None
    finding: ChangeFinding | None = None
    again_in: timedelta | None = None


@dataclass(eq=False, kw_only=True, repr=False)
class BalanceReader:
    """Reads balances; remembers the odd rows logged, the fill seen settled and how often they lacked
    what *live* told, per account.
    """

    clock: Clock
    timing: Timing
    balance_changes: BalanceChangeMonitor
    live: LiveAccounts

    def __post_init__(self) -> None:
        self._logged: dict[AccountId, frozenset[str]] = {}
        self._settled: dict[AccountId, ClientOrderId] = {}
        self._behind: dict[AccountId, int] = {}

    async def read(self, duty: CheckInput, exchange: Exchange) -> BalanceReading:
        """Read the balances: once, or a second time after a while where they fell for no reason, or
        rose and the target is to follow.

        Raises what the exchange's reads raise, and BadData where two readings contradict.
        """
        first, again_in = await self._read(duty, exchange)
        certain, market = self._is_certain(duty, first), exchange.market
        is_settled = certain or self._is_settled(duty, first, exchange.time())
        if again_in is not None or not is_settled:
            return BalanceReading(first, is_settled=False, again_in=again_in)
        fills = await self.balance_changes.fills(duty)
        if not certain and self._is_to_be_told_first(duty, first, fills):
            return BalanceReading(first, is_settled=False)
        finding = await self.balance_changes.detect(duty, first, fills, market, certain=certain)
        if not self._is_doubtful(duty, first, fills, finding):
            return BalanceReading(first, finding=self._with_cause(duty, finding))
        await self.clock.sleep(self.timing.second_sight)
        again, again_in = await self._read(duty, exchange)
        if again_in is not None or not self._is_settled(duty, again, exchange.time()):
            return BalanceReading(again, is_settled=False, again_in=again_in)
        settings, asked = duty.account.settings, duty.to_centre
        both = agreed(first, again, settings=settings, asked=asked)
        found = await self.balance_changes.detect(duty, both, fills, market)
        if _keeps(duty, finding) or _keeps(duty, found):
            both = min(first, again, key=lambda reading: reading.of(USDT).total)
            found = await self.balance_changes.detect(duty, both, fills, market)
            if not _keeps(duty, found):
                was, now = (reading.of(USDT).total for reading in (first, again))
                raise BadData(f"MEXC said {was:f} USDT, and {now:f} USDT a moment later")
        return BalanceReading(both, first=first, finding=self._with_cause(duty, found))

    def _with_cause(self, duty: CheckInput, finding: ChangeFinding | None) -> ChangeFinding | None:
        """Returns *finding* with why it moved, as far as a stream told that."""
        if finding is None or not finding.moved:
            return finding
        causes = {self.live.cause_of(duty.account.id, moved) for moved in finding.moved}
        return replace(finding, cause=causes.pop() if len(causes) == 1 else None)

    async def _read(
        self, duty: CheckInput, exchange: Exchange
    ) -> tuple[Holdings, timedelta | None]:
        """One reading, and when to read again where it lacks what a stream told. Rows that make no
        sense are logged when they first appear.
        """
        begun = self.clock.steady()
        holdings = await exchange.holdings()
        account_id, odd = duty.account.id, frozenset(holdings.unreadable.values())
        for what in sorted(odd - self._logged.get(account_id, frozenset())):
            logger.warning("balance unreadable", extra={"account": account_id, "read": what})
        self._logged[account_id] = odd
        if self.live.read(account_id, holdings, begun=begun) is not ReadVerdict.BEHIND:
            self._behind.pop(account_id, None)
            return holdings, None
        count = self._behind.get(account_id, 0)
        self._behind[account_id] = count + 1
        return holdings, _BEHIND_PAUSES[min(count, len(_BEHIND_PAUSES) - 1)]

    def _is_settled(self, duty: CheckInput, holdings: Holdings, exchange_time: datetime) -> bool:
        """True if *holdings* show the account's last fill."""
        fill, account_id = duty.last_fill, duty.account.id
        if fill is None:
            return True
        known = self._settled.get(account_id) == fill.client_order_id
        settled = is_settled(
            holdings=holdings,
            last_fill=fill,
            seen_settled=known or was_seen_settled(fill, duty.last_seen),
            now=_likely_now(fill, now=self.clock.now(), exchange_time=exchange_time),
        )
        if duty.account.settings.fixed is None:
            settled = settled and (known or _shows_both(holdings, duty, now=self.clock.now()))
        if settled:
            self._settled[account_id] = fill.client_order_id
        return settled

    def _is_certain(self, duty: CheckInput, holdings: Holdings) -> bool:
        """True if a stream told all of *holdings*, and the last fill and what came since are in them."""
        account, fill = duty.account, duty.last_fill
        if not self.live.shows_all(account.id, holdings, account.settings.assets):
            return False
        if fill is None or fill.resolved_at is None:
            return True
        is_young = self.clock.now() - fill.resolved_at < self.timing.second_sight
        came = self.live.came(account.id)
        return (
            not is_young and shows_base(holdings, fill) and shows_quote(holdings, fill, came=came)
        )

    def _is_to_be_told_first(
        self, duty: CheckInput, holdings: Holdings, fills: Sequence[Order]
    ) -> bool:
        """True if there may be a deposit, and that is to be known before anything is traded. What a
        stream tells comes soon after a trade more often, and would be lost in the next one.
        """
        settings = duty.account.settings
        if settings.fixed is None:
            return False  # a portfolio shares a deposit out at once
        at_once = settings.deposits.choice is DepositChoice.NOW
        is_live = self.live.trust(duty.account.id).is_live
        if at_once and not settings.asks_about_deposits and not is_live:
            return False
        return is_undecided(
            duty.last_seen,
            holdings,
            assets=settings.assets,
            fills=fills,
            now=self.clock.now(),
            falls=is_live,
        )

    def _is_doubtful(
        self,
        duty: CheckInput,
        holdings: Holdings,
        fills: Sequence[Order],
        finding: ChangeFinding | None,
    ) -> bool:
        """True if *holdings* must be read a second time. A paper ledger is our own, and what a stream
        told as well was seen twice.
        """
        settings = duty.account.settings
        if settings.dry_run:
            return False
        is_doubtful = _keeps(duty, finding) or needs_second(
            holdings,
            settings=settings,
            asked=duty.to_centre,
            expected=expectation(duty.last_seen, assets=settings.assets, fills=fills),
            finding=finding,
            marks=duty.marks,
        )
        if not is_doubtful:
            return False
        doubted = in_doubt(holdings, settings=settings, last=duty.last_seen, marks=duty.marks)
        return not self.live.is_seen_twice(duty.account.id, holdings, doubted)


def _keeps(duty: CheckInput, finding: ChangeFinding | None) -> bool:
    """True if *finding* raises the target: a deposit counts for that only if seen twice."""
    settings = duty.account.settings
    keeps = settings.deposits.choice is DepositChoice.KEEP and settings.fixed is not None
    return keeps and finding is not None and finding.arrived > ZERO


def _likely_now(fill: Order, *, now: datetime, exchange_time: datetime) -> datetime:
    """Returns *now*, bounded by the exchange's clock if ours was set since the booking."""
    if fill.resolved_at is None or fill.sent_at is None:
        return now
    longest = exchange_time - fill.sent_at
    is_likely = timedelta() <= now - fill.resolved_at <= longest
    return now if is_likely else fill.resolved_at + longest


def _shows_both(holdings: Holdings, duty: CheckInput, *, now: datetime) -> bool:
    """True if USDT and the token show the last fill: of several tokens each counts for every share."""
    fill = duty.last_fill
    if fill is None or fill.resolved_at is None or was_seen_settled(fill, duty.last_seen):
        return True
    return now - fill.resolved_at > SETTLE_WITHIN or shows(holdings, fill)
