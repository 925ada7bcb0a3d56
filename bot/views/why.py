"""`/why`: what the last check read, what it decided, and for which reason."""

from datetime import datetime
from typing import assert_never

from bot.interaction.message import Message
from bot.views.alerts.incidents import what_went_wrong
from bot.views.components.amounts import balance, band_range, pair_name, price, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import held_at, next_step, stays_inside
from bot.views.components.layout import escape, fitted, lines, listed, paragraphs
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.order_text import order_sentence, waits_line
from bot.views.components.portfolio_words import (
    furthest_line,
    is_all_inside,
    outside_line,
    parts_line,
)
from bot.views.components.target_facts import legs_text
from bot.views.components.target_words import target_line, traded_name
from bot.views.components.times import ago, roughly
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.accounts.settings import FixedTarget, Settings, TradingMode
from engine.domain.execution.maker_first import rests
from engine.domain.execution.slices import SlicesRun
from engine.domain.market.decimals import CENT
from engine.domain.market.pairs import USDT, PairRules, Side, Symbol, base_of
from engine.domain.orders.order import Order, OrderState, Trigger
from engine.domain.portfolio.plan import NoPlan
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    AwaitingSettlement,
    BalanceSnapshot,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PlanChanged,
    PortfolioSnapshot,
)
from engine.domain.rebalancing.planner import InsideBand
from engine.rebalancing.portfolio_planning import Planned
from engine.rebalancing.preview import Foreseen

LEFT_TO_YOU = {
    TradingMode.AUTO: "No order: it was left to you.",
    TradingMode.ASK: "No order: you want to be asked first.",
    TradingMode.NOTIFY: "No order: you want to be told only.",
}


def why_view(
    *,
    account: Account,
    now: datetime,
    look: CheckResult | None,
    rules: PairRules | None = None,
    foreseen: Foreseen | None = None,
    order: Order | None = None,
    trouble: Incident | None = None,
    unresolved: Order | None = None,
    planned: Planned | NoPlan | None = None,
) -> Message:
    """*order* is the one the decision is about, if it is available. *planned* is in place of
    *foreseen* for a target that is planned as a portfolio.
    """
    settings = account.settings
    portfolio = look.portfolio if look is not None else None
    seen: tuple[str | None, ...] = ()
    if portfolio is not None:
        seen = (*_outside(portfolio), None, None)
    elif look is not None and look.seen is not None:
        seen = _seen(look, look.seen, rules)
    saw, locked, goal, cost = seen or (None, None, None, None)
    twice = _read_twice(look.first, look.seen) if look and look.first and look.seen else None
    symbol = look.seen.symbol if look is not None and look.seen is not None else settings.symbol
    if look is None:
        story = "There was no check yet."
    else:
        after = _caused_by(look, order)
        story = paragraphs(
            f"The last check was {ago(now - look.at)}{after}.",
            lines(*seen),
            twice,
            _verdict(look.verdict, look=look, symbol=symbol, order=order)
            if portfolio is None
            else _decided(look.verdict, portfolio, look=look, symbol=symbol, order=order),
        )
    held = held_at(look, settings, order=order)
    changes = _changes(look, account)
    is_told = (
        changes is None
        and look is not None
        and look.verdict == NoTrade(InsideBand())
        and not account.stopped
        and (
            stays_inside(settings, held=held, foreseen=foreseen)
            if planned is None
            else is_all_inside(planned)
        )
    )
    then = (
        "The next check looks again."
        if is_told
        else next_step(account, held=held, rules=rules, foreseen=foreseen, planned=planned)
    )
    if look is not None and look.verdict == NoTrade(SlicesRun(account.slicing_until or now)):
        then = ""
    elif look and look.verdict == AwaitingSettlement(told=True) and not account.stopped:
        then = ""  # what is read now may be as old
    text = paragraphs(
        f"{badge(account)} · {escape(traded_name(settings))}",
        story,
        _asks_person(unresolved),
        _repeats(trouble),
        changes,
        then,
    )
    later = then.splitlines()[1:]
    least = (cost, locked, *later, goal, twice, _repeats(trouble), changes, saw)
    return Message(fitted(text, *least))


def _caused_by(look: CheckResult, order: Order | None) -> str:
    if look.trigger is not Trigger.PERSON:
        return ""
    if order is None or order.slice_number is None:
        return ", after a tap"
    return f", for slice {order.slice_number} of {order.slices}"


