"""A trade over time: its plan and buttons, how far it is, and how it ended."""

from datetime import datetime, timedelta
from decimal import Decimal

from telegram import InlineKeyboardButton

from bot.interaction.message import Message
from bot.views.components.amounts import balance, price, tokens, usdt
from bot.views.components.badges import alert_badge, badge
from bot.views.components.forecast import HALTED_FOR_ALL
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape, lines
from bot.views.components.no_trade_reasons import reason_text
from bot.views.components.order_text import fees_paid
from bot.views.components.times import compact, time_or_stamp, utc, zone_name
from bot.views.manual_trade import aim_text, command_of, manual_advice, trade_buttons
from bot.views.rebalance_plan import PLAN_VALID_FOR
from engine.domain.accounts.account import Account
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.execution.slices import SlicedTrade, SlicesEnd
from engine.domain.market.decimals import CENT, ZERO
from engine.domain.market.pairs import Side, Symbol, base_of
from engine.domain.orders.order import Order
from engine.domain.rebalancing.slices.plan import SlicesOffer
from engine.domain.rebalancing.slices.run import SlicedRun, SlicesProgress
from engine.rebalancing.slices_preview import SlicesPreview

_ENDS = {
    SlicesEnd.DONE: "It is done.",
    SlicesEnd.DEADLINE: "Its time is over.",
    SlicesEnd.INSIDE: "The balance is in its band.",
    SlicesEnd.PAUSED: "Trading was paused, which ends it.",
    SlicesEnd.HALTED: "The halt of all trading ended it.",
    SlicesEnd.CANCELLED: "You stopped the rest.",
    SlicesEnd.CHANGED: "The pair, the key or the kind of money was changed, which ends it.",
}


def slices_plan_view(
    *,
    preview: SlicesPreview,
    side: Side,
    span: timedelta,
    now: datetime,
    confirmation_id: str | None,
) -> Message:
    """*confirmation_id* is None where no tap is possible."""
    account, rules = preview.account, preview.rules
    base, symbol, long = escape(rules.base), rules.symbol, compact(span)
    is_buy = side is Side.BUY
    title = f"Buy {base} over {long}?" if is_buy else f"Sell {base} over {long}?"
    head = f"{badge(account)} · {title}"
    sized, forecast, offer = preview.sized, preview.forecast, preview.offer
    if sized is None or forecast is None or offer is None:
        reason = preview.reason
        return Message.of(
            head,
            None if reason is None else reason_text(reason, symbol=symbol),
            "No slice was sent.",
            None if reason is None else manual_advice(reason, side, symbol),
        )
    trade = sized.trade
    ends = time_or_stamp(trade.deadline, now=now)
    last = time_or_stamp(trade.due_at(len(trade.amounts)), now=now)
    at = price(forecast.average_price, step=rules.price_step)
    total = f"In all {_amount(trade, trade.total, symbol)} at about {at}"
    return Message.of(
        head,
        _sizes(trade, symbol),
        f"First now, last {last}, over by {ends} ({zone_name()}).",
        f"{total}."
        if sized.asked is None
        else f"{total}: of {_amount(trade, sized.asked, symbol)} no more is free.",
        _cost(forecast.cost, preview.day_left, dry_run=account.settings.dry_run),
        None if confirmation_id is None else _consequence(account, offer),
        HALTED_FOR_ALL
        if confirmation_id is None
        else f"Tap within {PLAN_VALID_FOR // timedelta(seconds=1)} s: I price it again first. "
        f"/{command_of(side)} stop ends it early.",
        keyboard=None if confirmation_id is None else trade_buttons(offer, confirmation_id),
    )


def slices_begun_view(*, account: Account, run: SlicedRun, now: datetime) -> Message:
    """Replaces the plan, buttons and all, before anything is sent."""
    base = escape(base_of(run.symbol))
    amount = _amount(run.trade, run.trade.total, run.symbol)
    until = time_or_stamp(run.trade.deadline, now=now)
    return Message.of(
        f"{badge(account)} · On it",
        f"You tapped: buy {base} for {amount} in {run.count} slices until {until}."
        if run.trade.side is Side.BUY
        else f"You tapped: sell {base} for {amount} in {run.count} slices until {until}."
        if not run.trade.in_base
        else f"You tapped: sell {amount} in {run.count} slices until {until}.",
        "I read your balance and the prices again before each slice.",
        "I trade nothing else meanwhile. A slice that is missed is not made up for.",
        _afterwards(run),
        "/status shows how far it is. I tell you when it is over.",
        f"To stop the rest: /{command_of(run.trade.side)} stop",
        keyboard=keyboard([_stop(run.trade.side), do("Status", "status")]),
    )


def slices_running_view(*, account: Account, progress: SlicesProgress) -> Message:
    """In place of another plan."""
    run = progress.run
    return Message.of(
        f"{badge(account)} · A trade over time runs",
        "I make no other plan meanwhile. No order was sent.",
        f"{run.last} of {run.count} slices are over.",
        _so_far(progress),
        f"It is over by {utc(run.trade.deadline)}.",
        f"To stop the rest: /{command_of(run.trade.side)} stop",
        keyboard=keyboard([_stop(run.trade.side), do("Status", "status")]),
    )


def slices_stopped_view(
    *, account: Account, side: Side, stopped: bool, unresolved: Order | None
) -> Message:
    """*unresolved* is a slice that was sent before."""
    if not stopped:
        return Message.of(
            f"{badge(account)} · Nothing to stop",
            "No trade over time runs. Nothing changed.",
            f"/{command_of(side)} has the form of one. To stop all trading: /pause",
        )
    return Message.of(
        f"{badge(account)} · The rest is stopped",
        "No further slice leaves from now on.",
        f"One sent before, about {usdt(unresolved.expected_quote)}, may still be filled."
        if unresolved
        else None,
        "I tell you in a moment what was traded and what happens next.",
    )


