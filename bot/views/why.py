"""`/why`: what the last check read, what it decided, and for which reason."""

from datetime import datetime
from typing import assert_never

from bot.interaction.message import Message
from bot.views.alerts.incidents import what_went_wrong
from bot.views.components.amounts import balance, band_range, pair_name, price, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import held_at, next_step
from bot.views.components.layout import escape, lines, paragraphs
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.components.order_text import deal
from bot.views.components.times import ago, roughly
from bot.views.trading_mode import mode_note
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.accounts.settings import TradingMode
from engine.domain.market.pairs import USDT, PairRules, Side, Symbol, base_of
from engine.domain.orders.order import Order, OrderState, Trigger
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
)
from engine.domain.rebalancing.planner import InsideBand
from engine.rebalancing.preview import Foreseen

_LEFT = {
    TradingMode.AUTO: "it left that to you.",
    TradingMode.ASK: "you want to be asked first. The card with the Trade button has it, or /rebalance.",
    TradingMode.NOTIFY: "you want to be told only. /rebalance trades it.",
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
) -> Message:
    """*order* is the one the decision is about, if it is available."""
    settings = account.settings
    symbol = look.seen.symbol if look is not None and look.seen is not None else settings.symbol
    if look is None:
        story = "There was no check yet."
    else:
        asked = ", which you asked for" if look.trigger is Trigger.PERSON else ""
        story = paragraphs(
            f"The last check was {ago(now - look.at)}{asked}.",
            _seen(look, look.seen, rules) if look.seen else None,
            _read_twice(look.first, look.seen) if look.first and look.seen else None,
            _verdict(look.verdict, look=look, symbol=symbol, order=order),
        )
    return Message.paragraphs(
        f"{badge(account)} · {escape(pair_name(settings.symbol))}",
        story,
        _asks_person(unresolved),
        _repeats(trouble),
        _changes(look, account),
        mode_note(account),
        next_step(
            account,
            held=held_at(look, settings, order=order),
            rules=rules,
            foreseen=foreseen,
        ),
    )


def _seen(look: CheckResult, seen: BalanceSnapshot, rules: PairRules | None) -> str:
    base = base_of(seen.symbol)
    step = rules.quantity_step if rules is not None and rules.base == base else None
    side = "inside" if look.band.holds(seen.held) else "outside"
    locked = [
        usdt(held.locked)
        if asset == USDT
        else f"{balance(held.locked, step=step)} {escape(asset)}"
        for asset, held in ((USDT, seen.quote), (base, seen.base))
        if held.locked
    ]
    return lines(
        f"It saw {usdt(seen.held)} and {balance(seen.base.total, step=step)} {escape(base)}.",
        f"Of that, open orders hold {' and '.join(locked)}." if locked else None,
        f"Target {usdt(look.target)}, band {band_range(look.band)}: {side} the band.",
        f"{escape(base)} cost {price(seen.price, step=rules.price_step if rules else None)} USDT."
        if seen.price
        else None,
    )


def _read_twice(first: BalanceSnapshot, then: BalanceSnapshot) -> str:
    readings = [_holding(reading) for reading in (first, then)]
    if readings[0] == readings[1]:
        return (
            f"I read it twice, 3 s apart, and both times MEXC said {readings[0]}: a balance that "
            "falls counts at the second reading."
        )
    return lines(
        f"First MEXC said {readings[0]}.",
        f"I read it again 3 s later, and it was {readings[1]}.",
        "One odd answer is no reason to trade: I go by what both readings say.",
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
                f"So it sent an order to {deal(verdict.side, symbol, verdict.expected_quote)}.",
                _outcome(order) if order else "/history shows what became of it.",
            )
        case NoTrade():
            held = look.seen.held if look.seen else None
            text = reason_text(verdict.reason, symbol=symbol, held=held, band=look.band)
            if isinstance(verdict.reason, InsideBand):
                return text
            return lines(f"No order: {text}", reason_advice(verdict.reason, symbol=symbol))
        case AwaitingApproval():
            would = deal(verdict.side, symbol, verdict.expected_quote)
            return f"No order: it would {would}, but {_LEFT[verdict.autonomy]}"
        case PlanChanged():
            right = deal(verdict.side, symbol, verdict.expected_quote)
            return lines(
                f"By then the right order was to {right}: not what you had tapped, or too late.",
                "So nothing was sent. /rebalance makes a new plan.",
            )
        case OrderPending():
            return (
                "No order: an earlier one is not confirmed yet. I look it up and send nothing "
                "else until I know what became of it."
            )
        case AwaitingSettlement():
            return (
                "No order: MEXC's balance does not show the last trade yet, and trading on it "
                "would trade the same drift twice."
            )
        case CheckFailed():
            return what_went_wrong(verdict.kind, detail=verdict.detail, base=base)
        case _:
            assert_never(verdict)


def _outcome(order: Order) -> str:
    match order.state:
        case OrderState.FILLED | OrderState.PARTIAL:
            verb = "bought" if order.side is Side.BUY else "sold"
            execution = order.execution
            quantity = f"{balance(execution.base_quantity)} {escape(base_of(order.symbol))}"
            return f"It {verb} {quantity} for {usdt(execution.quote_amount)}."
        case OrderState.UNFILLED:
            return "It found nobody to trade with; no money moved."
        case OrderState.REJECTED:
            return "MEXC refused it; no money moved."
        case OrderState.SET_ASIDE:
            return "You put it aside after a look at MEXC."
        case OrderState.NOT_EXECUTED | OrderState.DROPPED:
            return "It never reached MEXC; no money moved."
        case _:
            return "What became of it is not known yet; I look it up."


def _asks_person(unresolved: Order | None) -> str | None:
    if unresolved is None or unresolved.state is not OrderState.NEEDS_HUMAN:
        return None
    return (
        "MEXC has not told what became of an order. Please look for it there, and tell "
        "me with the buttons under /status."
    )


def _repeats(trouble: Incident | None) -> str | None:
    if trouble is None or trouble.count == 1:
        return None
    span = roughly(trouble.last_at - trouble.since)
    return f"Checks have been failing: {trouble.count} times in {span}."


def _changes(look: CheckResult | None, account: Account) -> str | None:
    settings = account.settings
    if look is None:
        return None
    seen_other_pair = look.seen is not None and look.seen.symbol != settings.symbol
    if look.target == settings.target and look.band == settings.band and not seen_other_pair:
        return None
    return (
        f"Since then the settings changed: target {usdt(settings.target)}, "
        f"band {band_range(settings.band)}, {escape(pair_name(settings.symbol))}."
    )
