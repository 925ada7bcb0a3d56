"""What came of a run of several trades: its trades, what they cost, what is still outside."""

from collections.abc import Iterable, Mapping, Sequence

from bot.interaction.message import Message
from bot.views.components.amounts import tokens, usdt
from bot.views.components.badges import alert_badge
from bot.views.components.layout import escape, listed
from bot.views.components.no_trade_reasons import reason_text
from bot.views.components.order_text import fees_paid
from bot.views.components.target_facts import leg_reason_text
from engine.domain.alerts.run_alerts import RunSettled, RunTrade
from engine.domain.market.decimals import CENT, ZERO
from engine.domain.market.pairs import USDT, Side, Symbol, base_of
from engine.domain.portfolio.run import RunEnd
from engine.domain.runs.stored_run import LeftOutside

_MOST_TRADES, _MOST_NAMES = 3, 3

_ENDS: Mapping[RunEnd, str | None] = {
    RunEnd.INSIDE: None,
    RunEnd.NO_LEG: None,
    RunEnd.NO_PROGRESS: "These trades brought no more inside. The next check decides again.",
    RunEnd.MOST_ORDERS: "These are enough orders at once. The next check goes on.",
    RunEnd.UNCLEAR: "I stopped: one more order is unclear. I look it up first.",
    RunEnd.OVER_LIMIT: "I stopped: the rest is over your limits. More: /limits",
    RunEnd.NO_PLAN: "I stopped: a price is missing. The next check goes on.",
    RunEnd.UNSETTLED: "I stopped: MEXC does not show the new balance yet. Then I go on.",
    RunEnd.STOPPED: "I stopped: something was changed here meanwhile. More: /status",
    RunEnd.FAILED: "I stopped: MEXC did not answer. The next check goes on.",
    RunEnd.RESTARTED: "I was restarted meanwhile. The next check plans the rest afresh.",
}


def run_settled_view(alert: RunSettled) -> Message:
    return Message.of(
        f"{alert_badge(alert)} · {len(alert.trades)} trades, {usdt(alert.turnover)} in all",
        *_trades(alert.trades),
        _cost(alert),
        *_left(alert.left),
        _ENDS[alert.end],
        "On paper: no real money moved." if alert.dry_run and not alert.left else None,
        silent=alert.dry_run,
    )


def _trades(trades: Sequence[RunTrade]) -> Iterable[str]:
    """All of them, or the first two and what the others come to."""
    shown = trades if len(trades) <= _MOST_TRADES else trades[: _MOST_TRADES - 1]
    for trade in shown:
        amount = escape(tokens(trade.base_quantity, base_of(trade.symbol)))
        if trade.side is Side.BUY:
            yield f"Bought {amount} for {usdt(trade.quote_amount)}"
        else:
            yield f"Sold {amount} for {usdt(trade.quote_amount)}"
    rest = trades[len(shown) :]
    if rest:
        total = usdt(sum((trade.quote_amount for trade in rest), ZERO))
        yield f"And {len(rest)} more for {total}: /history"


def _cost(alert: RunSettled) -> str:
    if alert.cost is not None:
        cost = usdt(alert.cost) if alert.cost >= CENT else "under 0.01 USDT"
        return f"Cost {cost}: fees, and how far from the middle price I traded."
    paid = fees_paid(alert.fees, complete=alert.fees_complete)
    return f"Fees {escape(paid)}" if paid else "Fees not known yet"


def _left(left: Sequence[LeftOutside]) -> Iterable[str]:
    """What is still outside; the reason of the first one."""
    if not left:
        return
    names = listed(escape(part.asset) for part in left[:_MOST_NAMES])
    yield (
        f"Still outside: {names}"
        if len(left) <= _MOST_NAMES
        else (f"Still outside: {names} and {len(left) - _MOST_NAMES} more")
    )
    first = left[0]
    if first.obstacle is not None:
        yield reason_text(first.obstacle, symbol=Symbol(first.asset + USDT))
    elif first.why is not None:
        yield leg_reason_text(first.asset, first.why)
