"""Detects balance changes that no order of ours explains. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.market.balances import Holdings, LastSeen
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, base_of
from engine.domain.orders.order import Order
from engine.domain.orders.settlement import shows
from engine.domain.streams.events import Cause

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
    *by_hand*: one coin was exchanged for the other. *cause* is what a stream told of all that moved.
    """

    seen: LastSeen
    moved: Sequence[BalanceChange] = ()
    cause: Cause | None = None

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
    """*amounts* by asset, each give or take its *room*; *fill* is the last order that is in them.
    *fees* in USDT are not known yet: they may have been taken in a token that was not traded.
    """

    amounts: Mapping[Asset, Decimal]
    room: Mapping[Asset, Decimal]
    fill: Order | None = None
    fees: Mapping[Asset, Decimal] = field(default_factory=dict)

    def lacking(self, holdings: Holdings) -> Sequence[Asset]:
        """The assets of which less is there than our own orders explain."""
        return [
            asset
            for asset, amount in self.amounts.items()
            if amount - holdings.of(asset).total > self.room[asset] + amount * _MUCH
        ]


def detect_changes(
    last: LastSeen | None,
    holdings: Holdings,
    *,
    assets: Sequence[Asset],
    dry_run: bool,
    fills: Sequence[Order],
    prices: Mapping[Asset, Decimal],
    now: datetime,
    certain: bool = False,
) -> ChangeFinding | None:
    """Compare balances of *assets*, which are USDT and what is traded, with the last ones; None if
    unchanged, or too early after a fill. *fills* are as of `expectation`, *prices* those of tokens
    that are known: they decide what is too small to report. Where it is *certain* that all fills are
    in the balances it is not too early.

    Assets that were not read before are taken as they are.
    """
    amounts = {asset: holdings.of(asset).total for asset in assets}
    seen = LastSeen(amounts, holdings.read_at)
    before = expectation(last, assets=assets, fills=fills)
    if last is None or before is None:
        return ChangeFinding(seen=seen)
    if not certain and _is_early(before, holdings, now=now):
        return None
    expected, room = before.amounts, dict(before.room)
    for asset in expected:
        if asset == USDT:
            room[asset] += _DUST
            continue
        price = prices.get(asset)
        room[asset] += _least(price, amounts[asset], expected[asset])
        if price is not None and price > ZERO:
            room[asset] += before.fees.get(asset, ZERO) / price
    moved = tuple(
        BalanceChange(
            at=holdings.read_at,
            dry_run=dry_run,
            asset=asset,
            before=expected[asset],
            after=amounts[asset],
        )
        for asset in assets
        if asset in expected and abs(amounts[asset] - expected[asset]) >= room[asset]
    )
    # Without a fill, dust stays where it is until there is enough of it to speak of.
    is_news = moved or before.fill is not None or not last.is_of(assets)
    return ChangeFinding(seen=seen, moved=moved) if is_news else None


def is_undecided(
    last: LastSeen | None,
    holdings: Holdings,
    *,
    assets: Sequence[Asset],
    fills: Sequence[Order],
    now: datetime,
    falls: bool = False,
) -> bool:
    """True if there is more USDT than expected, so soon after a fill that it may be no deposit; or
    less, where *falls* count.
    """
    before = expectation(last, assets=assets, fills=fills)
    if before is None or not _is_early(before, holdings, now=now):
        return False
    change = holdings.of(USDT).total - before.amounts[USDT]
    return (abs(change) if falls else change) >= before.room[USDT] + _DUST


def _is_early(before: Expectation, holdings: Holdings, *, now: datetime) -> bool:
    """True if balances still change by the last fill."""
    fill = before.fill
    if fill is None or fill.resolved_at is None:
        return False
    waits = SETTLED_AFTER if shows(holdings, fill) else _TOKEN_FOLLOWS_WITHIN
    return now - fill.resolved_at < waits


def expectation(
    last: LastSeen | None, *, assets: Sequence[Asset], fills: Sequence[Order]
) -> Expectation | None:
    """Returns the balances expected after our own orders, of those of *assets* that were read
    before; None if unknown. *fills* end with the last one, oldest first: without those before it,
    nothing counts but what was there when it was planned.
    """
    if last is None or USDT not in last.amounts:
        return None
    amounts = {asset: last.amounts[asset] for asset in assets if asset in last.amounts}
    room = dict.fromkeys(amounts, ZERO)
    since = [fill for fill in fills if fill.created_at >= last.at]
    if any(fill.resolved_at is None for fill in since):
        return None
    if not since:
        return Expectation(amounts, room)
    # Planned from balances that were compared just before: with the dust that was left out then.
    first = since[0]
    planned = {USDT: first.quote_before, base_of(first.symbol): first.base_before}
    amounts |= {asset: amount for asset, amount in planned.items() if asset in amounts}
    fees = dict.fromkeys(amounts, ZERO)
    for fill in since:
        base, done, sign = base_of(fill.symbol), fill.execution, 1 if fill.side is Side.BUY else -1
        came = {USDT: -sign * done.quote_amount, base: sign * done.base_quantity}
        for asset in amounts:
            amounts[asset] += came.get(asset, ZERO)
            room[asset] += abs(came.get(asset, ZERO)) * _FEE_ROOM
            if fill.fees is not None:
                amounts[asset] -= fill.fees.in_asset(asset)
            if asset not in came and (fill.fees is None or not fill.fees.complete):
                fees[asset] += done.quote_amount * _FEE_ROOM
    return Expectation(amounts, room, fill=since[-1], fees=fees)


def _least(price: Decimal | None, *amounts: Decimal) -> Decimal:
    """The smallest change of the token that is worth a word; never nothing at all."""
    if price is not None and price > ZERO:
        return _DUST / price
    return max(*amounts) * _MUCH or _DUST
