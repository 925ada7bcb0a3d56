"""Which accounts of this process wait for prices, and which of them a price makes due.

A price says when to look, never what is there: the check reads prices and balances itself. An account
is polled at its own interval unless every price that it waits for is live.
"""

import logging
import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.market.pairs import Asset, Symbol, symbol_of
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_result import CheckResult
from engine.domain.rebalancing.triggers.price_trigger import PriceWatch, waits_for, watch_of
from engine.domain.streams.band_exits import BandExits
from engine.domain.streams.coalescing import Coalescing
from engine.streaming.price_streams import PriceFleet

logger = logging.getLogger(__name__)

# Checks share prices that are so old at most.
_PRICES_LAG = timedelta(seconds=2)
_MOST_LOOKS = 1
# In one turn of the loop: to judge one takes up to half a millisecond.
_AT_ONCE = 50
_MOST_LEFT = 1000
_SIDES = 1001

Wake = Callable[[AccountId, datetime], None]


@dataclass(slots=True, eq=False)
class _Waiting:
    """An account, and what its last check saw. *watch* is None while prices are not enough;
    *disagreed* counts the checks in a row that found nothing to do at prices that call for one.
    """

    account: Account
    look: CheckResult
    tokens: frozenset[Asset] = frozenset()
    watch: PriceWatch | None = None
    coalescing: Coalescing = field(default_factory=Coalescing)
    disagreed: int = 0


