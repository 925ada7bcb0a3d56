"""Formats amounts: with their unit and thousands separators, never with an exponent."""

from decimal import Decimal

from engine.domain.accounts.settings import Band
from engine.domain.market.decimals import ZERO, floor_to_step, plain
from engine.domain.market.pairs import USDT, Asset, Symbol, base_of
from engine.domain.targets.bands import Threshold

_SIGNIFICANT_DIGITS = 4
_CENT = Decimal("0.01")
# For a balance whose pair's precision is not known: 18 decimals, as MEXC sends, are too many.
_COARSE_STEP, _FINE_STEP = Decimal("0.01"), Decimal("0.00000001")
_MANY, _MILLION = 1000, 1_000_000
# A distance is told in percent of the target below that many times the target.
_TIMES_FROM = 10


def cents(amount: Decimal) -> str:
    """USDT without its unit, for a line that has named it: 1,234.50."""
    text = f"{amount:,.2f}"
    return text.removeprefix("-") if text == "-0.00" else text


def signed(amount: Decimal) -> str:
    """USDT without its unit, with its sign: +1.31, -0.53, 0.00."""
    text = f"{amount:+,.2f}"
    return text[1:] if text in {"+0.00", "-0.00"} else text


def signed_percent(fraction: Decimal) -> str:
    text = f"{fraction * 100:+,.1f}%"
    return text[1:] if text in {"+0.0%", "-0.0%"} else text


def short(amount: Decimal) -> str:
    """USDT without its unit and without empty cents: 40, 40.50."""
    return cents(amount).removesuffix(".00")


def brief(amount: Decimal, *, like: Decimal | None = None) -> str:
    """USDT without its unit, with the digits that an amount *like* this one has room for: 1.25M."""
    size = abs(amount if like is None else like)
    if size >= _MILLION:
        return f"{amount / _MILLION:,.2f}M"
    return f"{amount:,.0f}" if size >= _MANY else cents(amount)


def usdt(amount: Decimal) -> str:
    return f"{cents(amount)} USDT"


def quantity(amount: Decimal) -> str:
    """All digits: an executed quantity already has the pair's precision."""
    return _trimmed(f"{amount:,f}")


def tokens(amount: Decimal, asset: Asset) -> str:
    return f"{quantity(amount)} {asset}"


def asset_amount(amount: Decimal, asset: Asset) -> str:
    """With its unit; a balance is rounded down."""
    return usdt(amount) if asset == USDT else f"{balance(amount)} {asset}"


def balance(amount: Decimal, *, step: Decimal | None = None) -> str:
    """A balance rounded down to the pair's *step*, or to something readable without one."""
    if step is None:
        step = _COARSE_STEP if amount >= _MANY else _FINE_STEP
    return quantity(floor_to_step(amount, step))


def price(value: Decimal, *, step: Decimal | None = None) -> str:
    """Four significant digits, or cents where those say more; no finer than the pair's *step*."""
    if value <= ZERO:
        return "0"
    decimals = max(2, _SIGNIFICANT_DIGITS - 1 - value.adjusted())
    if step is not None:
        decimals = min(decimals, max(0, -int(step.normalize().as_tuple().exponent)))
    return _trimmed(f"{value:,.{decimals}f}")


def percent(fraction: Decimal) -> str:
    """Exact: 0.05 -> 5%."""
    return f"{quantity(fraction * 100)}%"


def about_percent(fraction: Decimal) -> str:
    return f"{_trimmed(f'{fraction * 100:,.1f}')}%"


def precise_percent(fraction: Decimal) -> str:
    """To the basis point: what a trade costs is well under a percent."""
    return f"{_trimmed(f'{fraction * 100:,.2f}')}%"


def drift(held: Decimal, *, target: Decimal) -> str:
    """How far from the target, with its sign: +42.8%; 126 × the target where that is more to say."""
    times = held / target
    if times >= _TIMES_FROM:
        return f"{times:,.0f} × the target"
    text = f"{(times - 1) * 100:+,.1f}"
    return "0%" if text in {"+0.0", "-0.0"} else f"{text}%"


def fee(amount: Decimal, asset: Asset) -> str:
    """A commission; one below a cent of USDT still is one."""
    if asset != "USDT":
        return f"{balance(amount)} {asset}"
    return usdt(amount) if amount >= _CENT / 2 else "under 0.01 USDT"


def threshold(value: Threshold) -> str:
    if value.quote_amount is not None:
        return usdt(value.quote_amount)
    points = [] if value.points is None else [f"{plain(value.points * 100)} points"]
    relative = [] if value.relative is None else [percent(value.relative)]
    return " or ".join([*points, *relative])


def band_range(band: Band) -> str:
    return f"{cents(band.low)} – {usdt(band.high)}"


def pair_name(symbol: Symbol) -> str:
    return f"{base_of(symbol)}/USDT"


def count(number: int, one: str, many: str, **values: str) -> str:
    """The sentence for *number* of a thing: {n} is the number, *values* fill the other holes."""
    return (one if number == 1 else many).format(n=f"{number:,}", **values)


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
