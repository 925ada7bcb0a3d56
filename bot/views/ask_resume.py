"""The question before a start with a large first order, and the answer to each kind of tap."""

from datetime import timedelta
from decimal import Decimal

from bot.interaction.callback_data import Choose
from bot.interaction.message import Message
from bot.views.components.amounts import about_percent, cents, tokens, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import foreseen_note, price_note
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, fitted, lines, paragraphs
from bot.views.components.no_trade_reasons import reason_text
from bot.views.components.portfolio_words import first_trades
from bot.views.rebalance_plan import PLAN_VALID_FOR
from engine.domain.accounts.account import Account
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Side, base_of
from engine.domain.portfolio.plan import NoPlan
from engine.domain.rebalancing.forecast import Forecast
from engine.domain.rebalancing.planner import ProposedOrder
from engine.rebalancing.portfolio_planning import Planned
from engine.rebalancing.preview import Foreseen

ANSWERS = ("Start", "Start, but ask me each time", "Cancel")
_WHEN = ("The first check trades:", "The first check trades nothing now.")
START, START_ASKING, _ = range(len(ANSWERS))


def ask_resume_view(
    *, account: Account, foreseen: Foreseen | None, confirmation_id: str, is_shared: bool = False
) -> Message:
    """*account* is paused; *foreseen* is its first check, None if MEXC does not answer. *is_shared*:
    it is another chat's, whose owner alone is asked each time.
    """
    offered = [n for n in range(len(ANSWERS)) if not (is_shared and n == START_ASKING)]
    text = paragraphs(
        f"{badge(account)} · Start trading?",
        _first_order(account, foreseen),
        lines(
            "Nothing is sent now. I price it again when you tap.",
            f"No tap within {PLAN_VALID_FOR // timedelta(seconds=1)} s: trading stays paused. "
            "Later: /resume",
        ),
    )
    buttons = ([button(ANSWERS[n], Choose(confirmation_id, n))] for n in offered)
    return Message(fitted(text, foreseen_note(foreseen)), keyboard(*buttons))


def ask_resume_plan_view(
    *,
    account: Account,
    planned: Planned | NoPlan | None,
    confirmation_id: str,
    is_shared: bool = False,
) -> Message:
    """The same, where the first check trades several tokens."""
    offered = [n for n in range(len(ANSWERS)) if not (is_shared and n == START_ASKING)]
    buttons = ([button(ANSWERS[n], Choose(confirmation_id, n))] for n in offered)
    return Message.paragraphs(
        f"{badge(account)} · Start trading?",
        first_trades(planned, when=_WHEN, symbol=account.settings.symbol),
        lines(
            "Nothing is sent now. I price it again when you tap.",
            f"No tap within {PLAN_VALID_FOR // timedelta(seconds=1)} s: trading stays paused. "
            "Later: /resume",
        ),
        keyboard=keyboard(*buttons),
    )


def stays_paused_view(*, account: Account) -> Message:
    """The tap on Cancel."""
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "No order was sent. /settarget changes the target, /resume starts trading.",
        keyboard=keyboard([do("Target", "settarget"), do("Resume", "resume")]),
    )


def resume_late_view() -> Message:
    """A tap after the time, or after a /pause."""
    return Message.of(
        "⌛ This question is closed. No order was sent.",
        "Send /resume to start trading.",
        keyboard=keyboard([do("Resume", "resume")]),
    )


def resume_overtaken_view(*, account: Account) -> Message:
    """Something about the account was changed between the question and the tap."""
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "Something about this account was changed after I asked. No order was sent.",
        "/resume shows what the first order is now.",
        keyboard=keyboard([do("Resume", "resume")]),
    )


def _first_order(account: Account, foreseen: Foreseen | None) -> str:
    if foreseen is None:
        return "MEXC does not answer. I do not know how large the first order is."
    plan, symbol = foreseen.plan, account.settings.symbol
    target = account.settings.fixed_goal.target
    if plan.order is None or foreseen.forecast is None:
        reason = reason_text(plan.reason, symbol=symbol) if plan.reason else None
        return lines(reason, _later(plan.held, target=target, base=escape(base_of(symbol))))
    return lines(
        _order(plan.order, foreseen.forecast, foreseen),
        f"USDT {cents(plan.held)} → about {cents(max(ZERO, foreseen.forecast.held_after))} "
        f"(target {cents(target)})",
        None
        if foreseen.forecast.complete
        else price_note(plan.order, foreseen.forecast, rules=foreseen.rules),
        lines(
            reason_text(foreseen.reason, symbol=symbol),
            "It is not sent before your limits allow it: /limits",
        )
        if foreseen.reason
        else None,
    )


def _order(order: ProposedOrder, comes_to: Forecast, foreseen: Foreseen) -> str:
    base, amount = escape(foreseen.rules.base), usdt(comes_to.quote_amount)
    if order.side is Side.BUY:
        part = about_percent(comes_to.quote_amount / foreseen.plan.held)
        return lines(
            f"The first order buys {base} for about {amount}.",
            f"That is {part} of your USDT.",
        )
    sold = escape(tokens(comes_to.base_quantity, foreseen.rules.base))
    part = about_percent(comes_to.base_quantity / foreseen.seen.base.total)
    return lines(
        f"The first order sells {sold} for about {amount}.",
        f"That is {part} of your {base}.",
    )


def _later(held: Decimal, *, target: Decimal, base: str) -> str:
    amount = usdt(abs(held - target))
    if held > target:
        return f"Once this has passed, the first order buys {base} for up to {amount}."
    return f"Once this has passed, the first order sells {base} for about {amount}."