class LivePrices:
    """*on_due* makes an account due at that moment of the steady clock."""

    def __init__(
        self,
        clock: Clock,
        fleet: PriceFleet,
        *,
        dice: Callable[[], int] = lambda: secrets.randbelow(_SIDES),
    ) -> None:
        self._clock = clock
        self.fleet = fleet
        self._dice = dice
        self._waiting: dict[AccountId, _Waiting] = {}
        self._users: defaultdict[Symbol, set[AccountId]] = defaultdict(set)
        self._exits = BandExits()
        self._to_judge: dict[AccountId, None] = {}
        self._left_over: set[Symbol] = set()
        self.on_due: Wake = lambda _account_id, _at: None
        fleet.on_live = self._is_live
        fleet.on_quote.append(self._quoted)
        fleet.on_lost = self._lost
        fleet.on_turn = self.turn

    # What the dispatcher says and asks.

    def checked(self, account: Account, look: CheckResult) -> None:
        """A check of *account* ended: what was told so far was for it."""
        tokens = waits_for(account)
        if not tokens and account.settings.fixed is not None:
            self.unwanted(account.id)  # its balances are enough
            return
        one = self._waiting.get(account.id)
        if one is None:
            one = self._waiting[account.id] = _Waiting(account, look)
        one.account, one.look = account, look
        one.coalescing.checked(self._clock.steady())
        self._use(one, tokens)
        self._compare(look)
        watch, quotes = self._watch(one), self._quotes(one)
        if watch is None or quotes is None or not watch.calls(quotes):
            one.disagreed = 0
            return
        one.disagreed += 1
        if one.disagreed > _MOST_LOOKS:
            self._stop_watching(one)
        else:  # the check may have had prices of a moment before
            self._call(one, not_before=self._clock.steady() + _PRICES_LAG)

    def unwanted(self, account_id: AccountId) -> None:
        """Another process owns the account, or there is nothing to do for it."""
        one = self._waiting.pop(account_id, None)
        if one is not None:
            self._use(one, frozenset())
            self._exits.drop(account_id)

    def are_live(self, account_id: AccountId) -> bool:
        """True if nothing that the account's decision hangs on but its balances is left to polls."""
        one = self._waiting.get(account_id)
        return one is not None and one.watch is not None and self._quotes(one) is not None

    async def run(self) -> None:
        """Keep the connections, until cancelled."""
        await self.fleet.run()

    @property
    def missed(self) -> int:
        """How many prices nobody told."""
        return self.fleet.missed

    @property
    def watched(self) -> int:
        """How many accounts wait for prices that are live."""
        return len(self._exits)

    # What the streams tell.

    def _is_live(self, symbol: Symbol) -> None:
        """Whoever waits for *symbol* may be out of its band already."""
        self._to_judge |= dict.fromkeys(self._users.get(symbol, ()))

    def _quoted(self, symbol: Symbol, quote: Quote) -> None:
        left = self._exits.left(symbol, quote.mid, most=_MOST_LEFT)
        self._to_judge |= dict.fromkeys(left)
        if len(left) == _MOST_LEFT:
            self._left_over.add(symbol)

    def _lost(self, symbols: Collection[Symbol]) -> None:
        for symbol in symbols:
            self._to_judge |= dict.fromkeys(self._users.get(symbol, ()))

    def turn(self) -> None:
        """Judge a few of those whom prices concern: many may leave their bands at once."""
        if len(self._to_judge) < _AT_ONCE:
            for symbol in [*self._left_over]:
                self._left_over.discard(symbol)
                if (quote := self.fleet.quote(symbol)) is not None:
                    self._quoted(symbol, quote)
        for account_id in [*islice(self._to_judge, _AT_ONCE)]:
            del self._to_judge[account_id]
            if (one := self._waiting.get(account_id)) is not None:
                self._look(one)

    def _look(self, one: _Waiting) -> None:
        if self._quotes(one) is None:
            if one.watch is not None:
                # Polled again: not all at once, and not later than it wants.
                self._stop_watching(one)
                own = one.account.settings.interval
                spread = own * self._dice() / (_SIDES - 1)
                self.on_due(one.account.id, self._clock.steady() + spread)
            return
        watch = one.watch or self._watch(one)
        if watch is not None:
            self._judge(one, watch)

    def _judge(self, one: _Waiting, watch: PriceWatch) -> None:
        """Make the account due where a check has something to do; else wait for other prices."""
        quotes = self._quotes(one)
        if quotes is None:
            self._stop_watching(one)
        elif watch.calls(quotes):
            self._call(one, not_before=self._clock.steady())
        else:
            self._wait(one, watch, quotes)

    def _call(self, one: _Waiting, *, not_before: datetime) -> None:
        """Make the account due, not too often, and not later than it is polled without streams."""
        now = self._clock.steady()
        one.coalescing.event(now)
        due = max(not_before, one.coalescing.due_at() or now)
        self._exits.drop(one.account.id)
        self.on_due(one.account.id, min(due, now + one.account.settings.interval))

    def _watch(self, one: _Waiting) -> PriceWatch | None:
        """Begin to watch what prices may change since the last check, where all are live."""
        self._stop_watching(one)
        quotes = self._quotes(one)
        if quotes is not None:
            one.watch = watch_of(one.account, one.look, quotes, now=self._clock.now())
            if one.watch is not None:
                self._wait(one, one.watch, quotes)
        return one.watch

    def _wait(self, one: _Waiting, watch: PriceWatch, quotes: Mapping[Asset, Quote]) -> None:
        brackets = {symbol_of(asset): edges for asset, edges in watch.brackets(quotes).items()}
        self._exits.put(one.account.id, brackets)

    def _stop_watching(self, one: _Waiting) -> None:
        one.watch = None
        self._exits.drop(one.account.id)

    def _quotes(self, one: _Waiting) -> Mapping[Asset, Quote] | None:
        """None unless all prices that the account waits for are live."""
        found = {asset: self.fleet.quote(symbol_of(asset)) for asset in one.tokens}
        live = {asset: quote for asset, quote in found.items() if quote is not None}
        return live if len(live) == len(found) else None

    def _use(self, one: _Waiting, tokens: frozenset[Asset]) -> None:
        """These are the tokens that the account waits for."""
        for asset in sorted(tokens - one.tokens):
            symbol = symbol_of(asset)
            if symbol not in self._users:
                self.fleet.want(symbol)
            self._users[symbol].add(one.account.id)
        for asset in sorted(one.tokens - tokens):
            symbol = symbol_of(asset)
            self._users[symbol].discard(one.account.id)
            if not self._users[symbol]:
                del self._users[symbol]
                self.fleet.leave(symbol)
        one.tokens = tokens

    def _compare(self, look: CheckResult) -> None:
        """Doubt the streams of which *look* has another price than they told, long ago."""
        if look.portfolio is None:
            return
        for asset, mid in look.portfolio.prices.items():
            self.fleet.compare(symbol_of(asset), mid)
