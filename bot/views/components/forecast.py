"""Forecasts the effect of settings: the band, the next check, and what can never work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from bot.views.components.amounts import (
    band_range,
    cents,
    pair_name,
    price,
    threshold,
    tokens,
    usdt,
)
from bot.views.components.layout import escape, lines
from bot.views.components.no_trade_reasons import allow_order, reason_text
from bot.views.components.times import ago
from engine.domain.accounts.account import Account
from engine.domain.accounts.deposits import held_back
from engine.domain.accounts.settings import MAX_TARGET, Settings, ThresholdUnit, TradingMode
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import PairRules, Side, base_of
from engine.domain.orders.order import Order
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, OrderPlaced
from engine.domain.rebalancing.forecast import Forecast
from engine.domain.rebalancing.planner import (
    DepositWaits,
    InsideBand,
    LimitKind,
    MarketBuy,
    OverLimit,
    ProposedOrder,
    smallest_order,
)
from engine.domain.rebalancing.trade_size import worth_of
from engine.rebalancing.preview import Foreseen, Outlook

HALTED_FOR_ALL = (
    "The owner halted all chats of this bot: no order leaves until the halt is lifted."
)

_HOW = {
    TradingMode.AUTO: "would ",
    TradingMode.ASK: "would ask you first: ",
    TradingMode.NOTIFY: "would only tell you: ",
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
    look: CheckResult | None, settings: Settings, *, order: Order | None = None
) -> Decimal | None:
    """Return the balance as far as it is known, by the current settings.
    A check that sent an order read the balance before it: then only *order* has the new one.
    """
    if look is None or look.seen is None:
        return None
    if isinstance(look.verdict, OrderPlaced):
        if order is None or order.client_order_id != look.verdict.client_order_id:
            return None
        return order.quote_after
    return look.seen.quote.counted(settings.counting)


def band_line(settings: Settings) -> str:
    return f"Band {band_range(settings.band)} (±{threshold(settings.threshold)})"


def next_step(
    account: Account,
    *,
    held: Decimal | None,
    rules: PairRules | None,
    foreseen: Foreseen | None = None,
) -> str:
    """What the next check does, in one or two sentences.
    With *foreseen* from the current order book, otherwise from the last known balance.
    """
    if not account.can_trade:
        return "No key is connected yet: nothing is checked until you send /connect."
    if account.halted:
        return HALTED_FOR_ALL
    would = (
        _would(account, held=held, rules=rules)
        if foreseen is None
        else _foreseen(account, foreseen)
    )
    unreachable = out_of_reach(account.settings, foreseen.seen if foreseen else None)
    if account.settings.paused:
        first = f"After /resume the first check {would}"
        return lines("Trading is paused: no order leaves.", first, unreachable)
    return lines(f"The next check {would}", unreachable)


def next_check(account: Account, outlook: Outlook, *, now: datetime) -> str:
    """What the next check does, and how old the balance is that says so."""
    look, held = outlook.look, held_at(outlook.look, account.settings)
    return lines(
        next_step(account, held=held, rules=outlook.rules, foreseen=outlook.foreseen),
        f"(Balance seen {ago(now - look.at)}.)" if look and held is not None else None,
    )


def out_of_reach(settings: Settings, seen: BalanceSnapshot | None) -> str | None:
    """A target above the account's worth can never be reached; None if the worth is not known."""
    worth = None if seen is None else _worth(seen)
    if worth is None or settings.target <= worth:
        return None
    base = escape(base_of(settings.symbol))
    return (
        f"⚠️ You cannot reach the target of {usdt(settings.target)}: all your USDT and {base} "
        f"together are worth about {usdt(worth)}."
    )


def caution(
    settings: Settings, *, rules: PairRules | None, seen: BalanceSnapshot | None = None
) -> Caution | None:
    """A warning if the band is narrower than the smallest order, or has no lower edge.
    With *seen* no target is proposed that is more than the account owns.
    """
    reach = settings.threshold.in_quote(settings.target)
    if rules is not None and reach < (smallest := smallest_order(rules)):
        return Caution(
            f"⚠️ This band can never trade at its edge: it reaches {usdt(reach)} from the target, "
            f"but MEXC takes orders for {escape(pair_name(settings.symbol))} "
            f"only from {usdt(smallest)}. Smaller drifts are left alone.",
            _remedies(settings, smallest=smallest, worth=_worth(seen) if seen else None),
        )
    if reach >= settings.target:
        return Caution(
            f"⚠️ This band reaches down to 0.00 USDT, so nothing would ever be sold. "
            f"A threshold under {usdt(settings.target)} would work.",
            (Remedy("setthreshold", "5%"),),
        )
    return None


def warning_of(settings: Settings, outlook: Outlook) -> Caution | None:
    seen = outlook.look.seen if outlook.look else None
    return caution(settings, rules=outlook.rules, seen=seen)


