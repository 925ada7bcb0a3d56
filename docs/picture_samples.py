"""Accounts that were never there, drawn as `/chart` draws one: what comes in and goes out is made
up, the rest is reckoned as for an account. Long and short ones, flat ones, gaps, a crash.
"""  # noqa: INP001 - beside the documents, no package

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import cast

from bot.interaction.callback_data import ChartKind, ChartPage
from bot.views.chart import Picture, chart_view
from bot.views.charts.theme import Theme
from docs.story import ACCOUNT
from engine.accounts.profit import SpanReport
from engine.domain.accounts.account import Account
from engine.domain.accounts.band_history import PastBand
from engine.domain.accounts.settings import Settings
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import ClientOrderId
from engine.domain.profit.entries import Change, PriceLine, Prices, Trade
from engine.domain.profit.report import ProfitReport, profit
from engine.domain.profit.spans import Span
from engine.domain.profit.steps import Held
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt

_UNTIL = datetime(2026, 11, 30, 12, 7, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_FEE = Decimal("0.0005")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """*hours* of an account with *tokens* beside its target. *swing* is how far its price moves in
    an hour; every *moves* hours some USDT comes or goes, *most* of the target at most.
    """

    hours: int = 720
    tokens: int = 90_000
    price: str = "0.002"
    swing: float = 0.008
    moves: int = 40
    most: float = 0.6
    seed: int = 1
    settings: Settings = ACCOUNT.settings
    before: Settings | None = None
    span: Span = Span.MONTH
    gap: range = range(0)
    crash: int | None = None

    @property
    def account(self) -> Account:
        return replace(ACCOUNT, settings=self.settings)

    @property
    def begin(self) -> datetime:
        return _UNTIL - _HOUR * self.hours

    @property
    def bands(self) -> Sequence[PastBand]:
        """Those of *before*, if there are some, in the first 60 hours of 100."""
        changed_at = self.begin + _HOUR * (self.hours * 6 // 10)
        halves = [(self.begin, self.before), (changed_at, self.settings)]
        if self.before is None:
            halves = [(self.begin, self.settings)]
        return [
            PastBand(at, one.fixed_goal.target, one.fixed_goal.band)
            for at, one in halves
            if one is not None
        ]

    def prices(self) -> PriceLine:
        chance, price = random.Random(self.seed), Decimal(self.price)  # noqa: S311 - no secret
        known = []
        for hour in range(self.hours):
            price *= Decimal(str(round(1 + chance.gauss(0, self.swing), 6)))
            if self.crash is not None and hour >= self.crash:
                price = max(price * Decimal("0.8"), Decimal(self.price) / 2000)
            if hour not in self.gap:
                known.append((self.begin + _HOUR * hour, price.quantize(Decimal("1e-12"))))
        return PriceLine([at for at, _ in known], [price for _, price in known])

    @cache  # noqa: B019 - some twenty, all of them kept
    def report(self) -> SpanReport:
        line, base = self.prices(), Asset(self.settings.symbol.removesuffix(USDT))
        events, now = self._played(line, base)
        prices = Prices({base: line})
        found = profit(events, now=now, prices=prices, since=self.begin, until=_UNTIL)
        return SpanReport(cast("ProfitReport", found), self.begin, priced_now=True)

    def draw(self, kind: ChartKind, theme: Theme) -> Picture:
        return chart_view(
            account=self.account,
            found=self.report(),
            bands=self.bands,
            page=ChartPage(kind, self.span),
            theme=theme,
        )

    def _played(self, line: PriceLine, base: Asset) -> tuple[Sequence[Change | Trade], Held]:
        """USDT comes or goes; what is outside the band then is traded an hour or two later."""
        chance, events = random.Random(self.seed + 100), list[Change | Trade]()  # noqa: S311
        now, due = Held(base, self.bands[0].target, Decimal(self.tokens)), None
        for at, price in zip(line.times, line.closes, strict=True):
            band = next(one for one in reversed(self.bands) if one.at <= at)
            if self.moves and not chance.randrange(self.moves):
                part = Decimal(str(round(chance.uniform(-0.8 * self.most, self.most), 3)))
                moved = replace(now, quote=now.quote + band.target * part)
                events.append(Change(at, USDT, now.quote, moved.quote, price))
                now = moved
            elif due is None and not band.band.holds(now.quote):
                due = at + _HOUR * chance.randrange(2)
            if due is not None and at >= due:
                trade = self._trade(at, price, now, target=band.target)
                way = 1 if trade.side is Side.BUY else -1
                paid = way * trade.quote + trade.fees[USDT]
                now = Held(base, now.quote - paid, now.base + way * trade.quantity)
                events.append(trade)
                due = None
        return events, now

    def _trade(self, at: datetime, price: Decimal, now: Held, *, target: Decimal) -> Trade:
        quantity = abs(now.quote - target) / price // 1
        return Trade(
            ClientOrderId(f"o{at:%d%H}"),
            at,
            self.settings.symbol,
            Side.BUY if now.quote > target else Side.SELL,
            quantity,
            quantity * price,
            price,
            {USDT: quantity * price * _FEE},
            fees_complete=True,
            quote_before=now.quote,
            base_before=now.base,
        )


def _settings(
    target: str, threshold: str = "0.05", *, symbol: str = "MNTLUSDT", dry_run: bool = False
) -> Settings:
    return replace(
        ACCOUNT.settings,
        target=FixedUsdt(Decimal(target)),
        threshold=Threshold(relative=Decimal(threshold)),
        symbol=Symbol(symbol),
        dry_run=dry_run,
    )


_MONTH = Sample(seed=14)
_LONG = Sample(
    hours=5000,
    moves=60,
    seed=7,
    swing=0.004,
    settings=_settings("60", "0.1", dry_run=True),
    before=_settings("40", dry_run=True),
    span=Span.ALL,
)
_SAMPLES: Mapping[str, tuple[str, Sample]] = {
    "month": ("A month", _MONTH),
    "5000": ("5,000 hours, a new target and a wider band", _LONG),
    "gap": ("Two days of which nothing is known", Sample(seed=3, gap=range(400, 448))),
    "crash": ("The token loses nearly all", Sample(seed=5, crash=500)),
    "day": ("Ten hours", Sample(hours=10, seed=9, moves=4, span=Span.DAY)),
    "first": ("The first minutes", Sample(hours=1, moves=0)),
    "flat": ("Nothing moves", Sample(hours=168, swing=0, moves=0, span=Span.WEEK)),
    "huge": (
        "A large account",
        Sample(seed=13, tokens=9_000_000_000, settings=_settings("2500000", "0.02")),
    ),
    "tiny": (
        "A small account, a token with a long name",
        Sample(
            seed=15,
            tokens=4_000_000,
            price="0.0000002",
            settings=_settings("0.35", "0.2", symbol="1000000MOGCOINXUSDT"),
        ),
    ),
}
# What is held looks like what was held an hour ago: some are enough.
_WITH_HOLDINGS = {"month", "huge", "tiny"}
PICTURES: Mapping[str, tuple[str, Callable[[Theme], Picture]]] = {
    f"{name}-{kind.value}": (f"{title}: {kind.value}", partial(sample.draw, kind))
    for name, (title, sample) in _SAMPLES.items()
    for kind in ChartKind
    if kind is not ChartKind.HOLDINGS or name in _WITH_HOLDINGS
}
