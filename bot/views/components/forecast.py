"""Forecasts the effect of settings: the band, the next check, and what can never work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from bot.views.components.amounts import (
    band_range,
    cents,
    precise_percent,
    price,
    threshold,
    tokens,
    usdt,
)
from bot.views.components.layout import escape, lines
from bot.views.components.no_trade_reasons import reason_text, slices_run
from bot.views.components.portfolio_words import planned_step
from bot.views.components.times import ago
from engine.domain.accounts.account import Account
from engine.domain.accounts.deposits import held_back
from engine.domain.accounts.risk_limits import BASIS_POINTS
from engine.domain.accounts.settings import MAX_TARGET, Settings, TradingMode
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.decimals import ZERO, plain
from engine.domain.market.pairs import USDT, PairRules, Side, base_of
from engine.domain.orders.order import Order
from engine.domain.portfolio.plan import NoPlan
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, OrderPlaced
from engine.domain.rebalancing.forecast import Forecast
from engine.domain.rebalancing.planner import (
    DepositWaits,
    InsideBand,
    LimitKind,
    MarketBuy,
    OverLimit,
    ProposedOrder,
    goal_of,
    smallest_order,
)
from engine.domain.rebalancing.trade_size import worth_of
from engine.domain.targets.bands import Threshold
from engine.domain.targets.goals import DUST
from engine.domain.targets.protection import managed
from engine.domain.targets.target import UsdtRange
from engine.rebalancing.portfolio_planning import Planned
from engine.rebalancing.preview import Foreseen, Outlook

HALTED_FOR_ALL = (
    "The owner halted all chats of this bot: I send no order until the halt is lifted."
)

# What a check does of which no more is known: of a portfolio, and of a fixed target.
_DECIDES = {
    True: "I read your balances and all prices, and decide.",
    False: "I read your balance and decide.",
}

# What a check that finds a drift does, in each mode. {what} is the token, or an amount of it.
_STEPS = {
    (TradingMode.AUTO, Side.BUY): "I buy {what} for about {amount}.",
    (TradingMode.AUTO, Side.SELL): "I sell {what} for about {amount}.",
    (TradingMode.ASK, Side.BUY): "I ask you first, then I buy {what} for about {amount}.",
    (TradingMode.ASK, Side.SELL): "I ask you first, then I sell {what} for about {amount}.",
    (TradingMode.NOTIFY, Side.BUY): "I only tell you that {what} could be bought for {amount}.",
    (TradingMode.NOTIFY, Side.SELL): "I only tell you that {what} could be sold for {amount}.",
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
    protected = settings.protected.get(USDT, ZERO)
    return managed(look.seen.quote, counting=settings.counting, protected=protected).quantity


def band_line(settings: Settings) -> str:
    if isinstance(settings.target, UsdtRange):
        return _edges_line(settings.target)
    if (fixed := settings.fixed) is None:
        return f"I trade when something is ±{threshold(settings.threshold)} off."
    return f"Band {band_range(fixed.band)} (±{threshold(settings.threshold)})"


def _edges_line(target: UsdtRange) -> str:
    low, high = target.low, target.high
    if low is None:
        return f"I trade when you hold over {usdt(high or ZERO)}."
    if high is None:
        return f"I trade when you hold under {usdt(low)}."
    return f"I trade when you hold under {cents(low)} or over {usdt(high)}."


def next_step(
    account: Account,
    *,
    held: Decimal | None,
    rules: PairRules | None,
    foreseen: Foreseen | None = None,
    planned: Planned | NoPlan | None = None,
) -> str:
    """What the next check does, in a line, and what stands in its way.
    With *foreseen* from the current order book, otherwise from the last known balance. *planned* is
    of a target that is planned as a portfolio.
    """
    if not account.can_trade:
        return "No key is connected: I check nothing until you send /connect."
    if account.halted:
        return HALTED_FOR_ALL
    if account.slicing_until is not None:
        return slices_run(account.slicing_until)
    settings = account.settings
    if planned is not None and settings.fixed is None:
        step = planned_step(planned, mode=settings.autonomy, symbol=settings.symbol)
    elif foreseen is None:
        step = _from_balance(account, held=held, rules=rules)
    else:
        step = _foreseen(account, foreseen)
    when = "Trading is paused. After /resume:" if account.settings.paused else "Next check:"
    return lines(
        f"{when} {step}",
        _thin_book(foreseen) if foreseen else None,
        out_of_reach(account.settings, foreseen.seen if foreseen else None),
    )


def next_check(account: Account, outlook: Outlook, *, now: datetime) -> str:
    """What the next check does; without the order book, how old the balance is that says so."""
    look, held = outlook.look, held_at(outlook.look, account.settings)
    is_seen = outlook.foreseen is not None or outlook.planned is not None
    by_balance = look is not None and held is not None and not is_seen
    return lines(
        next_step(
            account,
            held=held,
            rules=outlook.rules,
            foreseen=outlook.foreseen,
            planned=outlook.planned,
        ),
        f"I saw the balance {ago(now - look.at)}." if look and by_balance else None,
    )


def stays_inside(settings: Settings, *, held: Decimal | None, foreseen: Foreseen | None) -> bool:
    """True if the next check will find the balance inside its band, as far as that is known."""
    if foreseen is None:
        fixed = settings.fixed
        return held is not None and fixed is not None and fixed.band.holds(held)
    plan = foreseen.plan
    return plan.order is None and (plan.reason is None or isinstance(plan.reason, InsideBand))


def out_of_reach(settings: Settings, seen: BalanceSnapshot | None) -> str | None:
    """A target above the account's worth can never be reached; None if the worth is not known."""
    worth, fixed = None if seen is None else _worth(seen), settings.fixed
    if worth is None or fixed is None or fixed.target <= worth:
        return None
    base = escape(base_of(settings.symbol))
    return (
        f"⚠️ You cannot reach the target of {usdt(fixed.target)}: your USDT and {base} are "
        f"worth about {usdt(worth)}."
    )


