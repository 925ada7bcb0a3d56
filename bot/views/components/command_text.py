"""Settings as typed commands, for buttons and for undo hints."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from bot.parsing.execution import slippage_text
from bot.views.components.amounts import asset_amount, pair_name, threshold, usdt
from bot.views.components.layout import escape, listed
from bot.views.components.target_words import target_line
from bot.views.components.times import exactly
from engine.domain.accounts.risk_limits import AUTOMATIC, Limits
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.targets import notation
from engine.domain.targets.bands import Threshold
from engine.domain.targets.notation import (
    bands_text,
    crash_guard_text,
    schedule_text,
    span_text,
    target_text,
)
from engine.domain.targets.target import FixedUsdt

_FITS_A_BUTTON = re.compile(r"[A-Za-z0-9.]{1,15}", re.ASCII)
_MOST_PAIRS = 6
_UNITS = ((timedelta(hours=1), "h"), (timedelta(minutes=1), "m"))


def amount_text(amount: Decimal) -> str:
    return f"{plain(amount)}usdt"


def threshold_text(value: Threshold) -> str:
    return notation.threshold_text(value).replace(" USDT", "usdt")


def button_names(assets: Iterable[Asset]) -> Sequence[Asset]:
    """Those of *assets* that a button can carry."""
    return [token for token in assets if _FITS_A_BUTTON.fullmatch(token)]


def pair_texts(assets: Iterable[Asset], *, but: Symbol) -> Sequence[str]:
    """The pairs of the first *assets*, without the present one."""
    pairs = [f"{token}{USDT}" for token in button_names(assets)]
    return [pair for pair in pairs if pair != but][:_MOST_PAIRS]


def interval_text(duration: timedelta) -> str:
    for size, unit in _UNITS:
        if duration and duration % size == timedelta():
            return f"{duration // size}{unit}"
    return f"{duration // timedelta(seconds=1)}s"


def limits_text(limits: Limits) -> str:
    """All four; "auto" is derived from the target."""
    order = "auto" if limits.order is None else usdt(limits.order)
    day = "auto" if limits.day is None else usdt(limits.day)
    hour = limits.orders_per_hour or "auto"
    price = "auto" if limits.move is None else f"{plain(limits.move * 100)}%"
    return f"order {order}, day {day}, hour {hour}, price {price}"


def named(wish: SettingsPatch) -> list[tuple[str, str]]:
    """Return the labels of what the change is about, and their values in words."""
    return [(name, value) for name, value, _ in _parts(wish)]


def commands(wish: SettingsPatch, *, present: SettingsPatch | None = None) -> list[str]:
    """Return the commands that make the change; with *present*, only those that change something."""
    needed = [command for _, _, typed in _parts(wish) for command in typed]
    if present is None:
        return needed
    if present.pacing is not None:
        kept = [command for _, _, typed in _parts(present) for command in typed]
        needed = [command for command in needed if command not in kept]
    if wish.protected and not present.protected:
        needed.remove("/protect off")
    return needed


def _parts(  # noqa: C901 - one case a setting
    wish: SettingsPatch,
) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield the label of each changed setting, its value in words, and the commands that set it."""
    if wish.target is not None:
        is_amount = isinstance(wish.target, FixedUsdt)
        amount = target_text(wish.target).removesuffix(" USDT")
        other = escape(target_text(wish.target))
        typed = f"/settarget {amount}" if is_amount else f"/target {other}"
        yield "Target", escape(target_line(wish.target)), [typed]
    if wish.threshold is not None:
        typed = threshold_text(wish.threshold)
        yield "Threshold", threshold(wish.threshold), [f"/setthreshold {typed}"]
    if wish.interval_s is not None:
        interval = timedelta(seconds=wish.interval_s)
        yield "Interval", exactly(interval), [f"/setinterval {interval_text(interval)}"]
    if wish.symbol is not None:
        yield "Pair", escape(pair_name(wish.symbol)), [f"/setpair {escape(wish.symbol)}"]
    if wish.counting is not None:
        yield "Count", wish.counting.value, [f"/count {wish.counting.value}"]
    if wish.autonomy is not None:
        yield "Mode", wish.autonomy.value, [f"/mode {wish.autonomy.value}"]
    if wish.dry_run is not None:
        switch = "on" if wish.dry_run else "off"
        yield "Dry run", switch, [f"/dryrun {switch}"]
    yield from _around_target(wish)
    if wish.limits is not None:
        yield "Limits", limits_text(wish.limits), _limits_commands(wish.limits)
    if wish.execution is not None:
        yield "Orders", wish.execution.value, [f"/execution {wish.execution.value}"]
    if wish.slippage is not None:
        text = slippage_text(wish.slippage)
        yield "Slippage", text, [f"/slippage {text}"]


def _around_target(wish: SettingsPatch) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield the same of what is set around a target."""
    if (bands := wish.bands) is not None:
        text = escape(bands_text(bands))
        yield "Bands", text, ["/bands off", *([f"/bands {text}"] if bands else [])]
    if wish.scaled is not None:
        switch = "on" if wish.scaled else "off"
        yield "Scaled bands", switch, [f"/bands scale {switch}"]
    if wish.twice is not None:
        switch = "on" if wish.twice else "off"
        yield "Two looks", switch, [f"/bands twice {switch}"]
    if wish.destination is not None:
        chosen = wish.destination.chosen
        name = "usual" if chosen is None else chosen.value
        yield "Destination", name, [f"/destination {name}"]
    if (protected := wish.protected) is not None:
        each = [f"/protect {escape(asset)} {plain(units)}" for asset, units in protected.items()]
        text = listed(escape(asset_amount(units, asset)) for asset, units in protected.items())
        yield "Protected", text or "nothing", ["/protect off", *each]
    if (pacing := wish.pacing) is not None:
        schedule, rest = pacing.schedule, pacing.cooldown
        times = "off" if schedule is None else schedule_text(schedule, pacing.when)
        yield "Schedule", times, [f"/schedule {times}"]
        span = "off" if rest is None else span_text(rest)
        yield "Cool-down", span, [f"/cooldown {span}"]
        guard = "off" if pacing.crash_guard is None else crash_guard_text(pacing.crash_guard)
        yield "Crash guard", guard, [f"/crashguard {guard}"]


def _limits_commands(limits: Limits) -> list[str]:
    """One per limit, because /limits takes one at a time."""
    if limits == AUTOMATIC:
        return ["/limits auto"]
    values = {
        "order": None if limits.order is None else plain(limits.order),
        "day": None if limits.day is None else plain(limits.day),
        "hour": limits.orders_per_hour,
        "price": None if limits.move is None else f"{plain(limits.move * 100)}%",
    }
    return [f"/limits {name} {value or 'auto'}" for name, value in values.items()]
