"""What settings lead to: the band they imply, what the next check would do, what can never work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from bot.views.amounts import band_range, cents, pair_name, threshold, usdt
from bot.views.layout import escape, lines
from bot.views.moments import ago
from engine.domain.accounts import Account
from engine.domain.looks import Look, Ordered
from engine.domain.money import ONE, ceil_to_step, plain
from engine.domain.orders import Intent
from engine.domain.pairs import PairRules, base_of
from engine.domain.planner import smallest_order
from engine.domain.target import MAX_TARGET, Autonomy, Settings, ThresholdUnit

HALTED_FOR_ALL = (
    "The owner halted all chats of this bot: no order leaves until the halt is lifted."
)

_HOW = {
    Autonomy.AUTO: "would ",
    Autonomy.ASK: "would ask you first: ",
    Autonomy.NOTIFY: "would only tell you: ",
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """A setting that would work: `/command argument`."""

    command: str
    argument: str


@dataclass(frozen=True, slots=True)
class Caution:
    text: str
    remedies: Sequence[Remedy] = ()


def held_at(
    look: Look | None, settings: Settings, *, order: Intent | None = None
) -> Decimal | None:
    """What is held as far as known, counted as the settings say now.

    A check that sent an order saw the balance before it: then only *order* can tell.
    """
    if look is None or look.seen is None:
        return None
    if isinstance(look.verdict, Ordered):
        if order is None or order.client_order_id != look.verdict.client_order_id:
            return None
        return order.quote_after
    return look.seen.quote.counted(settings.counting)


def seen_line(look: Look | None, *, held: Decimal | None, now: datetime) -> str | None:
    """How old the balance is from which the next step was told."""
    return f"(Balance seen {ago(now - look.at)}.)" if look and held is not None else None


def band_line(settings: Settings) -> str:
    return f"Band {band_range(settings.band)} (±{threshold(settings.threshold)})"


def next_step(account: Account, *, held: Decimal | None, rules: PairRules | None) -> str:
    """One or two sentences on the next check, told from the balance seen last."""
    if not account.can_trade:
        return "No key is connected yet: nothing is checked until you send /connect."
    if account.halted:
        return HALTED_FOR_ALL
    if account.settings.paused:
        return lines(
            "Trading is paused: no order leaves.",
            f"After /resume the first check {_would(account, held=held, rules=rules)}",
        )
    return f"The next check {_would(account, held=held, rules=rules)}"


def caution(settings: Settings, *, rules: PairRules | None) -> Caution | None:
    """A warning where the band is narrower than the smallest order, or has no lower edge."""
    reach = settings.threshold.in_quote(settings.target)
    if rules is not None and reach < (smallest := smallest_order(rules)):
        return Caution(
            f"⚠️ This band can never trade at its edge: it reaches {usdt(reach)} from the target, "
            f"but MEXC takes orders for {escape(pair_name(settings.symbol))} "
            f"only from {usdt(smallest)}. Smaller drifts are left alone.",
            _remedies(settings, smallest=smallest),
        )
    if reach >= settings.target:
        return Caution(
            f"⚠️ This band reaches down to 0.00 USDT, so nothing would ever be sold. "
            f"A threshold under {usdt(settings.target)} would work.",
            (Remedy("setthreshold", "5%"),),
        )
    return None


def _would(account: Account, *, held: Decimal | None, rules: PairRules | None) -> str:
    settings = account.settings
    if held is None:
        return "reads your balance and decides."
    if settings.band.holds(held):
        return f"would do nothing: the {usdt(held)} seen last is inside the band."
    base = escape(base_of(settings.symbol))
    amount = abs(held - settings.target)
    if rules is not None and amount < (smallest := smallest_order(rules)):
        return (
            f"would do nothing: {usdt(amount)} is less than MEXC's smallest order, "
            f"{usdt(smallest)}."
        )
    verb = "buy" if held > settings.target else "sell"
    limit = account.limits_in_force.order
    if amount > limit:
        return (
            f"would send nothing: to {verb} {base} for about {usdt(amount)} is over your limit of "
            f"{usdt(limit)} an order. {allow_order(amount)}"
        )
    seen = f"{usdt(held)} seen last, target {cents(settings.target)}"
    return f"{_HOW[settings.autonomy]}{verb} {base} for about {usdt(amount)} ({seen})."


def allow_order(amount: Decimal) -> str:
    """How to let one order of that size through."""
    return f"/limits order {plain(ceil_to_step(amount, ONE))} would allow it."


def _remedies(settings: Settings, *, smallest: Decimal) -> Sequence[Remedy]:
    remedies = []
    if smallest < settings.target:
        remedies.append(Remedy("setthreshold", f"{plain(smallest)}usdt"))
        percent = (smallest / settings.target * 100).to_integral_value(ROUND_CEILING)
        if percent < 100:  # noqa: PLR2004 - per cent
            remedies.append(Remedy("setthreshold", f"{plain(percent)}%"))
    if settings.threshold.unit is ThresholdUnit.FRACTION:
        target = (smallest / settings.threshold.value).to_integral_value(ROUND_CEILING)
        if target <= MAX_TARGET:
            remedies.append(Remedy("settarget", plain(target)))
    return remedies