def caution(
    settings: Settings, *, rules: PairRules | None, seen: BalanceSnapshot | None = None
) -> Caution | None:
    """A warning if the band is narrower than the smallest order, or has no lower edge.
    With *seen* no target is proposed that is more than the account owns.
    """
    if (fixed := settings.fixed) is None:
        return None
    target = fixed.target
    reach = settings.threshold.in_quote(target)
    if rules is not None and reach < (smallest := smallest_order(rules)):
        width = (
            f"⚠️ ±{threshold(settings.threshold)} of {usdt(target)} is {usdt(reach)}."
            if settings.threshold.quote_amount is None
            else f"⚠️ The band is ±{usdt(reach)}."
        )
        return Caution(
            f"{width} MEXC's smallest order is {usdt(smallest)}, so I act only from "
            f"{usdt(smallest)} on.",
            _remedies(
                settings.threshold,
                target,
                smallest=smallest,
                worth=_worth(seen) if seen else None,
            ),
        )
    if reach >= target:
        return Caution(
            "⚠️ The band reaches down to 0.00 USDT, so I would never sell. "
            f"Set a threshold under {usdt(target)}.",
            (Remedy("setthreshold", "5%"),),
        )
    return None


def warning_of(settings: Settings, outlook: Outlook) -> Caution | None:
    seen = outlook.look.seen if outlook.look else None
    return caution(settings, rules=outlook.rules, seen=seen)


def price_note(order: ProposedOrder, forecast: Forecast, *, rules: PairRules) -> str | None:
    """Why less than the requested amount is traded; of an order with a bound, what it may cost."""
    if isinstance(order, BoundedOrder) and order.order_type.may_rest:
        at = price(order.price, step=rules.price_step)
        return f"It waits at {at} for 45 s first. What is left then trades at once."
    if isinstance(order, BoundedOrder):
        cost = order.cost_bp / BASIS_POINTS
        bound = bound_text(order.side, order.price, cost=cost, step=rules.price_step)
        return lines(bound, _no_more(order, rules=rules))
    if not forecast.complete:
        return _only_part(order, forecast, rules=rules)
    if not isinstance(order, MarketBuy):
        return None
    if usdt(forecast.quote_amount) == usdt(order.quote_amount):
        return None
    return sizing_note(order.quote_amount, spent=forecast.quote_amount)


def _no_more(order: BoundedOrder, *, rules: PairRules) -> str | None:
    """Said where the order takes all that is offered within its bound."""
    left = order.arrival.depth - order.expected.quote_amount
    if order.order_type.may_rest or left >= rules.quantity_step * order.price:
        return None
    base, worst = escape(rules.base), price(order.price, step=rules.price_step)
    if order.side is Side.BUY:
        return f"No more {base} is for sale up to {worst}."
    return f"Nobody buys more {base} down to {worst}."


def bound_text(side: Side, bound: Decimal, *, cost: Decimal, step: Decimal | None = None) -> str:
    """The worst price that an order may have. *cost* is a fraction of its worth at the middle."""
    worst, share = price(bound, step=step), precise_percent(max(cost, ZERO))
    if side is Side.BUY:
        return f"Never above {worst}. It costs about {share} with the fee."
    return f"Never below {worst}. It costs about {share} with the fee."


def foreseen_note(foreseen: Foreseen | None) -> str | None:
    """The same for the order of a next check, if there is one."""
    if foreseen is None or foreseen.plan.order is None or foreseen.forecast is None:
        return None
    return price_note(foreseen.plan.order, foreseen.forecast, rules=foreseen.rules)


