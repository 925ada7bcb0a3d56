"""Simulates the demo's exchange: a moving MNTL market, deposits, and key inspection."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from engine.clock import Clock
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.candles import HOUR, MOST_HOURS, HourlyClose, whole_hour
from engine.domain.market.decimals import ZERO
from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import USDT, Asset, PairRules, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.orders.order import AccountId
from engine.domain.streams.events import Cause
from engine.errors import BadCredentials, PairUnavailable
from engine.exchanges.interface import KeyInspection, KeyPermissions, Market
from engine.exchanges.paper.exchange import opening_balances
from engine.exchanges.paper.streams import PaperStreams
from engine.storage.accounts import accounts
from engine.storage.service import Service
from engine.storage.trading import paper_ledger

SYMBOL = Symbol("MNTLUSDT")
RULES = PairRules(
    symbol=SYMBOL,
    base=Asset("MNTL"),
    quote=USDT,
    quantity_step=Decimal(1),
    min_quantity=Decimal(1),
    quote_step=Decimal("0.01"),
    price_step=Decimal("0.000001"),
    min_notional=Decimal(1),
    max_notional=Decimal(100_000),
    taker_fee_rate=Decimal("0.0005"),
)

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
# The market moves in slots: within one of them every question gets the same answer.
_SLOT = timedelta(seconds=10)
_MIDDLE_TICKS = 2000
# Slots between two turning points of a wave, and how far (in ticks) it reaches.
_WAVES = ((12, 12), (90, 50), (700, 180))
_LEVELS = 8
_THIN_EVERY = 6
_THIN_FOR_SLOTS = 6
_THIN_LEVELS = 3


class SimulatedMarket:
    """Satisfies `Market` for MNTLUSDT; price and book depend on nothing but the time and *seed*.

    Now and then it *thins*: for a minute the book has too little for a large order.
    """

    def __init__(self, clock: Clock, seed: int, *, thins: bool = True) -> None:
        self._clock = clock
        self._seed = seed
        self._thins = thins

    async def rules(self, symbol: Symbol) -> PairRules:
        if symbol != SYMBOL:
            raise PairUnavailable(code=-1121, message="Invalid symbol.")
        return RULES

    async def book(self, symbol: Symbol, *, fresh: bool = False) -> OrderBook:  # noqa: ARG002 - it always is
        await self.rules(symbol)
        slot = self._slot()
        dice = self._dice("book", slot)
        middle = self._middle_ticks(slot)
        return OrderBook(
            symbol=symbol,
            bids=tuple(self._levels(dice, slot, first=middle - 1, direction=-1)),
            asks=tuple(self._levels(dice, slot, first=middle + 1, direction=1)),
            read_at=self._clock.now(),
        )

    async def last_price(self, symbol: Symbol) -> Decimal:
        await self.rules(symbol)
        slot = self._slot()
        return _price(self._middle_ticks(slot) + self._dice("trade", slot).choice((-1, 1)))

    async def quotes(
        self,
        assets: Collection[Asset],
        *,
        listed_only: bool = False,  # noqa: ARG002 - its one pair is listed
    ) -> Quotes:
        book = await self.book(SYMBOL)
        quote = Quote.of(book) if RULES.base in assets else None
        return Quotes({} if quote is None else {RULES.base: quote}, book.read_at)

    async def hourly_closes(
        self, symbol: Symbol, *, since: datetime, until: datetime
    ) -> Sequence[HourlyClose]:
        await self.rules(symbol)
        until = min(until, whole_hour(self._clock.now()), since + MOST_HOURS * HOUR)
        ends = [since + (n + 1) * HOUR for n in range((until - since) // HOUR)]
        return [
            HourlyClose(end, _price(self._middle_ticks((end - _EPOCH) // _SLOT))) for end in ends
        ]

    def _slot(self) -> int:
        return (self._clock.now() - _EPOCH) // _SLOT

    def _dice(self, purpose: str, number: int) -> Random:
        return Random(f"{self._seed}/{purpose}/{number}")  # noqa: S311 - a market, not a secret

    def _middle_ticks(self, slot: int) -> int:
        """Waves of three lengths, each drawn between random turning points."""
        ticks = _MIDDLE_TICKS
        for period, reach in _WAVES:
            turn, passed = divmod(slot, period)
            here = self._dice(f"wave{period}", turn).randint(-reach, reach)
            there = self._dice(f"wave{period}", turn + 1).randint(-reach, reach)
            ticks += here + (there - here) * passed // period
        return ticks

    def _levels(
        self, dice: Random, slot: int, *, first: int, direction: int
    ) -> Iterator[PriceLevel]:
        """Returns price levels; in a thin phase a few small ones, too little for a large order."""
        minute = slot // _THIN_FOR_SLOTS
        is_thin = self._thins and self._dice("thin", minute).randrange(_THIN_EVERY) == 0
        ticks = first
        for _ in range(_THIN_LEVELS if is_thin else _LEVELS):
            quantity = dice.randint(900, 2_500) if is_thin else dice.randint(4_000, 16_000)
            yield PriceLevel(_price(ticks), Decimal(quantity))
            ticks += direction * dice.randint(1, 3)


@dataclass(eq=False, kw_only=True, repr=False)
class SimulatedDeposits(Service):
    """Simulated deposits and withdrawals, which make balances leave their bands.

    Now and then each open ledger inside its band is pushed out of it, by a deposit and a
    withdrawal in turn. *tell* is called with each change, and *streams* are told of it.
    """

    seed: int
    tell: Callable[[AccountId, Decimal], None]
    streams: PaperStreams | None = None

    def __post_init__(self) -> None:
        self._dice = Random(self.seed)  # noqa: S311 - pocket money, not a secret
        self._comes: dict[AccountId, bool] = {}

    async def run(self, undisturbed: Callable[[], Awaitable[object]]) -> None:
        """Never returns. Each push waits until *undisturbed* returns."""
        while True:
            await self.clock.sleep(timedelta(minutes=self._dice.randint(20, 40)))
            await undisturbed()
            await self.push()

    async def push(self) -> None:
        """Move money in each account whose balance is inside its band."""
        moved = {}
        async with self.database.writing() as session:
            for account_id in await paper_ledger.open_ledgers(session):
                settings = (await accounts.get(session, account_id)).settings
                held = await paper_ledger.balances(session, account_id)
                usdt = held.get(USDT, Balance())
                fixed = settings.fixed
                if fixed is None or fixed.band.holds(usdt.counted(settings.counting)):
                    width = ZERO if fixed is None else fixed.band.high - fixed.band.low
                    moved[account_id] = self._difference(account_id, width, free=usdt.free)
                    await paper_ledger.change(session, account_id, {USDT: moved[account_id]})
        for account_id, difference in moved.items():
            self.tell(account_id, difference)
            if self.streams is not None:
                cause = Cause.DEPOSIT if difference > ZERO else Cause.WITHDRAWAL
                await self.streams.tell(account_id, cause)

    def _difference(self, account_id: AccountId, width: Decimal, *, free: Decimal) -> Decimal:
        """Returns a change above the band's *width* and any minimum order, in whole cents."""
        comes = self._comes.get(account_id, True)
        self._comes[account_id] = not comes
        beyond = Decimal(self._dice.randint(300, 1500)).scaleb(-2)
        size = RULES.floor_quote(width + beyond)
        return -size if not comes and size <= free else size


