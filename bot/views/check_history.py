"""Earlier decisions, in a line each."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import assert_never

from telegram import InlineKeyboardButton

from bot.interaction.callback_data import ReplayPage, WhyPage
from bot.interaction.message import Message
from bot.views.alerts.incidents import what_went_wrong
from bot.views.components.amounts import usdt
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, in_rows, keyboard, pager
from bot.views.components.layout import escape, lines, paragraphs
from bot.views.components.no_trade_reasons import reason_text
from bot.views.components.order_text import order_sentence
from bot.views.components.times import stamp, zone_name
from bot.views.why import LEFT_TO_YOU
from engine.domain.accounts.account import Account
from engine.domain.market.pairs import Symbol, base_of
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    AwaitingSettlement,
    CheckFailed,
    CheckResult,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PlanChanged,
)

_WORDS = "Later Earlier"
_MOST_REPLAYS = 6


def with_earlier(
    latest: Message,
    *,
    account: Account,
    look: CheckResult | None,
    before: Sequence[CheckResult],
    size: int,
    has_more: bool,
) -> Message:
    """The last decision, *look*, in full, and those *before* it below."""
    rows = [
        *_replays([look, *before] if look else before, page=0, size=size),
        pager(0, partial(WhyPage, size=size), has_more=has_more, words=_WORDS),
    ]
    latest = replace(latest, keyboard=keyboard(*rows) if any(rows) else None)
    if not before:
        return latest
    return replace(
        latest,
        text=paragraphs(
            latest.text,
            lines(
                f"<b>Before that</b> ({zone_name()}, /why 10 shows more)", *_told(before, account)
            ),
        ),
    )


def earlier_view(
    *, account: Account, decisions: Sequence[CheckResult], page: int, size: int, has_more: bool
) -> Message:
    """A page of them, newest first."""
    turns = pager(page, partial(WhyPage, size=size), has_more=has_more, words=_WORDS)
    return Message.paragraphs(
        f"{badge(account)} · Decisions, page {page + 1}",
        lines(*_told(decisions, account)) if decisions else "There are none before that.",
        f"Times in {zone_name()}. The last one in full: /why",
        keyboard=keyboard(*_replays(decisions, page=page, size=size), turns),
    )


def _replays(
    decisions: Sequence[CheckResult], *, page: int, size: int
) -> list[list[InlineKeyboardButton]]:
    """A button for each of the newest orders among *decisions*."""
    placed = [
        button(
            f"Replay {stamp(look.at).lstrip()}",
            ReplayPage(look.verdict.client_order_id, page, size),
        )
        for look in decisions
        if isinstance(look.verdict, OrderPlaced)
    ]
    return in_rows(placed[:_MOST_REPLAYS], 2)


def _told(decisions: Sequence[CheckResult], account: Account) -> list[str]:
    return [
        f"{stamp(look.at).lstrip()} · {_sentence(look, account.settings.symbol)}"
        for look in decisions
    ]


def _sentence(look: CheckResult, symbol: Symbol) -> str:
    """On one line, whatever it is."""
    if look.seen is not None:
        symbol = look.seen.symbol
    decided = " ".join(_decided(look, symbol).split())
    return f"After a tap. {decided}" if look.trigger is Trigger.PERSON else decided


def _decided(look: CheckResult, symbol: Symbol) -> str:  # noqa: PLR0911 - one return a verdict
    verdict, base = look.verdict, escape(base_of(symbol))
    held = look.seen.held if look.seen else None
    match verdict:
        case OrderPlaced():
            sent = order_sentence(
                verdict.side,
                symbol,
                verdict.expected_quote,
                buy="Sent an order to buy {base} for about {amount}.",
                sell="Sent an order to sell {base} for about {amount}.",
            )
            if held is None or look.target is None:
                return sent
            return f"{sent} Held {usdt(held)}, target {usdt(look.target)}."
        case NoTrade():
            text = reason_text(verdict.reason, symbol=symbol, held=held, band=look.band)
            return f"No order: {text}"
        case AwaitingApproval():
            return LEFT_TO_YOU[verdict.autonomy]
        case PlanChanged():
            return "No order: the tap no longer fitted, or came too late."
        case OrderPending():
            return "No order: an earlier one was not confirmed yet."
        case AwaitingSettlement(told=True):
            return "No order: MEXC's balance did not show a change that MEXC had told of."
        case AwaitingSettlement():
            return "No order: MEXC's balance did not show the last trade yet."
        case CheckFailed():
            return what_went_wrong(verdict.kind, detail=verdict.detail, base=base)
        case _:
            assert_never(verdict)
