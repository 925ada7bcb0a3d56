"""A trade that awaits approval: the request, the notice, and the answers."""

from bot.interaction.callback_data import Choose
from bot.interaction.message import Message
from bot.views.components.amounts import band_range, cents, drift, pair_name, price, tokens, usdt
from bot.views.components.badges import badge, mode_badge
from bot.views.components.forecast import (
    bound_text,
    short_of_buyers,
    short_of_sellers,
    sizing_note,
)
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, lines
from bot.views.components.portfolio_words import outside_line
from bot.views.components.target_facts import cost_of_all, legs_text
from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import DriftNoticed, PlanOffered
from engine.domain.alerts.plan_alerts import PortfolioNoticed, PortfolioOffered
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Side, base_of

TRADE, SKIP, REST = range(3)
ANSWERS = (("Trade", TRADE), ("Skip", SKIP), ("Not for an hour", REST))


def plan_offered_view(offered: PlanOffered) -> Message:
    """The request in a chat that approves each trade."""
    told = offered.drift
    trade, *others = (
        button(label, Choose(offered.confirmation_id, index)) for label, index in ANSWERS
    )
    return Message.paragraphs(
        lines(f"{mode_badge(dry_run=told.dry_run)} · Shall I trade?", off_target_line(told)),
        plan_text(told),
        lines(
            "Trade: on paper, no real money moves."
            if told.dry_run
            else "Trade: I check the price again, then send it once.",
            "Skip: I stay quiet about this for 1 h.",
        ),
        keyboard=keyboard([trade], others),
    )


def drift_noticed_view(told: DriftNoticed) -> Message:
    """The notice, once per drift, in a chat that is only notified."""
    return Message.paragraphs(
        lines(f"{mode_badge(dry_run=told.dry_run)} · Off target", off_target_line(told)),
        plan_text(told),
        lines(
            "I sent nothing. On paper: no real money moves."
            if told.dry_run
            else "I sent nothing: you chose to be told only.",
            "To trade it: /rebalance. To let me trade: /mode",
        ),
        keyboard=keyboard([do("Rebalance", "rebalance"), do("Mode", "mode")]),
    )


def portfolio_offered_view(offered: PortfolioOffered) -> Message:
    """The request to trade a whole plan, in a chat that approves each trade."""
    told = offered.notice
    trade, *others = (
        button(label, Choose(offered.confirmation_id, index)) for label, index in ANSWERS
    )
    return Message.paragraphs(
        lines(f"{mode_badge(dry_run=told.dry_run)} · Shall I trade?", *whole_plan_lines(told)),
        lines(
            "Trade: on paper, no real money moves."
            if told.dry_run
            else "Trade: I check all prices again, then I send one order after the other.",
            "Skip: I stay quiet about this for 1 h. More: /why",
        ),
        keyboard=keyboard([trade], others),
    )


def portfolio_noticed_view(told: PortfolioNoticed) -> Message:
    """The notice of a whole plan, in a chat that is only notified."""
    return Message.paragraphs(
        lines(f"{mode_badge(dry_run=told.dry_run)} · Off target", *whole_plan_lines(told)),
        lines(
            "I sent nothing. On paper: no real money moves."
            if told.dry_run
            else "I sent nothing: you chose to be told only.",
            "To trade it: /rebalance. To let me trade: /mode",
        ),
        keyboard=keyboard([do("Rebalance", "rebalance"), do("Mode", "mode")]),
    )


def whole_plan_lines(told: PortfolioNoticed) -> list[str]:
    return [
        outside_line(told.outside, of=told.assets),
        f"Trades: {legs_text(told.legs)}.",
        cost_of_all(told.cost),
    ]


def skipped_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Skipped",
        "No order was sent.",
        "I ask again in 1 h, or sooner if the drift changes by 10%.",
        "To trade it now: /rebalance",
        keyboard=keyboard([do("Rebalance", "rebalance")]),
    )


def resting_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · No questions for an hour",
        "No order was sent. I send none for 1 h, unless you send /rebalance.",
        "To be asked again now: /mode ask",
        keyboard=keyboard([do("Rebalance", "rebalance"), do("Mode ask", "mode", "ask")]),
    )


def off_target_line(told: DriftNoticed) -> str:
    relative = drift(told.held, target=told.target)
    return f"You hold {usdt(told.held)} ({relative}), outside the band of {band_range(told.band)}."


def plan_text(told: DriftNoticed) -> str:
    amount = escape(tokens(told.expected_base, base_of(told.symbol)))
    pair = escape(pair_name(told.symbol))
    quote = usdt(told.expected_quote)
    return lines(
        f"Buy about {amount} ({pair})"
        if told.side is Side.BUY
        else f"Sell about {amount} ({pair})",
        f"for about {quote} at about {price(told.expected_quote / told.expected_base)}"
        if told.expected_base
        else f"for about {quote}",
        _balance_after(told),
        None
        if told.bound is None or told.cost is None
        else bound_text(told.side, told.bound, cost=told.cost),
        _thin_book(told),
    )


def _balance_after(told: DriftNoticed) -> str | None:
    if told.held_after is None:
        return None
    after, target = cents(max(ZERO, told.held_after)), cents(told.target)
    return f"USDT  {cents(told.held)} → about {after}  (target {target})"


def _thin_book(told: DriftNoticed) -> str | None:
    """Why less than the requested amount would be traded."""
    asked, spent = told.asked_quote, told.expected_quote
    if asked is None or told.bound is not None:
        return None
    base = escape(base_of(told.symbol))
    if told.side is Side.SELL:
        return None if told.complete else short_of_buyers(spent, asked=asked, base=base)
    if not told.complete:
        return short_of_sellers(spent, asked=asked, base=base)
    return sizing_note(asked, spent=spent) if cents(spent) != cents(asked) else None
