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
from bot.views.components.order_text import order_line
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
    LookupFailure.UNKNOWN_STATUS: "MEXC shows a status that I do not know.",
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
    order = clear.order
    if order is None:
        return Message("Nothing happened: I know no such order in this chat. More: /status")
    return Message.of(_line(order), _end(order), "Nothing more happened. More: /status")


def known_now_view(known: KnownNow) -> Message:
    """The exchange's own report, which overrides a user's."""
    order = known.order
    return Message.of(
        f"{mode_badge(dry_run=order.dry_run, halted=True)} · MEXC has it now",
        _line(order),
        "It is over. I tell you the amounts in a moment."
        if known.is_final
        else "It is still open there. I follow it and send nothing else until it is over.",
        "More: /status",
    )


def still_unclear_view(unclear: StillUnclear) -> Message:
    order = unclear.order
    return Message.of(
        f"{mode_badge(dry_run=order.dry_run, halted=True)} · Still unclear",
        _line(order),
        f"{_WHY_UNCLEAR[unclear.silence]} It may or may not have traded.",
        "I look every 30 s and send nothing else. I tell you as soon as I know.",
        "More: /status",
    )


def believed_view(believed: ReportAccepted) -> Message:
    account, order = believed.account, believed.order
    mode, changes = badge(account), _changes(order, believed.seen)
    if believed.filled:
        return Message.of(
            f"{mode} · Taken as filled",
            _line(order),
            "You said that it was filled, and your balances agree.",
            *changes,
            "MEXC never sent the amounts and the fee, so it is not in /history.",
            _from_here(account),
        )
    return Message.of(
        f"{mode} · Taken as not filled",
        "No money moved.",
        _line(order),
        "You said that it was not filled, and your balances agree.",
        *changes,
        _from_here(account),
    )


def doubted_view(doubted: ReportContradicted, *, confirmation_id: str) -> Message:
    """The user's report is contradicted. They may insist, and then trading is paused."""
    order = doubted.order
    return Message.of(
        f"{mode_badge(dry_run=order.dry_run, halted=True)} · I cannot confirm that",
        f"{_WHY_UNCLEAR[doubted.silence]} Nothing changed.",
        _line(order),
        "You said that it was filled." if doubted.filled else "You said that it was not filled.",
        *_why_not(doubted),
        "Are you sure? Tap within 90 s: I pause, and start from your balances at /resume.",
        keyboard=keyboard([button("I am sure, put it aside", Confirm(confirmation_id))]),
    )


def ask_set_aside_view(*, account: Account, order: Order, confirmation_id: str) -> Message:
    """/resume while an order needs the user."""
    return Message.paragraphs(
        lines(
            f"{badge(account, halted=True)} · One order is unclear",
            _line(order),
            f"Its client order id at MEXC is {escape(order.client_order_id)}.",
        ),
        "Tap what MEXC shows. I check it against your balances.",
        lines(
            "Filled in part, or not sure: tap “I looked, go on”. I stay paused.",
            "Your next /resume then starts from your balances.",
            "No tap: nothing changes, and I keep asking MEXC.",
        ),
        keyboard=keyboard(
            *report_rows(order.client_order_id),
            [button("I looked, go on", Confirm(confirmation_id))],
        ),
    )


def set_aside_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Put aside",
        "No order was sent. Trading is paused.",
        "I do not wait for the unclear order any more.",
        "What you hold: /balance. To trade from there: /resume",
        keyboard=keyboard([do("Resume", "resume")]),
    )


def _line(order: Order) -> str:
    return order_line(order.side, order.symbol, order.expected_quote)


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
        return ("I cannot read your balances now, so I cannot compare.",)
    if trace(doubted.seen, doubted.order) is Trace.UNSURE:
        verdict = "Your balances neither show that nor rule it out:"
    elif doubted.filled:
        verdict = "Your balances do not show that:"
    else:
        verdict = "Your balances speak against that:"
    return (verdict, *_changes(doubted.order, doubted.seen))


def _from_here(account: Account) -> str:
    if account.stopped:
        return "Trading stays stopped. It will start from these balances. More: /status"
    return "Trading goes on: the next check starts from these balances. To stop: /pause"


def _end(order: Order) -> str:
    match order.state:
        case OrderState.FILLED | OrderState.PARTIAL:
            amount = escape(tokens(order.execution.base_quantity, base_of(order.symbol)))
            if order.side is Side.BUY:
                return f"MEXC has told me since: it bought {amount}. Details: /history"
            return f"MEXC has told me since: it sold {amount}. Details: /history"
        case OrderState.SET_ASIDE:
            return "It was put aside already, after a look at MEXC."
        case OrderState.SENDING | OrderState.ACKED | OrderState.UNKNOWN | OrderState.NEEDS_HUMAN:
            return "I am finding out myself what became of it."
        case (
            OrderState.UNFILLED
            | OrderState.NOT_EXECUTED
            | OrderState.REJECTED
            | OrderState.PLANNED
            | OrderState.DROPPED
        ):
            return "It did not trade, and no money moved."
        case _:
            assert_never(order.state)