def _seen(
    look: CheckResult, seen: BalanceSnapshot, rules: PairRules | None
) -> tuple[str, str | None, str | None, str | None]:
    """What was held, in open orders too, the target, and the token's price."""
    base = base_of(seen.symbol)
    step = rules.quantity_step if rules is not None and rules.base == base else None
    locked = [
        usdt(held.locked)
        if asset == USDT
        else f"{balance(held.locked, step=step)} {escape(asset)}"
        for asset, held in ((USDT, seen.quote), (base, seen.base))
        if held.locked
    ]
    return (
        f"It saw {usdt(seen.held)} and {balance(seen.base.total, step=step)} {escape(base)}.",
        f"Open orders hold {listed(locked)} of that." if locked else None,
        _aim(look),
        f"{escape(base)} cost {price(seen.price, step=rules.price_step if rules else None)} USDT."
        if seen.price
        else None,
    )


def _aim(look: CheckResult) -> str | None:
    if look.target is None or look.band is None:
        return None
    return f"Target {usdt(look.target)}, band {band_range(look.band)}."


def _outside(seen: PortfolioSnapshot) -> tuple[str | None, str | None]:
    """How much is outside, and the furthest of it."""
    if seen.plan is None:
        return None, None
    if not seen.plan.outside:
        return parts_line(seen), None
    return outside_line(seen.plan.outside, of=len(seen.plan.values)), furthest_line(
        seen, seen.plan
    )


def _decided(
    verdict: Decision,
    seen: PortfolioSnapshot,
    *,
    look: CheckResult,
    symbol: Symbol,
    order: Order | None,
) -> str:
    """What became of a whole plan."""
    legs = legs_text(seen.plan.legs) if seen.plan and seen.plan.legs else None
    match verdict:
        case OrderPlaced() if legs:
            return lines(f"So it traded: {legs}.", "What became of it: /history")
        case AwaitingApproval() if legs:
            return lines(LEFT_TO_YOU[verdict.autonomy], f"It would trade: {legs}.")
        case PlanChanged() if legs:
            return lines(
                "Nothing was sent: the tap no longer fitted, or came too late.",
                f"The right trades were: {legs}.",
                "New plan: /rebalance",
            )
        case NoTrade(reason=InsideBand()):
            return "No order: everything is inside its band."
        case _:
            return _verdict(verdict, look=look, symbol=symbol, order=order)


def _read_twice(first: BalanceSnapshot, then: BalanceSnapshot) -> str:
    readings = [_holding(reading) for reading in (first, then)]
    if readings[0] == readings[1]:
        return f"I read it twice, 3 s apart. Both times MEXC said {readings[0]}."
    return lines(
        f"First MEXC said {readings[0]}.",
        f"3 s later it said {readings[1]}. I use only what both say.",
    )


def _holding(seen: BalanceSnapshot) -> str:
    return (
        f"{usdt(seen.quote.total)} and {balance(seen.base.total)} {escape(base_of(seen.symbol))}"
    )


def _verdict(  # noqa: PLR0911 - one return a verdict
    verdict: Decision, *, look: CheckResult, symbol: Symbol, order: Order | None
) -> str:
    base = escape(base_of(symbol))
    match verdict:
        case OrderPlaced():
            return lines(
                order_sentence(
                    verdict.side,
                    symbol,
                    verdict.expected_quote,
                    buy="So it sent an order to buy {base} for about {amount}.",
                    sell="So it sent an order to sell {base} for about {amount}.",
                ),
                _bound(order) if order else None,
                _outcome(order) if order else "What became of it: /history",
            )
        case NoTrade():
            held = look.seen.held if look.seen else None
            text = reason_text(verdict.reason, symbol=symbol, held=held, band=look.band)
            if isinstance(verdict.reason, InsideBand):
                return "No order: the balance is inside the band." if held is not None else text
            if isinstance(verdict.reason, SlicesRun):
                return lines(text, reason_advice(verdict.reason, symbol=symbol))
            return lines(f"No order: {text}", reason_advice(verdict.reason, symbol=symbol))
        case AwaitingApproval():
            return lines(
                LEFT_TO_YOU[verdict.autonomy],
                order_sentence(
                    verdict.side,
                    symbol,
                    verdict.expected_quote,
                    buy="It would buy {base} for about {amount}.",
                    sell="It would sell {base} for about {amount}.",
                ),
                "To trade it: the Trade button of my question, or /rebalance"
                if verdict.autonomy is TradingMode.ASK
                else "To trade it: /rebalance",
            )
        case PlanChanged():
            return lines(
                "Nothing was sent: the tap no longer fitted, or came too late.",
                order_sentence(
                    verdict.side,
                    symbol,
                    verdict.expected_quote,
                    buy="The right order was to buy {base} for about {amount}.",
                    sell="The right order was to sell {base} for about {amount}.",
                ),
                "New plan: /rebalance",
            )
        case OrderPending():
            return lines(
                "No order: an earlier one is not confirmed yet.",
                "I look it up and send nothing else until I know.",
            )
        case AwaitingSettlement():
            return _awaited(verdict)
        case CheckFailed():
            return what_went_wrong(verdict.kind, detail=verdict.detail, base=base)
        case _:
            assert_never(verdict)