def price_note(order: ProposedOrder, forecast: Forecast, *, rules: PairRules) -> str | None:
    """Why less than the requested amount is traded."""
    base = escape(rules.base)
    if isinstance(order, MarketBuy):
        if not forecast.complete:
            return (
                f"⚠️ Only {usdt(forecast.quote_amount)} of {usdt(order.quote_amount)}: no more "
                f"{base} is for sale within 5% of the last price."
            )
        if usdt(forecast.quote_amount) == usdt(order.quote_amount):
            return None
        return sizing_note(order.quote_amount, spent=forecast.quote_amount)
    if forecast.complete:
        return None
    return (
        f"⚠️ Only {tokens(forecast.base_quantity, rules.base)} of "
        f"{tokens(order.base_quantity, rules.base)}: nobody buys more within 5% of the last price."
    )


def sizing_note(asked: Decimal, *, spent: Decimal) -> str:
    return (
        f"I ask for {cents(asked)}; MEXC sizes a buy by a price 5% above the "
        f"last one, so it spends {cents(spent)}."
    )


def _foreseen(account: Account, foreseen: Foreseen) -> str:
    plan, settings = foreseen.plan, account.settings
    if plan.order is None or foreseen.forecast is None:
        if plan.reason is None or isinstance(plan.reason, InsideBand):
            return f"would do nothing: the {usdt(plan.held)} seen last is inside the band."
        return f"would send nothing. {reason_text(plan.reason, symbol=settings.symbol)}"
    verb = "buy" if plan.order.side is Side.BUY else "sell"
    base = escape(base_of(settings.symbol))
    broken = foreseen.reason
    if isinstance(broken, OverLimit) and broken.kind is LimitKind.ORDER:
        return _over_order_limit(
            verb, base, amount=plan.order.expected_quote, limit=broken.allowed
        )
    if broken is not None:
        return f"would send nothing. {reason_text(broken, symbol=settings.symbol)}"
    comes_to, rules = foreseen.forecast, foreseen.rules
    return lines(
        f"{_HOW[settings.autonomy]}{verb} {base} for about {usdt(comes_to.quote_amount)}: "
        f"{escape(tokens(comes_to.base_quantity, rules.base))} at about "
        f"{price(comes_to.average_price, step=rules.price_step)}.",
        f"USDT  {cents(plan.held)} → about {cents(comes_to.held_after)} "
        f"(target {cents(settings.target)})",
        price_note(plan.order, comes_to, rules=rules),
    )


def _would(account: Account, *, held: Decimal | None, rules: PairRules | None) -> str:
    """Without the order book: an upper bound of an order's amount."""
    settings = account.settings
    if held is None:
        return "reads your balance and decides."
    waits = held_back(held, target=settings.target, waiting=account.waiting)
    if waits and account.waiting is not None and settings.band.holds(held - waits):
        reason = DepositWaits(waits, account.waiting.until)
        return f"would do nothing. {reason_text(reason, symbol=settings.symbol)}"
    if settings.band.holds(held - waits):
        return f"would do nothing: the {usdt(held)} seen last is inside the band."
    base = escape(base_of(settings.symbol))
    amount = abs(held - waits - settings.target)
    if rules is not None and amount < (smallest := smallest_order(rules)):
        return (
            f"would do nothing: {usdt(amount)} is less than MEXC's smallest order, "
            f"{usdt(smallest)}."
        )
    verb = "buy" if held > settings.target else "sell"
    limit = account.limits_in_force.order
    if amount > limit:
        return _over_order_limit(verb, base, amount=amount, limit=limit)
    seen = f"{usdt(held)} seen last, target {cents(settings.target)}"
    return f"{_HOW[settings.autonomy]}{verb} {base} for up to {usdt(amount)} ({seen})."


def _over_order_limit(verb: str, base: str, *, amount: Decimal, limit: Decimal) -> str:
    return (
        f"would send nothing: to {verb} {base} for about {usdt(amount)} is over your limit of "
        f"{usdt(limit)} an order. {allow_order(amount)}"
    )


def _worth(seen: BalanceSnapshot) -> Decimal | None:
    """Return the account's worth; None if a token it holds has no price."""
    if seen.price is None and seen.base.total:
        return None
    return worth_of(seen)


def _remedies(settings: Settings, *, smallest: Decimal, worth: Decimal | None) -> Sequence[Remedy]:
    remedies = []
    if smallest < settings.target:
        remedies.append(Remedy("setthreshold", f"{plain(smallest)}usdt"))
        percent = (smallest / settings.target * 100).to_integral_value(ROUND_CEILING)
        if percent < 100:  # noqa: PLR2004 - per cent
            remedies.append(Remedy("setthreshold", f"{plain(percent)}%"))
    if settings.threshold.unit is ThresholdUnit.FRACTION:
        target = (smallest / settings.threshold.value).to_integral_value(ROUND_CEILING)
        if target <= (MAX_TARGET if worth is None else min(MAX_TARGET, worth)):
            remedies.append(Remedy("settarget", plain(target)))
    return remedies