def slices_note(account: Account, progress: SlicesProgress, *, may_stop: bool) -> str:
    """For the status message."""
    if progress.run.end is not None or account.halted:
        return "Your trade over time ends. I tell you what was traded."
    trade = progress.run.trade
    return lines(
        f"{_so_far(progress)} I trade nothing else until {utc(trade.deadline)}.",
        f"To stop the rest: /{command_of(trade.side)} stop" if may_stop else None,
    )


def stop_button(progress: SlicesProgress) -> InlineKeyboardButton:
    return _stop(progress.run.trade.side)


def sliced_trade_over_view(alert: SlicedTradeOver) -> Message:
    base, is_buy = base_of(alert.symbol), alert.side is Side.BUY
    head = alert_badge(alert)
    if not alert.base_quantity:
        return Message.of(
            f"{head} · Nothing bought over time" if is_buy else f"{head} · Nothing sold over time",
            _ENDS[alert.end],
            "No slice traded, and no setting changed.",
            _what_next(alert),
        )
    amount = escape(tokens(alert.base_quantity, base))
    average = price(alert.quote_amount / alert.base_quantity)
    return Message.of(
        f"{head} · Bought {amount} over time" if is_buy else f"{head} · Sold {amount} over time",
        f"for {usdt(alert.quote_amount)} at {average}. {alert.orders} of {alert.slices} slices "
        "traded.",
        _paid(alert),
        _ENDS[alert.end],
        _left(alert),
        _what_next(alert),
        "On paper: no real money moved." if alert.dry_run else None,
        keyboard=keyboard([do("History", "history"), do("Status", "status")]),
        silent=alert.dry_run,
    )


def _paid(alert: SlicedTradeOver) -> str:
    fees = fees_paid(alert.fees, complete=alert.fees_complete)
    cost = f"It cost {usdt(max(alert.cost, ZERO))} against the prices that I saw"
    return f"{cost}, with the fee of {escape(fees)}." if fees else f"{cost}. Fee not known yet."


def _left(alert: SlicedTradeOver) -> str | None:
    if alert.left < CENT:
        return None
    left = usdt(alert.left)
    if alert.in_base:
        left = f"{balance(alert.left)} {escape(base_of(alert.symbol))}"
    if alert.end is SlicesEnd.DONE:
        return f"Not traded: {left}, too little for an order."
    return f"Not traded: {left}."


def _what_next(alert: SlicedTradeOver) -> str:
    if alert.halted:
        return "All trading is halted by the owner."
    if alert.paused:
        return "Trading is paused. /resume starts it again."
    if alert.target is not None:
        return f"The target is {usdt(alert.target)} now. Trading goes on."
    if alert.by_itself:
        return "Trading goes on: the next check decides what your target needs."
    return "Trading goes on as before: I trade only what you tap."


def _sizes(trade: SlicedTrade, symbol: Symbol) -> str:
    each = _amount(trade, trade.amounts[0], symbol)
    if len(set(trade.amounts)) == 1:
        return f"{len(trade.amounts)} slices of {each} each"
    return f"{len(trade.amounts)} slices of about {each} each"


def _cost(cost: Decimal, day_left: Decimal, *, dry_run: bool) -> str:
    expected = f"It costs about {usdt(max(cost, CENT))} with the fee."
    if dry_run:
        return f"{expected} On paper: no real money moves."
    return f"{expected} Your day's limit has {usdt(day_left)} left."


def _amount(trade: SlicedTrade, amount: Decimal, symbol: Symbol) -> str:
    if trade.in_base:
        return escape(tokens(amount, base_of(symbol)))
    return usdt(amount)


def _consequence(account: Account, offer: SlicesOffer) -> str:
    """What becomes of trading, by each of the buttons."""
    settings, is_buy = account.settings, offer.trade.side is Side.BUY
    target = aim_text(settings)
    if not (offer.pauses or offer.target is not None):
        if settings.paused:
            return "Trading is paused and stays paused. Your tap sends these slices alone."
        return "I trade nothing else meanwhile. Then trading goes on as before."
    if settings.paused:
        undone = (
            f"Trading is paused. After the pause, target {target} sells it again."
            if is_buy
            else f"Trading is paused. After the pause, target {target} buys it back."
        )
        return f"{undone} The second button sets another target after the last slice."
    undone = (
        f"I trade nothing else meanwhile. Target {target} would sell it again."
        if is_buy
        else f"I trade nothing else meanwhile. Target {target} would buy it back."
    )
    if offer.target is None:
        return f"{undone} So trading pauses at the end."
    return f"{undone} The first button pauses trading at the end, the second sets another target."


def _afterwards(run: SlicedRun) -> str:
    if run.target is not None:
        target = usdt(run.target)
        return f"At the end the target becomes {target}. If it ends early, trading pauses."
    if run.pauses:
        return "At the end trading pauses. /resume starts it again."
    return "Then trading goes on as before."


def _so_far(progress: SlicesProgress) -> str:
    run, done = progress.run, progress.done
    amount = escape(tokens(done.base_quantity, base_of(run.symbol)))
    if not done.base_quantity:
        return "Nothing is traded yet."
    if run.trade.side is Side.BUY:
        return f"Bought {amount} for {usdt(done.quote_amount)} so far."
    return f"Sold {amount} for {usdt(done.quote_amount)} so far."


def _stop(side: Side) -> InlineKeyboardButton:
    return do("Stop the rest", command_of(side), "stop")
