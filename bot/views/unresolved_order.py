"""An unresolved order: the buttons that ask the user, and the answer to each."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import assert_never

from telegram import InlineKeyboardButton

from bot.interaction.callback_data import Confirm, Report, Word
from bot.interaction.message import Message
from bot.views.components.amounts import balance, cents, quantity, tokens
from bot.views.components.badges import badge, mode_badge
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, lines
from bot.views.components.order_text import deal
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import USDT, Side, base_of
from engine.domain.orders.order import Order, OrderState
from engine.domain.orders.settlement import Trace, trace
from engine.execution.manual_resolution import (
    AlreadyClear,
    KnownNow,
    LookupFailure,
    ReportAccepted,
    ReportContradicted,
    StillUnclear,
)

_WHY_UNCLEAR: Mapping[LookupFailure, str] = {
    LookupFailure.NOT_KNOWN: "MEXC still does not know it.",
    LookupFailure.NO_ANSWER: "MEXC does not answer.",
    LookupFailure.NOT_ALLOWED: "MEXC does not let me look with this key.",
    LookupFailure.UNKNOWN_STATUS: "MEXC has it under a status that I do not know.",
}


def report_rows(client_order_id: str) -> Sequence[Sequence[InlineKeyboardButton]]:
    """What the user may report of an order; valid as long as it is unresolved."""

    def word(label: str, said: Word) -> InlineKeyboardButton:
        return button(label, Report(said, client_order_id))

    return (
        [word("It was filled", Word.FILLED), word("It was not", Word.NOT_FILLED)],
        [word("Look again", Word.LOOK_AGAIN)],
    )


def already_clear_view(clear: AlreadyClear) -> Message:
    if clear.order is None:
        return Message(
            "I know no such order in this chat. Nothing happened. /status shows how things stand."
        )
    return Message.of(
        f"The order to {_what(clear.order)}: {_end(clear.order)}",
        "Nothing more happened. /status shows how things stand.",
    )


def known_now_view(known: KnownNow) -> Message:
    """The exchange's own report, which overrides a user's."""
    order = known.order
    after = (
        "It is over, so I book it and tell you the amounts in a moment."
        if known.over
        else "It is still open there. I follow it and send nothing else until it is over."
    )
    return Message.of(
        f"{mode_badge(dry_run=order.dry_run, halted=True)} · MEXC has it now",
        f"MEXC knows the order to {_what(order)}.",
        after,
        "/status shows how it stands.",
    )


def still_unclear_view(unclear: StillUnclear) -> Message:
    order = unclear.order
    return Message.of(
        f"{mode_badge(dry_run=order.dry_run, halted=True)} · Still unclear",
        f"{_WHY_UNCLEAR[unclear.silence]} So the order to {_what(order)} may or may not have traded.",
        "I look every 30 s, send nothing else meanwhile, and tell you as soon as I know. "
        "/status shows how it stands.",
    )


def believed_view(believed: ReportAccepted) -> Message:
    account, order = believed.account, believed.order
    said = "filled" if believed.filled else "not filled"
    return Message.paragraphs(
        lines(
            f"{badge(account)} · Taken as {said}",
            f"You said the order to {_what(order)} was {said}, and your balances agree.",
            *_changes(order, believed.seen),
        ),
        "MEXC never told me amounts and fee, so it is not in /history."
        if believed.filled
        else "No money moved.",
        _from_here(account),
    )


def doubted_view(doubted: ReportContradicted, *, confirmation_id: str) -> Message:
    """The user's report is contradicted. They may insist, and then trading is paused."""
    order = doubted.order
    said = "filled" if doubted.filled else "not filled"
    return Message.paragraphs(
        lines(
            f"{mode_badge(dry_run=order.dry_run, halted=True)} · I cannot confirm that",
            f"You said the order to {_what(order)} was {said}.",
            *_why_not(doubted),
            f"{_WHY_UNCLEAR[doubted.silence]} Nothing changed: I keep asking and send nothing "
            "else meanwhile.",
        ),
        "If you are sure all the same, tap the button within 90 s: I put the order aside, "
        "pause, and start from your balances as they are when you send /resume.",
        keyboard=keyboard([button("I am sure, put it aside", Confirm(confirmation_id))]),
    )


def ask_set_aside_view(*, account: Account, order: Order, confirmation_id: str) -> Message:
    """/resume while an order needs the user."""
    return Message.paragraphs(
        lines(
            f"{badge(account, halted=True)} · One order is unclear",
            f"I do not know what became of the order to {_what(order)}.",
            f"Its client order id is {escape(order.client_order_id)}.",
        ),
        "Please look in your orders at MEXC and tap what you saw. I compare it with your "
        "balances, and where they agree I go on from them.",
        "If it was filled in part, or you cannot tell, “I looked, go on” puts it aside: I stay "
        "paused and start from your balances as they are when you send /resume again.",
        "Without a tap nothing changes: I keep asking MEXC.",
        keyboard=keyboard(
            *report_rows(order.client_order_id),
            [button("I looked, go on", Confirm(confirmation_id))],
        ),
    )


def set_aside_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Put aside",
        "The unclear order no longer holds me up. No order was sent, trading is paused.",
        "/balance shows what you hold, /resume starts trading from there.",
        keyboard=keyboard([do("Resume", "resume")]),
    )


def _what(order: Order) -> str:
    return deal(order.side, order.symbol, order.expected_quote)


def _changes(order: Order, seen: Holdings) -> Sequence[str]:
    base = base_of(order.symbol)
    token = _change(order.base_before, seen.of(base).total, balance)
    money = _change(order.quote_before, seen.of(USDT).total, cents)
    return (f"{escape(base)}  {token}", f"USDT  {money}")


def _change(before: Decimal, now: Decimal, short: Callable[[Decimal], str]) -> str:
    """A change too small for the *short* form is shown to its last digit."""
    if before == now:
        return f"{short(now)}, as before the order"
    text = quantity if short(before) == short(now) else short
    return f"{text(before)} → {text(now)}"


def _why_not(doubted: ReportContradicted) -> Sequence[str]:
    if doubted.seen is None:
        return ("I cannot read your balances now, so there is nothing to compare it with.",)
    if trace(doubted.seen, doubted.order) is Trace.UNSURE:
        verdict = "neither show that nor rule it out"
    else:
        verdict = "do not show that" if doubted.filled else "speak against that"
    return (f"Your balances {verdict}:", *_changes(doubted.order, doubted.seen))


def _from_here(account: Account) -> str:
    if account.stopped:
        return (
            "Trading stays stopped, as it was. Once it is on again, it starts from these "
            "balances. /status shows how things stand."
        )
    return "Trading goes on: the next check starts from these balances. /pause stops it."


def _end(order: Order) -> str:
    match order.state:
        case OrderState.FILLED | OrderState.PARTIAL:
            execution = order.execution
            verb = "bought" if order.side is Side.BUY else "sold"
            amount = escape(tokens(execution.base_quantity, base_of(order.symbol)))
            return f"MEXC told me meanwhile that it {verb} {amount}. /history has it."
        case OrderState.SET_ASIDE:
            return "it was put aside already, after a look at MEXC."
        case OrderState.SENDING | OrderState.ACKED | OrderState.UNKNOWN | OrderState.NEEDS_HUMAN:
            return "I am finding out myself what became of it."
        case (
            OrderState.UNFILLED
            | OrderState.NOT_EXECUTED
            | OrderState.REJECTED
            | OrderState.PLANNED
            | OrderState.DROPPED
        ):
            return "it is cleared up already. It did not trade; no money moved."
        case _:
            assert_never(order.state)
