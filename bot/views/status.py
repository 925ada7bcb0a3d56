"""The status message of `/status`: mode, target, holdings, band, next check and last trade.
It stays in the chat and is edited when something happened, so it shows moments, not ages.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from telegram import InlineKeyboardMarkup

from bot.interaction.callback_data import Pin, Refresh
from bot.interaction.message import Message
from bot.views.alerts.incidents import trouble_note
from bot.views.alerts.key_expiry import life
from bot.views.alerts.undeliverable import undeliverable_note
from bot.views.components.amounts import (
    balance,
    band_range,
    drift,
    pair_name,
    quantity,
    threshold,
    usdt,
)
from bot.views.components.badges import badge
from bot.views.components.forecast import HALTED_FOR_ALL, held_at
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import block, escape, row
from bot.views.components.order_text import deal
from bot.views.components.times import compact, utc
from bot.views.trading_mode import mode_note
from bot.views.unresolved_order import report_rows
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.accounts.undeliverable import NOTHING, Refused
from engine.domain.market.pairs import PairRules, Side, base_of
from engine.domain.orders.order import Order, OrderState
from engine.domain.rebalancing.check_result import CheckResult, OrderPlaced

_GRACE = timedelta(minutes=1)
_KEY_SHOWN_FROM = timedelta(days=30)


def status_view(
    *,
    account: Account,
    now: datetime,
    look: CheckResult | None = None,
    price: Decimal | None = None,
    rules: PairRules | None = None,
    last_trade: Order | None = None,
    unresolved: Order | None = None,
    trouble: Incident | None = None,
    undelivered: int = 0,
    refused: Refused = NOTHING,
    pinned: bool = False,
    dated: bool = True,
) -> Message:
    """*look* is the last check that read the balances; *price* values the token if it has none.
    *undelivered* counts alerts that Telegram has not accepted yet, *refused* says where it accepts
    none. Text that is not *dated* stays the same until something happens.
    """
    settings = account.settings
    halted = unresolved is not None and unresolved.state is OrderState.NEEDS_HUMAN
    rows = [
        f"{badge(account, halted=halted)} · {pair_name(settings.symbol)}",
        *row("Target", f"{usdt(settings.target)} ±{threshold(settings.threshold)}"),
        *row("Holds", _holds(account, look, last_trade)),
        *row("Band", band_range(settings.band)),
        *_token(account, look, last_trade, price=price, rules=rules),
        *_age(account, look, now=now),
        *_key(account, now=now),
        *row("Next", _next(account, trouble)),
        *_last(last_trade),
    ]
    notes = [
        HALTED_FOR_ALL if account.halted else None,
        _key_note(account),
        _unresolved_note(unresolved),
        mode_note(account),
        trouble_note(trouble, symbol=settings.symbol) if trouble else None,
        undeliverable_note(refused, waiting=undelivered),
    ]
    return Message.paragraphs(
        block(rows),
        *notes,
        _commands(account),
        f"<i>As of {utc(now)}</i>" if dated else None,
        keyboard=_buttons(account, unclear=unresolved if halted else None, pinned=pinned),
    )


def retired_card_view() -> Message:
    """What is left of a status message when the chat has a newer one."""
    return Message("A newer card is below. /status sends another one.")


def newer_card_notice() -> str:
    return "A newer card is below; this one is not kept up to date any more."


def up_to_date_notice() -> str:
    return "Up to date"


def not_read_notice(*, seen_at: datetime | None) -> str:
    """The balances could not be read just now."""
    known = f"The card shows what I saw {utc(seen_at)}." if seen_at else "I saw nothing yet."
    return f"MEXC does not answer. {known} I keep trying; the card changes when I see more."


def pinned_notice(*, pinned: bool) -> str:
    return "Pinned: the card stays on top." if pinned else "Unpinned. The card stays in the chat."


def may_not_pin_notice() -> str:
    return (
        "Telegram does not let me pin here. In a group, make me an admin who may pin messages, "
        "then tap again."
    )


def telegram_away_notice() -> str:
    return "Telegram did not take that. Nothing changed; please tap again."


def _holds(account: Account, look: CheckResult | None, last_trade: Order | None) -> str:
    if look is None or look.seen is None:
        return "not seen yet"
    held = held_at(look, account.settings, order=last_trade)
    if held is None:
        held = look.seen.quote.counted(account.settings.counting)
    return f"{usdt(held)}  {drift(held, target=account.settings.target)}"


def _token(
    account: Account,
    look: CheckResult | None,
    last_trade: Order | None,
    *,
    price: Decimal | None,
    rules: PairRules | None,
) -> Iterable[str]:
    symbol = account.settings.symbol
    if look is None or look.seen is None or look.seen.symbol != symbol:
        return ()
    amount = look.seen.base.counted(account.settings.counting)
    if last_trade is not None and last_trade.base_after is not None and _is_of(last_trade, look):
        amount = last_trade.base_after
    value = balance(amount, step=rules.quantity_step if rules else None)
    price = look.seen.price or price
    if price is not None:
        value += f" ≈ {usdt(amount * price)}"
    return row(base_of(symbol), value)


def _is_of(trade: Order, look: CheckResult) -> bool:
    """True if *look* sent *trade*, and so read the balances before it."""
    verdict = look.verdict
    return isinstance(verdict, OrderPlaced) and verdict.client_order_id == trade.client_order_id


def _age(account: Account, look: CheckResult | None, *, now: datetime) -> Iterable[str]:
    """Balances that are older than expected are marked."""
    if look is None or now - look.at <= 2 * account.settings.interval + _GRACE:
        return ()
    return row("Seen", utc(look.at))


def _next(account: Account, trouble: Incident | None) -> str:
    if not account.can_trade:
        return "nothing without a key"
    if account.halted:
        return "nothing while halted"
    if account.settings.paused:
        return "nothing while paused"
    if trouble is not None:
        return "another try soon"
    return f"check within {compact(account.settings.interval)}"


def _last(trade: Order | None) -> Iterable[str]:
    if trade is None:
        return ()
    verb = "bought" if trade.side is Side.BUY else "sold"
    execution = trade.execution
    return [
        *row("Last", f"{verb} {quantity(execution.base_quantity)} {base_of(trade.symbol)}"),
        *row("", f"for {usdt(execution.quote_amount)}"),
        *row("", utc(trade.resolved_at or trade.created_at)),
        *(row("", "(paper)") if trade.dry_run else []),
    ]


def _key(account: Account, *, now: datetime) -> Iterable[str]:
    """A key that expires within a month is marked."""
    if account.key_tail is None or account.key_expires_at is None:
        return ()
    if account.key_expires_at - now > _KEY_SHOWN_FROM:
        return ()
    return row("Key", f"…{account.key_tail}, {life(account.key_expires_at, now=now)}")


def _key_note(account: Account) -> str | None:
    if account.can_trade:
        return None
    return "No MEXC key yet. Send /connect to add one, or try it on paper with /dryrun on."


def _unresolved_note(order: Order | None) -> str | None:
    if order is None:
        return None
    text = (
        f"⏳ An order to {deal(order.side, order.symbol, order.expected_quote)} is not confirmed "
        f"(sent {utc(order.created_at)}). I look it up and send nothing else meanwhile."
    )
    if order.state is OrderState.NEEDS_HUMAN:
        text += (
            f" Please look for it at MEXC (its id is {escape(order.client_order_id)}) and tap "
            "what you saw."
        )
    return text


def _commands(account: Account) -> str:
    """Telegram makes these tappable; they name what the buttons do."""
    first = "/rebalance" if account.can_trade else "/connect"
    second = "/resume" if account.settings.paused else "/pause"
    return f"{first} {second}\n/settarget /setthreshold /history\n/settings /status"


def _buttons(account: Account, *, unclear: Order | None, pinned: bool) -> InlineKeyboardMarkup:
    first = do("Rebalance now", "rebalance") if account.can_trade else do("Connect", "connect")
    is_paused = account.settings.paused
    second = do("Resume", "resume") if is_paused else do("Pause", "pause")
    return keyboard(
        *(report_rows(unclear.client_order_id) if unclear else ()),
        [first, second],
        [
            do("Target", "settarget"),
            do("Threshold", "setthreshold"),
            do("History", "history"),
        ],
        [
            button("Refresh", Refresh()),
            do("Settings", "settings"),
            button("Unpin" if pinned else "Pin", Pin(on=not pinned)),
        ],
    )
