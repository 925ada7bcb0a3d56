"""What the fake MEXC knows: its pairs with their order books, its accounts with their keys."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from functools import partial

ALL_NEEDED = frozenset({"SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"})
ZERO = Decimal(0)

Levels = list[tuple[Decimal, Decimal]]


class Refused(Exception):
    """An error as MEXC words it; the codes of a few are texts."""

    def __init__(self, code: int | str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(slots=True, kw_only=True)
class Pair:
    """*hidden*: in the Assessment Zone, shown to chosen keys only. *refills*: what an order takes
    from the book is there again for the next one. *closes* are of hours, by when they opened.
    *ioc*: it takes IMMEDIATE_OR_CANCEL, which is never listed. *price_band* is how far from the last
    price, as a fraction, an order's own price may be. *update_ids* are of the next order books.
    """

    symbol: str
    base: str
    last: Decimal
    bids: Levels
    asks: Levels
    quote: str = "USDT"
    base_precision: int = 0
    quote_precision: int = 7
    base_size: str = "0"
    min_notional: Decimal = Decimal(1)
    max_notional: Decimal = Decimal(100_000)
    taker_fee: Decimal = Decimal("0.0005")
    status: str = "1"
    api_allowed: bool = True
    side_type: int = 1
    order_types: tuple[str, ...] = ("LIMIT", "MARKET", "LIMIT_MAKER")
    hidden: bool = False
    refills: bool = True
    limit_min_notional: Decimal = Decimal(1)
    limit_max_notional: Decimal = Decimal(2_000_000)
    maker_fee: Decimal = ZERO
    ioc: bool = True
    price_band: Decimal | None = None
    closes: dict[int, Decimal] = field(default_factory=dict)
    update_ids: list[object] = field(default_factory=list)

    def move(self, factor: Decimal) -> None:
        self.last = self._priced(self.last * factor)
        self.bids = [(self._priced(price * factor), quantity) for price, quantity in self.bids]
        self.asks = [(self._priced(price * factor), quantity) for price, quantity in self.asks]

    def _priced(self, price: Decimal) -> Decimal:
        return floor_to(price, self.quote_precision)


def mntl(price: str = "0.002", *, base_precision: int = 0, level_quantity: str = "250000") -> Pair:
    """A synthetic MNTLUSDT, ten levels on either side, 0.1 % apart."""
    last = Decimal(price)
    gap = last / 1000
    quantity = Decimal(level_quantity)
    return Pair(
        symbol="MNTLUSDT",
        base="MNTL",
        last=last,
        bids=[(floor_to(last - gap * n, 7), quantity) for n in range(1, 11)],
        asks=[(floor_to(last + gap * n, 7), quantity) for n in range(1, 11)],
        base_precision=base_precision,
    )


class Funds:
    """What is held of one asset. Whoever sets *free* by hand makes a deposit or a withdrawal, which
    *told* gets to know: by how much both numbers changed, and why.
    """

    __slots__ = ("_free", "_locked", "told")

    def __init__(self, free: Decimal = ZERO, locked: Decimal = ZERO) -> None:
        self._free, self._locked = free, locked
        self.told: Callable[[Decimal, Decimal, str], None] | None = None

    @property
    def free(self) -> Decimal:
        return self._free

    @free.setter
    def free(self, free: Decimal) -> None:
        change, self._free = free - self._free, free
        self._tell(change, ZERO, "WITHDRAW" if change < 0 else "DEPOSIT")

    @property
    def locked(self) -> Decimal:
        return self._locked

    @locked.setter
    def locked(self, locked: Decimal) -> None:
        change, self._locked = locked - self._locked, locked
        self._tell(ZERO, change, "ENTRUST_PLACE" if change > 0 else "ENTRUST_UNFROZEN")

    def move(self, *, free: Decimal = ZERO, locked: Decimal = ZERO, kind: str) -> None:
        """Both change at once, for one reason."""
        self._free += free
        self._locked += locked
        self._tell(free, locked, kind)

    def _tell(self, free: Decimal, locked: Decimal, kind: str) -> None:
        if self.told is not None and (free or locked):
            self.told(free, locked, kind)


@dataclass(frozen=True, slots=True)
class Moved:
    """An asset's balance is *free* and *locked* now, each after its change."""

    account: "Account"
    asset: str
    free: Decimal
    free_change: Decimal
    locked: Decimal
    locked_change: Decimal
    kind: str


@dataclass(slots=True, kw_only=True)
class Account:
    """One key and what it holds. *pairs*: the key's own allow-list; None allows all.

    *zone*: the hidden pairs it may see. *refused* is what every request of the key is answered.
    *shown* replaces the balances while they are stale. *uid* is the number of the account that the
    key belongs to; None: each key has an account of its own. *told* gets each change of a balance;
    *unseen* are changes that REST does not show before their times.
    """

    api_key: str
    api_secret: str
    funds: dict[str, Funds] = field(default_factory=dict)
    permissions: frozenset[str] = ALL_NEEDED
    addresses: tuple[str, ...] = ()
    days_left: int | None = 89
    key_status: str = "VALID"
    pairs: frozenset[str] | None = None
    zone: frozenset[str] = frozenset()
    refused: Refused | None = None
    shown: "Staleness | None" = None
    uid: object = None
    told: Callable[[Moved], None] | None = None
    unseen: list[tuple[datetime, Moved]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for asset, funds in self.funds.items():
            funds.told = partial(self._moved, asset)

    def of(self, asset: str) -> Funds:
        if (funds := self.funds.get(asset)) is None:
            funds = self.funds[asset] = Funds()
            funds.told = partial(self._moved, asset)
        return funds

    def _moved(self, asset: str, free: Decimal, locked: Decimal, kind: str) -> None:
        if self.told is not None:
            now = self.funds[asset]
            self.told(Moved(self, asset, now.free, free, now.locked, locked, kind))

    def snapshot(self) -> dict[str, Funds]:
        return {asset: Funds(f.free, f.locked) for asset, f in self.funds.items()}


@dataclass(slots=True)
class Staleness:
    """Old balances, shown for so many more reads or until a moment, whichever lasts longer."""

    funds: dict[str, Funds]
    reads: int
    until: datetime


def floor_to(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN)


def missing(name: str) -> Refused:
    return Refused(
        700004, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )
