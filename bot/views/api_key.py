"""`/connect` and `/disconnect`: asking for a key, its permissions, and why one is refused."""

from telegram import InlineKeyboardMarkup

from bot.interaction.callback_data import Confirm
from bot.interaction.message import Message
from bot.views.alerts.incidents import MOVE_HOST, add_address, host_refused, unusable_answer
from bot.views.components.amounts import balance, count, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import caution, next_step
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, fitted, lines, listed, paragraphs, quoted
from bot.views.stray_api_keys import deletion
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings, TradingMode
from engine.domain.market.pairs import USDT, PairRules, base_of
from engine.errors import (
    AccountElsewhere,
    AccountRestricted,
    AddressRefused,
    BadCredentials,
    BadData,
    ClockRefused,
    EngineError,
    HostRefused,
    KeyElsewhere,
    MissingPermission,
    NotGranted,
    OrderRests,
    PairUnavailable,
    RateLimited,
    Rejected,
    TooPowerful,
)
from engine.exchanges.interface import KeyInspection
from engine.rebalancing.preview import Foreseen

_SOON_DAYS = 14
_POWERS = {
    "SPOT_ACCOUNT_READ": "read balances",
    "SPOT_DEAL_READ": "read orders",
    "SPOT_DEAL_WRITE": "trade",
}
_ON_PAPER = "🧪 Dry run: I trade paper money, not this balance. /dryrun off trades real money."
_HOW = (
    "Make the key at MEXC, under API Management. Allow only spot account read, spot trade read "
    "and spot trade write. Leave out withdrawal and transfer."
)
_DISCONNECT_THERE = "Send /disconnect there first, then /connect here."


def ask_key_view(*, account: Account) -> Message:
    replaces = (
        f"The key ending in {escape(account.key_tail)} stays until I have checked the new one."
        if account.key_tail
        else None
    )
    return Message.paragraphs(
        lines("Step 1 of 2: send me the access key.", replaces),
        _HOW,
        lines(
            "I delete your message at once. I store the key encrypted and never show it.",
            "You can send both in one message: /connect KEY SECRET",
        ),
    )


def ask_secret_view(*, deleted: bool) -> Message:
    return Message.of("Step 2 of 2: send me the secret key.", deletion(deleted=deleted))


def connected_view(
    *,
    account: Account,
    facts: KeyInspection,
    rules: PairRules | None,
    deleted: bool,
    replaced_tail: str | None = None,
    foreseen: Foreseen | None = None,
) -> Message:
    """*account* with its new key; connecting always leaves trading paused.
    In a dry run *foreseen* is of the paper balance, which the next check uses.
    """
    settings = account.settings
    base = base_of(settings.symbol)
    warning = caution(settings, rules=rules, seen=foreseen.seen if foreseen else None)
    held = facts.holdings.of(USDT).counted(settings.counting)
    step = rules.quantity_step if rules else None
    tokens_held = balance(facts.holdings.of(base).counted(settings.counting), step=step)
    tail = escape(account.key_tail or "")
    held_now = f"{usdt(held)} and {tokens_held} {escape(base)}"
    replaced = f"It replaces the one ending in {escape(replaced_tail)}." if replaced_tail else None
    addresses, caution_text = _addresses(facts), warning.text if warning else None
    by_itself = (
        "After /resume I trade by myself. With /mode ask I ask you before each order."
        if settings.autonomy is TradingMode.AUTO
        else None
    )
    first_check = next_step(
        account,
        held=None if settings.dry_run else held,
        rules=rules,
        foreseen=foreseen,
    )
    text = paragraphs(
        lines(
            f"{badge(account)} · Key connected",
            f"The key ending in {tail} works. I keep it encrypted.",
            replaced,
            deletion(deleted=deleted),
            f"{_powers(facts)} {_validity(facts)}",
            addresses,
        ),
        lines(
            f"At MEXC you hold {held_now}." if settings.dry_run else f"You hold {held_now}.",
            _ON_PAPER if settings.dry_run else None,
        ),
        first_check,
        caution_text,
        by_itself,
    )
    least = (addresses, by_itself, replaced, caution_text, *first_check.splitlines()[1:])
    return Message(fitted(text, *least), _next_steps(settings))


def _next_steps(settings: Settings) -> InlineKeyboardMarkup | None:
    ask = [do("Ask me each time", "mode", "ask")] if settings.autonomy is TradingMode.AUTO else []
    return keyboard([do("Resume", "resume"), *ask]) if settings.paused else None


def connect_failed_view(*, error: EngineError, account: Account, deleted: bool) -> Message:
    """Nothing was stored. A key connected earlier is unchanged."""
    kept = (
        f"The key ending in {escape(account.key_tail)} stays connected."
        if account.key_tail
        else None
    )
    return Message.paragraphs(
        lines("⚠️ Key not stored", _failure(error, account=account)),
        lines("No order was sent. I kept nothing of this key.", kept, deletion(deleted=deleted)),
    )


