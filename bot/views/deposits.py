"""`/deposits`: what happens to USDT that arrives, and the answers to the buttons of one that waits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.interaction.callback_data import Choose
from bot.interaction.message import Message
from bot.views.components.amounts import cents, usdt
from bot.views.components.badges import badge
from bot.views.components.command_text import interval_text
from bot.views.components.forecast import next_check
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, lines, paragraphs
from bot.views.components.times import exactly, utc
from engine.domain.accounts.account import Account
from engine.domain.accounts.deposits import DepositChoice, DepositRule
from engine.domain.accounts.settings import Settings, TradingMode
from engine.domain.market.pairs import Symbol, base_of
from engine.domain.rebalancing.deposit_offer import DepositOffer
from engine.rebalancing.preview import Outlook

BUY, KEEP, DAY, ALWAYS = range(4)
ANSWERS = (BUY, KEEP, DAY, ALWAYS)
_RULES: Sequence[DepositRule] = tuple(map(DepositRule, DepositChoice))


def deposits_view(*, account: Account, now: datetime) -> Message:
    """The four rules, the present one, and what waits."""
    settings = account.settings
    return Message.paragraphs(
        f"{badge(account)} · Deposits: {_name(settings.deposits)}",
        _shared_out(settings),
        lines(
            "What I do when USDT arrives (/deposits):",
            *(_line(rule, settings) for rule in _RULES),
            _mode_note(settings),
        ),
        _waits(account, now=now),
        keyboard=_buttons(account, now=now),
    )


def deposits_changed_view(*, account: Account, changed: bool, now: datetime) -> Message:
    """*account* after the change."""
    settings = account.settings
    name = _name(settings.deposits)
    title = f"Deposits set to {name}" if changed else f"Deposits are set to {name} already"
    return Message.paragraphs(
        lines(
            f"{badge(account)} · {title}",
            _meanings(settings)[settings.deposits.choice],
            _shared_out(settings),
            _mode_note(settings),
            "What each rule does: /deposits",
        ),
        _waits(account, now=now),
        keyboard=_buttons(account, now=now),
    )


def waiting_view(*, account: Account, offer: DepositOffer, note: str | None = None) -> Message:
    """The card of the deposit that waits, in place of the one before, for what *offer* is about."""
    settings, waiting = account.settings, account.waiting
    if waiting is None:
        return deposit_over_view(account=account)
    text = waiting_text(
        settings.symbol,
        buys=offer.buys,
        until=waiting.until,
        asks=settings.asks_about_deposits,
        order_limit=account.limits_in_force.order,
    )
    return Message.paragraphs(
        lines(f"{badge(account)} · {usdt(offer.amount)} waiting", note),
        text,
        "All about deposits: /deposits",
        keyboard=deposit_buttons(waiting.question_id, new_target=offer.new_target),
    )


def waiting_text(
    symbol: Symbol, *, buys: Decimal, until: datetime, asks: bool, order_limit: Decimal | None
) -> str:
    """What happens without a tap, and the limit of an order if that stops what a tap asks for."""
    at, base = utc(until), escape(base_of(symbol))
    limit = (
        f"Your limit of {usdt(order_limit)} an order stops that: /limits"
        if order_limit is not None and buys > order_limit
        else None
    )
    if asks:
        return lines(
            f"Shall I buy {base} for about {usdt(buys)}?",
            limit,
            f"I send no order without your tap. I ask again {at}.",
        )
    return lines(f"I wait until {at}, then I buy {base} for about {usdt(buys)}.", limit)


def deposit_buttons(question_id: str, *, new_target: Decimal | None) -> InlineKeyboardMarkup:
    day = button("Wait a day", Choose(question_id, DAY))
    buy = button("Buy now", Choose(question_id, BUY))
    if new_target is None:
        return keyboard([buy, day])
    keep = button(f"Keep: target {cents(new_target)}", Choose(question_id, KEEP))
    return keyboard([buy, keep], [day, button("Always keep", Choose(question_id, ALWAYS))])


def buying_view(*, account: Account, now: datetime, outlook: Outlook) -> Message:
    """The wait is over by a tap; priced anew."""
    return Message.paragraphs(
        f"{badge(account)} · The wait is over", next_check(account, outlook, now=now)
    )


def cannot_buy_view(*, account: Account) -> Message:
    """A tap on "Buy now" while nothing is traded; the deposit waits on."""
    why = (
        "My owner halted all chats, so no order was sent."
        if account.halted
        else "Trading is paused, so no order was sent. To start it: /resume"
    )
    return Message.of(
        f"{badge(account)} · Nothing bought",
        why,
        "The deposit still waits: /deposits",
        keyboard=keyboard(
            [*([] if account.halted else [do("Resume", "resume")]), do("Deposits", "deposits")]
        ),
    )


def deposit_over_view(*, account: Account) -> Message:
    """A tap on buttons that have nothing to decide any more."""
    return Message.of(
        f"{badge(account)} · Nothing waits",
        "This deposit does not wait any more. Your tap changed nothing.",
        "What became of it: /history. What waits now: /deposits",
        keyboard=keyboard([do("History", "history"), do("Deposits", "deposits")]),
    )


def deposit_late_view() -> Message:
    """The same, where the time was over."""
    return Message.of(
        "The wait of this deposit is over. Your tap changed nothing.",
        "What became of it: /history. What waits now: /deposits",
        keyboard=keyboard([do("History", "history"), do("Deposits", "deposits")]),
    )


def undo_keep_late_view() -> Message:
    return Message.of(
        "Too late: that undo works for 1 day. Nothing changed.",
        "To set another target: /settarget",
        keyboard=keyboard([do("Target", "settarget")]),
    )


def always_kept(message: Message) -> Message:
    """*message* shows the target that was raised."""
    note = "From now on I keep what arrives. Another rule: /deposits"
    return replace(message, text=paragraphs(message.text, note))


CHANGED = "The amounts changed. Nothing was done yet."
UNREAD = "MEXC does not answer, so nothing was done."


def _meanings(settings: Settings) -> Mapping[DepositChoice, str]:
    base = escape(base_of(settings.symbol))
    wait = exactly(settings.deposits.wait)
    return {
        DepositChoice.NOW: f"I buy {base} for it at the next check.",
        DepositChoice.WAIT: f"I wait {wait}, then I buy {base} for it.",
        DepositChoice.ASK: "I ask you, and buy nothing for it without a tap.",
        DepositChoice.KEEP: "I keep it: the target rises by it.",
    }


def _shared_out(settings: Settings) -> str | None:
    """No deposit waits where the target is no amount of USDT."""
    if settings.fixed is not None:
        return None
    return (
        "Your target is no amount of USDT: what arrives counts for all of it at once. These rules "
        "are for a target like /settarget 40."
    )


def _line(rule: DepositRule, settings: Settings) -> str:
    current = settings.deposits
    mark = "▶" if rule.choice is current.choice else "▫"
    name = _name(replace(rule, wait=current.wait))
    return f"{mark} <b>{name}</b> – {_meanings(settings)[rule.choice]}"


def _name(rule: DepositRule) -> str:
    if rule.choice is DepositChoice.WAIT:
        return f"wait {interval_text(rule.wait)}"
    return str(rule.choice.value)


def _mode_note(settings: Settings) -> str | None:
    early = settings.deposits.choice in {DepositChoice.NOW, DepositChoice.WAIT}
    if not early or settings.autonomy is TradingMode.AUTO:
        return None
    return f"But in mode {settings.autonomy.value} I ask you first."


def _waits(account: Account, *, now: datetime) -> str | None:
    waiting = account.waits(now)
    if waiting is None:
        return None
    at = utc(waiting.until)
    if account.settings.asks_about_deposits:
        return f"{usdt(waiting.amount)} waits for your answer. I ask again {at}."
    return f"{usdt(waiting.amount)} waits until {at}, then I buy for it."


def _buttons(account: Account, *, now: datetime) -> InlineKeyboardMarkup:
    current = account.settings.deposits.choice
    rules: list[InlineKeyboardButton] = []
    for rule in _RULES:
        if rule.choice is not current:
            name = _name(rule)
            rules.append(do(f"/deposits {name}", "deposits", name.replace(" ", "")))
    waiting = account.waits(now)
    if waiting is None:
        return keyboard(*([one] for one in rules))
    offer = DepositOffer.of(
        account, waiting.amount, held=account.settings.fixed_goal.target + waiting.amount
    )
    card = deposit_buttons(waiting.question_id, new_target=offer.new_target)
    return keyboard(*card.inline_keyboard, *([one] for one in rules))