def _awaited(verdict: AwaitingSettlement) -> str:
    if verdict.told:
        return lines(
            "No order: MEXC told me of a change, and its balance does not show it yet.",
            "I read the balance again within seconds, and decide then.",
        )
    return lines(
        "No order: MEXC's balance does not show the last trade yet.",
        "Trading on it would trade the same drift twice.",
    )


def _bound(order: Order) -> str | None:
    if order.priced is None:
        return None
    worst = price(order.priced.price)
    if rests(order):
        return waits_line(order)
    if order.order_type.may_rest:
        return f"It was to wait at {worst} for 45 s."
    if order.side is Side.BUY:
        return f"It was to trade at once, and never above {worst}."
    return f"It was to trade at once, and never below {worst}."


def _outcome(order: Order) -> str | None:  # noqa: PLR0911 - one return an outcome
    match order.state:
        case OrderState.FILLED | OrderState.PARTIAL:
            execution = order.execution
            quantity = f"{balance(execution.base_quantity)} {escape(base_of(order.symbol))}"
            quote = usdt(execution.quote_amount)
            if order.side is Side.BUY:
                return f"It bought {quantity} for {quote}."
            return f"It sold {quantity} for {quote}."
        case OrderState.UNFILLED if order.order_type.may_rest:
            return "No money moved: nobody took it."
        case OrderState.UNFILLED:
            return "No money moved: MEXC cancelled it unfilled."
        case OrderState.REJECTED:
            return "No money moved: MEXC refused it."
        case OrderState.SET_ASIDE:
            return "You put it aside after a look at MEXC."
        case OrderState.NOT_EXECUTED | OrderState.DROPPED:
            return "No money moved: it never reached MEXC."
        case _:
            return None if rests(order) else "Its result is not known yet. I look it up."


def _asks_person(unresolved: Order | None) -> str | None:
    if unresolved is None or unresolved.state is not OrderState.NEEDS_HUMAN:
        return None
    return lines(
        "MEXC has not confirmed an order. Please look for it at MEXC.",
        "Then tell me with the buttons under /status.",
    )


def _repeats(trouble: Incident | None) -> str | None:
    if trouble is None or trouble.count == 1:
        return None
    span = roughly(trouble.last_at - trouble.since)
    return f"Checks have failed {trouble.count:,} times in {span}."


def _is_same_portfolio(seen: PortfolioSnapshot | None, settings: Settings) -> bool:
    """True if *seen* was of the present goals."""
    if settings.fixed is not None or seen is None or set(seen.held) != set(settings.assets):
        return False
    if seen.plan is None:
        return True
    whole = seen.plan.whole
    return all(
        abs(goal.at(whole).rest - seen.edges[asset].rest) < CENT
        for asset, goal in settings.targeting.goals.by_asset.items()
        if asset in seen.edges
    )


def _changes(look: CheckResult | None, account: Account) -> str | None:
    settings = account.settings
    if look is None or _is_same_portfolio(look.portfolio, settings):
        return None
    seen_other_pair = look.seen is not None and look.seen.symbol != settings.symbol
    fixed = settings.fixed
    seen = (
        None if look.target is None or look.band is None else FixedTarget(look.target, look.band)
    )
    if seen == fixed and not seen_other_pair and look.portfolio is None:
        return None
    pair = escape(pair_name(settings.symbol))
    if fixed is None:
        return f"The target changed since: {escape(target_line(settings.target))}."
    return (
        f"The settings changed since: target {usdt(fixed.target)}, "
        f"band {band_range(fixed.band)}, {pair}."
    )
