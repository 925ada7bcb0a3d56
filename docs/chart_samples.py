"""Lines to draw: long and short, flat, with a gap, with a crash to nearly nothing."""  # noqa: INP001 - beside the documents, no package

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from bot.views.charts.allocation_chart import AllocationChart, Part
from bot.views.charts.drift_chart import BandSince, DriftChart
from bot.views.charts.frame import Words
from bot.views.charts.series import Sample, Trade, Transfer
from bot.views.charts.value_chart import ValueChart
from bot.views.components.amounts import about_percent, short
from engine.domain.market.pairs import Side

UNTIL = datetime(2026, 11, 30, 12, 7, tzinfo=UTC)
_HOUR = timedelta(hours=1)


def walk(count: int, *, start: str = "1000", swing: float = 0.012, seed: int = 1) -> list[Sample]:
    """*count* hours that end now."""
    chance = random.Random(seed)  # noqa: S311 - a picture, no secret
    steps = (Decimal(str(round(1 + chance.gauss(0, swing), 6))) for _ in range(count - 1))
    values = accumulate(steps, lambda value, step: value * step, initial=Decimal(start))
    return over_hours([value.quantize(Decimal("0.0001")) for value in values])


def over_hours(values: Sequence[Decimal]) -> list[Sample]:
    begin = UNTIL - _HOUR * (len(values) - 1)
    return [Sample(begin + _HOUR * place, value) for place, value in enumerate(values)]


def only_held(account: Sequence[Sample]) -> list[Sample]:
    parts = walk(len(account), start="1", swing=0.0012, seed=2)
    return [
        Sample(one.at, one.value * part.value) for one, part in zip(account, parts, strict=True)
    ]


def some_trades(line: Sequence[Sample], count: int) -> list[Trade]:
    chance = random.Random(3)  # noqa: S311
    moments = sorted(chance.choice(line).at for _ in range(count))
    return [Trade(at, chance.choice(list(Side))) for at in moments]


def value(
    account: Sequence[Sample],
    *,
    trades: int = 0,
    transfers: Sequence[Transfer] = (),
    mode: str = "LIVE",
    gained: bool | None = None,
    with_held: bool = True,
) -> ValueChart:
    return ValueChart(
        words=Words(
            f"{account[-1].value:,.2f} USDT", "+43.6%", "in 90 days · only holding +42.7%", mode
        ),
        account=account,
        held=only_held(account) if with_held else (),
        trades=some_trades(account, trades),
        transfers=transfers,
        gained=gained,
    )


def drift(samples: Sequence[Sample], *, bands: Sequence[BandSince] = ()) -> DriftChart:
    band = BandSince(UNTIL - timedelta(days=999), Decimal(38), Decimal(40), Decimal(42))
    outside = [one for one in samples if not band.low <= one.value <= band.high]
    return DriftChart(
        words=Words(
            f"{short(samples[-1].value)} USDT", "target 40", "· inside the band 97%", "DRY RUN"
        ),
        samples=samples,
        bands=bands or [band],
        shown=short,
        trades=[
            Trade(one.at, Side.BUY if one.value > band.high else Side.SELL) for one in outside
        ],
    )


def around_target(count: int, *, seed: int = 1) -> list[Sample]:
    """As a bot holds it: what leaves the band is traded back to the target."""
    chance = random.Random(seed)  # noqa: S311
    now, values = Decimal(40), []
    for _ in range(count):
        now = Decimal(40) if abs(now - 40) > 2 else now  # noqa: PLR2004
        now = (now * Decimal(str(round(1 + chance.gauss(0, 0.012), 6)))).quantize(Decimal("0.01"))
        values.append(now)
    return over_hours(values)


def _crash() -> list[Sample]:
    fallen = [
        one.value * max(Decimal("0.002"), Decimal("0.9") ** max(0, place - 500))
        for place, one in enumerate(walk(720, seed=9))
    ]
    return over_hours(fallen)


def _with_gap(samples: list[Sample]) -> list[Sample]:
    return samples[: len(samples) // 2] + samples[len(samples) // 2 + len(samples) // 9 :]


LONG = walk(5000, seed=4)
VALUES = {
    "value": value(
        walk(2160),
        trades=11,
        transfers=[Transfer(UNTIL - 40 * 24 * _HOUR, Decimal(150))],
        gained=True,
    ),
    "value-1-point": value(walk(1)),
    "value-10-points": value(walk(10, seed=6), trades=2, gained=False),
    "value-5000-points": value(
        LONG,
        trades=300,
        transfers=[Transfer(LONG[i].at, Decimal(i - 1500)) for i in (400, 900, 1300, 2500, 4900)],
        mode="DRY RUN",
        gained=True,
    ),
    "value-flat": value(over_hours([Decimal("240.82")] * 168), with_held=False),
    "value-gap": value(_with_gap(walk(720, seed=8)), trades=20, gained=False),
    "value-crash": value(_crash(), trades=9, gained=True),
    "value-large": value(walk(720, start="12345678.9", seed=9), trades=39, gained=True),
}
_LONG_DRIFT = around_target(5000, seed=2)
DRIFTS = {
    "drift": drift(around_target(720)),
    "drift-1-point": drift(around_target(1)),
    "drift-10-points": drift(
        over_hours([Decimal(v) for v in (40, 41, 43, 40, 39, 37, 40, 40, 41, 41)])
    ),
    "drift-5000-points": drift(
        [*_LONG_DRIFT[:2000], Sample(_LONG_DRIFT[2000].at, Decimal("57.1")), *_LONG_DRIFT[2001:]],
        bands=[
            BandSince(_LONG_DRIFT[0].at, Decimal(38), Decimal(40), Decimal(42)),
            BandSince(_LONG_DRIFT[3000].at, Decimal(36), Decimal(40), Decimal(44)),
        ],
    ),
    "drift-flat": drift(over_hours([Decimal(40)] * 24)),
    "drift-gap": drift(_with_gap(around_target(168, seed=5))),
    "drift-crash": drift(over_hours([Decimal(40)] * 300 + [Decimal("0.01")] * 200)),
}
SHARES = AllocationChart(
    words=Words("240.82 USDT", "USDT 17%", "target 40 (38 to 42)", "LIVE"),
    share=about_percent,
    parts=[
        Part("MNTL", Decimal("199.82"), "199.82 USDT"),
        Part("USDT", Decimal(41), "41.00 USDT", Decimal(38), Decimal(40), Decimal(42)),
    ],
)
