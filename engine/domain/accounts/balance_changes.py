"""Detects balance changes that no order of ours explains. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.market.balances import Holdings, LastSeen
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, Symbol, base_of
from engine.domain.orders.order import Order
from engine.domain.orders.settlement import shows

# Balances keep changing for a while after a fill, the token's at times longer than USDT.
SETTLED_AFTER = timedelta(seconds=15)
_TOKEN_FOLLOWS_WITHIN = timedelta(minutes=1)
_DUST = Decimal("0.01")
# Of a fill: its fee may come in the token, in USDT or in neither, and is not always known.
_FEE_ROOM = Decimal("0.005")
# The smallest change that counts where the token's price is unknown.
_MUCH = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChange:
    """*asset* went from *before* to *after*, and no order of ours explains it."""

    at: datetime
    dry_run: bool
    asset: Asset
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFinding:
    """Balances newly *seen*, and what *moved* without an order.
    *by_hand*: one coin was exchanged for the other.
    """

    seen: LastSeen
    moved: Sequence[BalanceChange] = ()

    @property
    def by_hand(self) -> bool:
        return len({movement.change > ZERO for movement in self.moved}) > 1

    @property
    def arrived(self) -> Decimal:
        """The USDT that came in, and for which nothing went out."""
        moved = self.of(USDT)
        return ZERO if moved is None or self.by_hand else max(moved.change, ZERO)

    def of(self, asset: Asset) -> BalanceChange | None:
        return next((movement for movement in self.moved if movement.asset == asset), None)


@dataclass(frozen=True, slots=True)
class Expectation:
    """*amounts* by asset, each give or take its *room*; *fill* is the order that is in them."""

    amounts: Mapping[Asset, Decimal]
    room: Mapping[Asset, Decimal]
    fill: Order | None = None


@dataclass(frozen=True, slots=True)
class Several:
    """The tokens of a target that names them, their *prices* as far as they are known, and all
    *fills* since the balances were seen last, the oldest first.
    """

    tokens: Sequence[Asset]
    prices: Mapping[Asset, Decimal] = field(default_factory=dict)
    fills: Sequence[Order] = ()


def detect_changes(
    last: LastSeen | None,
    holdings: Holdings,
    *,
    symbol: Symbol,
    dry_run: bool,
    last_fill: Order | None,
    price: Decimal | None = None,
    now: datetime,
    several: Several | None = None,
) -> ChangeFinding | None:
    """Compare balances with the last ones; None if unchanged, or too early after a fill.
    *price* is the token's, if known: it decides what is too small to report.

    Assets that were not read before are taken as they are. *several* replaces the pair's token.
    """
    tokens = (base_of(symbol),) if several is None else several.tokens
    prices = {tokens[0]: price} if several is None else several.prices
    amounts = {asset: holdings.of(asset).total for asset in (USDT, *tokens)}
    seen = LastSeen(amounts, holdings.read_at)
    before = expectation(last, symbol=symbol, last_fill=last_fill, several=several)
    if before is None:
        return ChangeFinding(seen=seen)
    if _is_early(before, holdings, now=now):
        return None
    expected, room = before.amounts, dict(before.room)
    room[USDT] += _DUST
    for token in tokens:
        room[token] += _least(prices.get(token), amounts[token], expected[token])
    moved = tuple(
        BalanceChange(
            at=holdings.read_at,
            dry_run=dry_run,
            asset=asset,
            before=expected[asset],
            after=amounts[asset],
        )
        for asset in (USDT, *tokens)
        if abs(amounts[asset] - expected[asset]) >= room[asset]
    )
    # Without a fill, dust stays where it is until there is enough of it to speak of.
    return ChangeFinding(seen=seen, moved=moved) if moved or before.fill is not None else None


def is_undecided(
    last: LastSeen | None,
    holdings: Holdings,
    *,
    symbol: Symbol,
    last_fill: Order | None,
    now: datetime,
) -> bool:
    """True if there is more USDT than expected, so soon after a fill that it may be no deposit."""
    before = expectation(last, symbol=symbol, last_fill=last_fill)
    if before is None or not _is_early(before, holdings, now=now):
        return False
    return holdings.of(USDT).total - before.amounts[USDT] >= before.room[USDT] + _DUST


def _is_early(before: Expectation, holdings: Holdings, *, now: datetime) -> bool:
    """True if balances still change by the last fill."""
    fill = before.fill
    if fill is None or fill.resolved_at is None:
        return False
    waits = SETTLED_AFTER if shows(holdings, fill) else _TOKEN_FOLLOWS_WITHIN
    return now - fill.resolved_at < waits


def expectation(
    last: LastSeen | None,
    *,
    symbol: Symbol,
    last_fill: Order | None,
    several: Several | None = None,
) -> Expectation | None:
    """Returns the balances expected after our own orders; None if unknown."""
    tokens = (base_of(symbol),) if several is None else several.tokens
    if last is None or last.amounts.keys() != {USDT, *tokens}:
        return None
    known: Sequence[Order] = () if last_fill is None else (last_fill,)
    if several is not None and several.fills:
        known = several.fills
    fills = [fill for fill in known if fill.created_at >= last.at]
    if not all(base_of(fill.symbol) in tokens and fill.resolved_at for fill in fills):
        return None
    amounts, room = dict(last.amounts), dict.fromkeys(last.amounts, ZERO)
    for fill in fills:
        after = _after(fill, base_of(fill.symbol))
        amounts |= after.amounts
        room |= after.room
    return Expectation(amounts, room, fill=fills[-1] if fills else None)


def _after(fill: Order, base: Asset) -> Expectation:
    """Returns the balances after *fill*, and how far its fees may differ."""
    done, sign = fill.execution, 1 if fill.side is Side.BUY else -1
    expected = {
        USDT: fill.quote_before - sign * done.quote_amount,
        base: fill.base_before + sign * done.base_quantity,
    }
    for asset in expected:
        if fill.fees is not None:
            expected[asset] -= fill.fees.in_asset(asset)
    room = {USDT: done.quote_amount * _FEE_ROOM, base: done.base_quantity * _FEE_ROOM}
    return Expectation(expected, room=room, fill=fill)


def _least(price: Decimal | None, *amounts: Decimal) -> Decimal:
    """The smallest change of the token that is worth a word; never nothing at all."""
    if price is not None and price > ZERO:
        return _DUST / price
    return max(*amounts) * _MUCH or _DUST
