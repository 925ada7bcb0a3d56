"""A trade that awaits approval: the request, the notice, and the answers."""

from bot.interaction.callback_data import Choose
from bot.interaction.message import Message
from bot.views.components.amounts import band_range, cents, drift, pair_name, price, tokens, usdt
from bot.views.components.badges import badge, mode_badge
from bot.views.components.forecast import sizing_note
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, lines
from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import DriftNoticed, PlanOffered
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
        lines(f"{mode_badge(dry_run=told.dry_run)} · Shall I trade?", _seen(told)),
        _plan(told),
        lines(
            "Tap Trade and I price it again, then send it once. Skip leaves this drift alone for "
            "an hour, or until it changes. Without a tap nothing happens.",
            "/rebalance makes a plan at any time; /mode says how far I go by myself.",
        ),
        keyboard=keyboard([trade], others),
    )


def drift_noticed_view(told: DriftNoticed) -> Message:
    """The notice, once per drift, in a chat that is only notified."""
    return Message.paragraphs(
        lines(f"{mode_badge(dry_run=told.dry_run)} · Off target", _seen(told)),
        lines("I would trade this:", _plan(told)),
        "I sent nothing: you chose to be told only. Send /rebalance to trade it. "
        "/mode lets me ask, or trade by myself.",
        keyboard=keyboard([do("Rebalance", "rebalance"), do("Mode", "mode")]),
    )


def skipped_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Skipped",
        "No order was sent. I do not ask about this drift again for an hour, unless it "
        "changes by a tenth or the balance was back in its band meanwhile.",
        "/rebalance trades it after all.",
        keyboard=keyboard([do("Rebalance", "rebalance")]),
    )


def resting_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · No questions for an hour",
        "No order was sent, and none leaves meanwhile unless you send /rebalance.",
        "/mode ask makes me ask again at once.",
        keyboard=keyboard([do("Rebalance", "rebalance"), do("Mode ask", "mode", "ask")]),
    )


def _seen(told: DriftNoticed) -> str:
    relative = drift(told.held, target=told.target)
    return lines(
        f"You hold {usdt(told.held)}, the target is {cents(told.target)} ({relative}).",
        f"That is outside the band of {band_range(told.band)}.",
    )


def _plan(told: DriftNoticed) -> str:
    verb = "Buy" if told.side is Side.BUY else "Sell"
    amount = escape(tokens(told.expected_base, base_of(told.symbol)))
    at = ""
    if told.expected_base:
        at = f" at about {price(told.expected_quote / told.expected_base)}"
    return lines(
        f"{verb} about {amount} ({escape(pair_name(told.symbol))})",
        f"for about {usdt(told.expected_quote)}{at}",
        f"USDT  {cents(told.held)} → about {cents(max(ZERO, told.held_after))}"
        if told.held_after is not None
        else None,
        _thin_book(told),
        "On paper: no real money moves." if told.dry_run else None,
    )


def _thin_book(told: DriftNoticed) -> str | None:
    """Why less than the requested amount would be traded."""
    if told.asked_quote is None:
        return None
    if not told.complete:
        base = escape(base_of(told.symbol))
        verb = "sells" if told.side is Side.BUY else "buys"
        return (
            f"⚠️ Only {usdt(told.expected_quote)} of {usdt(told.asked_quote)}: nobody {verb} more "
            f"{base} within 5% of the last price."
        )
    if told.side is Side.BUY and cents(told.expected_quote) != cents(told.asked_quote):
        return sizing_note(told.asked_quote, spent=told.expected_quote)
    return None