def ask_disconnect_view(*, account: Account, confirmation_id: str) -> Message:
    return Message.of(
        f"{badge(account)} · Forget the key ending in {escape(account.key_tail or '')}?",
        "I stop trading and delete my copy of the key.",
        "Your coins, settings and history stay.",
        "Tap within 90 s. No tap: the key stays. Later: /disconnect",
        keyboard=keyboard([button("Forget the key", Confirm(confirmation_id))]),
    )


def disconnected_view(*, account: Account, key_tail: str) -> Message:
    return Message.of(
        f"{badge(account)} · Key forgotten",
        "I trade nothing any more. Your coins are where they were.",
        f"My copy of the key ending in {escape(key_tail)} is deleted.",
        "Delete the key at MEXC too. /connect adds a new one.",
    )


def another_key_view(*, account: Account) -> Message:
    """The key that the confirmation was about has been replaced since."""
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"You connected another key after I asked: {escape(account.key_tail or '')}. It stays.",
        "To forget that one, send /disconnect again.",
    )


def nothing_to_disconnect_view() -> Message:
    return Message("This chat has no key. /connect adds one.")


def _failure(error: EngineError, *, account: Account) -> str:  # noqa: C901, PLR0911, PLR0912 - one return a cause
    symbol = escape(account.settings.symbol)
    match error:
        case TooPowerful():
            return lines(
                "This key can move money out of your account. I take no such key.",
                f"MEXC lists: {quoted(error.message)}.",
                _HOW,
            )
        case BadCredentials():
            return lines(
                f"MEXC does not know this key, or the secret does not fit: {quoted(error.message)}.",
                "Copy both again, then /connect.",
                "A key without addresses expires after 90 days.",
            )
        case AddressRefused():
            return lines(
                f"The key works only from other IP addresses: {quoted(error.message)}.",
                add_address(error.message),
                "Then send /connect again.",
            )
        case MissingPermission():
            return lines(f"The key lacks a permission: {quoted(error.message)}.", _HOW)
        case AccountRestricted():
            return lines(
                f"MEXC restricts this account: {quoted(error.message)}.",
                "Ask MEXC's support what is missing.",
            )
        case PairUnavailable():
            return lines(
                f"The key may not trade {symbol}: {quoted(error.message)}.",
                f"Allow {symbol} under the key's trading pairs at MEXC. Or choose another pair "
                "with /setpair. Then /connect again.",
            )
        case ClockRefused():
            return "MEXC's clock and mine differ. Send /connect again in a minute."
        case HostRefused():
            return lines(host_refused(str(error)), "I could not check the key.", MOVE_HOST)
        case BadData():
            return lines(
                unusable_answer(str(error), pair=symbol),
                "I could not check the key. Send /connect again later.",
            )
        case RateLimited():
            return "MEXC asks me to slow down. Send /connect again in a few minutes."
        case Rejected():
            return lines(
                f"MEXC refused the key: {quoted(error.message)}.",
                "Look at it at MEXC, then /connect again.",
            )
        case NotGranted():
            return _not_granted(error)
        case _:
            return lines(
                "MEXC does not answer. I could not check the key.", "Send /connect again later."
            )


def _not_granted(error: NotGranted) -> str:
    if isinstance(error, AccountElsewhere):
        return lines(
            "Another chat has a key of the same MEXC account.",
            "Two chats would undo each other's trades.",
            _DISCONNECT_THERE,
        )
    if isinstance(error, KeyElsewhere):
        return lines(
            "Another chat trades with this key already.",
            "Two chats would trade the same balance twice.",
            _DISCONNECT_THERE,
        )
    if isinstance(error, OrderRests):
        return lines(
            "An order waits at MEXC. I need the present key to cancel it.",
            "Send /pause: that cancels it. Then send /connect again.",
        )
    return lines(
        "An order is not confirmed yet. I need the present key to look it up.",
        "Send /connect again when /status shows no open order.",
    )


def _powers(facts: KeyInspection) -> str:
    if facts.permissions is None:
        return "MEXC does not say what the key may do. Make sure that it may not withdraw."
    powers = [
        _POWERS.get(permission, escape(permission)) for permission in sorted(facts.permissions)
    ]
    return f"It may not withdraw. Allowed: {listed(powers)}."


def _validity(facts: KeyInspection) -> str:
    if facts.days_left is None:
        return "MEXC does not say when it expires: after 90 days, unless it has IP addresses."
    if facts.days_left <= _SOON_DAYS:
        return count(
            facts.days_left,
            "⚠️ It expires in 1 day. Renew it at MEXC before then.",
            "⚠️ It expires in {n} days. Renew it at MEXC before then.",
        )
    return count(facts.days_left, "It expires in 1 day.", "It expires in {n} days.")


def _addresses(facts: KeyInspection) -> str | None:
    if not facts.addresses:
        return None
    return f"It works only from these addresses: {escape(', '.join(facts.addresses))}."