_POWERS = KeyPermissions(
    permissions=frozenset({"SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"}),
    days_left=90,
    addresses=(),
)


class SimulatedKeyInspector:
    """Implements `KeyInspector`: any well-formed key may read and trade, and nothing else."""

    def __init__(self, market: Market, clock: Clock) -> None:
        self._market = market
        self._clock = clock

    async def inspect(self, *, api_key: str, api_secret: str, symbol: Symbol) -> KeyInspection:
        rules = await self._market.rules(symbol)
        if not all(_looks_like_a_key(text) for text in (api_key, api_secret)):
            raise BadCredentials(code=700001, message="API-key format invalid.")
        opening = opening_balances(rules=rules, last_price=await self._market.last_price(symbol))
        return KeyInspection(
            permissions=_POWERS.permissions,
            days_left=_POWERS.days_left,
            addresses=_POWERS.addresses,
            holdings=Holdings(opening, read_at=self._clock.now()),
        )

    async def powers(self, *, api_key: str, api_secret: str) -> KeyPermissions | None:  # noqa: ARG002 - as MEXC's
        return _POWERS

    async def account_number(self, *, api_key: str, api_secret: str) -> str | None:  # noqa: ARG002 - as MEXC's
        return None


def _price(ticks: int) -> Decimal:
    return ticks * RULES.price_step


def _looks_like_a_key(text: str) -> bool:
    return len(text) >= 8 and text.isascii() and text.isalnum()  # noqa: PLR2004 - as MEXC's look