def sizing_note(asked: Decimal, *, spent: Decimal) -> str:
    """MEXC sizes a buy by a price 5% above the last one."""
    return f"MEXC will spend {cents(spent)} of {cents(asked)} (normal)."


def short_of_sellers(spent: Decimal, *, asked: Decimal, base: str) -> str:
    """*base* is already escaped."""
    return (
        f"⚠️ Only {usdt(spent)} of {usdt(asked)}: no more {base} is for sale within 5% of the "
        "last price."
    )


def short_of_buyers(earned: Decimal, *, asked: Decimal, base: str) -> str:
    """*base* is already escaped."""
    return (
        f"⚠️ Only {usdt(earned)} of {usdt(asked)}: no more buyers of {base} within 5% of the "
        "last price."
    )


def _only_part(order: ProposedOrder, forecast: Forecast, *, rules: PairRules) -> str:
    if isinstance(order, MarketBuy):
        base = escape(rules.base)
        return short_of_sellers(forecast.quote_amount, asked=order.quote_amount, base=base)
    sold = escape(tokens(forecast.base_quantity, rules.base))
    offered = escape(tokens(order.base_quantity, rules.base))
    return f"⚠️ Only {sold} of {offered}: no more buyers within 5% of the last price."


def _thin_book(foreseen: Foreseen) -> str | None:
    order, comes_to = foreseen.plan.order, foreseen.forecast
    if order is None or comes_to is None or foreseen.reason is not None:
        return None
    if isinstance(order, BoundedOrder):
        return _no_more(order, rules=foreseen.rules)
    if comes_to.complete:
        return None
    return _only_part(order, comes_to, rules=foreseen.rules)


def _foreseen(account: Account, foreseen: Foreseen) -> str:
    plan, settings = foreseen.plan, account.settings
    if stays_inside(settings, held=None, foreseen=foreseen):
        return _inside(plan.held)
    reason = foreseen.reason or plan.reason
    if plan.order is None or foreseen.forecast is None or reason is not None:
        return f"I send nothing. {reason_text(reason or InsideBand(), symbol=settings.symbol)}"
    comes_to, rules = foreseen.forecast, foreseen.rules
    return _STEPS[settings.autonomy, plan.order.side].format(
        what=escape(tokens(comes_to.base_quantity, rules.base)),
        amount=usdt(comes_to.quote_amount),
    )


def _from_balance(account: Account, *, held: Decimal | None, rules: PairRules | None) -> str:
    """Without the order book, so without what the order would meet in it."""
    settings, fixed = account.settings, account.settings.fixed
    if held is None or fixed is None:
        return _DECIDES[fixed is None]
    waits = held_back(held, target=fixed.target, waiting=account.waiting)
    held -= waits
    if waits and account.waiting is not None and fixed.band.holds(held):
        reason = DepositWaits(waits, account.waiting.until)
        return f"I do nothing. {reason_text(reason, symbol=settings.symbol)}"
    if fixed.band.holds(held):
        return _inside(held)
    smallest = DUST if rules is None else smallest_order(rules)
    amount = abs(held - goal_of(settings).aim(held, least=smallest))
    if rules is not None and amount < smallest:
        return (
            f"I do nothing. {usdt(amount)} is less than MEXC's smallest order, {usdt(smallest)}."
        )
    limit = account.limits_in_force.order
    if amount > limit:
        over = OverLimit(LimitKind.ORDER, asked=amount, allowed=limit)
        return f"I send nothing. {reason_text(over, symbol=settings.symbol)}"
    side = Side.BUY if held > fixed.target else Side.SELL
    return _STEPS[settings.autonomy, side].format(
        what=escape(base_of(settings.symbol)), amount=usdt(amount)
    )


def _inside(held: Decimal) -> str:
    return f"I do nothing. {usdt(held)} is inside the band."


def _worth(seen: BalanceSnapshot) -> Decimal | None:
    """Return the account's worth; None if a token it holds has no price."""
    if seen.price is None and seen.base.total:
        return None
    return worth_of(seen)


def _remedies(
    value: Threshold, target: Decimal, *, smallest: Decimal, worth: Decimal | None
) -> Sequence[Remedy]:
    remedies = []
    if smallest < target:
        remedies.append(Remedy("setthreshold", f"{plain(smallest)}usdt"))
        percent = (smallest / target * 100).to_integral_value(ROUND_CEILING)
        if percent < 100:  # noqa: PLR2004 - per cent
            remedies.append(Remedy("setthreshold", f"{plain(percent)}%"))
    if value.relative is not None:
        target = (smallest / value.relative).to_integral_value(ROUND_CEILING)
        if target <= (MAX_TARGET if worth is None else min(MAX_TARGET, worth)):
            remedies.append(Remedy("settarget", plain(target)))
    return remedies
