"""`/connect` and `/disconnect`: asking for a key, its permissions, and why one is refused."""

from telegram import InlineKeyboardMarkup

from bot.interaction.callback_data import Confirm
from bot.interaction.message import Message
from bot.views.alerts.incidents import MOVE_HOST, address_in, host_refused, unusable_answer
from bot.views.components.amounts import balance, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import band_line, caution, next_step
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape, lines, quoted
from bot.views.components.times import days
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
_ON_PAPER = (
    "🧪 Dry run is on: I trade a paper balance, not this one. /dryrun off trades real money."
)
_HOW = (
    "At MEXC, under API Management, make a key with only these permissions: spot account read, "
    "spot trade read, spot trade write. Leave out withdrawal and transfer."
)


def ask_key_view(*, account: Account) -> Message:
    replaces = (
        f"The key ending in {escape(account.key_tail)} stays until the new one has been checked."
        if account.key_tail
        else None
    )
    return Message.paragraphs(
        lines("Step 1 of 2: send me the access key.", replaces),
        _HOW,
        "I delete your message at once, store the key encrypted, and never show it again. "
        "Or send both in one message: /connect KEY SECRET",
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
    old = f" It replaces the one ending in {escape(replaced_tail)}." if replaced_tail else ""
    return Message.paragraphs(
        lines(
            f"{badge(account)} · Key connected",
            f"The key ending in {tail} works and is stored encrypted.{old}",
            deletion(deleted=deleted),
        ),
        lines(_powers(facts), _validity(facts), _addresses(facts)),
        lines(
            f"{'At MEXC you' if settings.dry_run else 'You'} hold {usdt(held)} and "
            f"{tokens_held} {escape(base)}.",
            _ON_PAPER if settings.dry_run else None,
            band_line(settings),
        ),
        next_step(
            account,
            held=None if settings.dry_run else held,
            rules=rules,
            foreseen=foreseen,
        ),
        warning.text if warning else None,
        "After /resume I trade by myself. With /mode ask I ask you before each order."
        if settings.autonomy is TradingMode.AUTO
        else None,
        keyboard=_next_steps(settings),
    )


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
        lines("I kept nothing of it. No order was sent.", kept, deletion(deleted=deleted)),
    )


def ask_disconnect_view(*, account: Account, confirmation_id: str) -> Message:
    return Message.of(
        f"{badge(account)} · Forget the key ending in {escape(account.key_tail or '')}?",
        "I stop trading and delete my copy; settings and history stay, and so do your coins.",
        "Tap within 90 s, or just leave it: without a tap nothing happens. (/disconnect)",
        keyboard=keyboard([button("Forget the key", Confirm(confirmation_id))]),
    )


def disconnected_view(*, account: Account, key_tail: str) -> Message:
    return Message.of(
        f"{badge(account)} · Key forgotten",
        f"My copy of the key ending in {escape(key_tail)} is deleted. Your coins are untouched.",
        "To be thorough, delete the key at MEXC too. /connect adds a new one.",
    )


def another_key_view(*, account: Account) -> Message:
    """The key that the confirmation was about has been replaced since."""
    return Message.of(
        f"{badge(account)} · Nothing changed",
        f"There is another key by now, ending in {escape(account.key_tail or '')}. It stays.",
        "Send /disconnect again if that one should go.",
    )


def nothing_to_disconnect_view() -> Message:
    return Message("There is no key here to forget. Send /connect to add one.")


def _failure(error: EngineError, *, account: Account) -> str:  # noqa: C901, PLR0911, PLR0912 - one return a cause
    symbol = escape(account.settings.symbol)
    match error:
        case TooPowerful():
            return lines(
                "This key may move money out of your account. I do not want that power.",
                f"MEXC lists: {quoted(error.message)}.",
                _HOW,
            )
        case BadCredentials():
            return lines(
                f"MEXC does not know this key, or the secret does not fit: {quoted(error.message)}.",
                "Please copy both again. A key without addresses expires after 90 days.",
            )
        case AddressRefused():
            return lines(
                f"The key is bound to other internet addresses: {quoted(error.message)}.",
                f"Add {address_in(error.message)} to the key at MEXC, then /connect again.",
            )
        case MissingPermission():
            return lines(f"The key lacks a permission: {quoted(error.message)}.", _HOW)
        case AccountRestricted():
            return lines(
                f"MEXC restricts this account: {quoted(error.message)}.",
                "Please ask MEXC's support what is missing.",
            )
        case PairUnavailable():
            return lines(
                f"The key may not trade {symbol}: {quoted(error.message)}.",
                f"Allow {symbol} under the key's trading pairs at MEXC, or choose another pair "
                "with /setpair, then /connect again.",
            )
        case ClockRefused():
            return "MEXC's clock and mine disagree. Please send /connect again in a minute."
        case HostRefused():
            return lines(host_refused(str(error)), "I could not try the key.", MOVE_HOST)
        case BadData():
            return lines(
                unusable_answer(str(error), pair=symbol),
                "I could not try the key. Please send /connect again later.",
            )
        case RateLimited():
            return "MEXC asks me to slow down. Please send /connect again in a few minutes."
        case Rejected():
            return lines(
                f"MEXC refused the key: {quoted(error.message)}.",
                "Please check it at MEXC, then /connect again.",
            )
        case NotGranted():
            return _not_granted(error)
        case _:
            return (
                "MEXC does not answer, so I could not check the key. Please /connect again later."
            )


def _not_granted(error: NotGranted) -> str:
    if isinstance(error, AccountElsewhere):
        return lines(
            "Another chat has a key of the same MEXC account. Two would trade the same balance "
            "against each other.",
            "Send /disconnect there first, then /connect here.",
        )
    if isinstance(error, KeyElsewhere):
        return lines(
            "Another chat trades with this key already. Two would trade the same balance twice.",
            "Send /disconnect there first, then /connect here.",
        )
    return lines(
        "An order is not confirmed yet, and I need the present key to find out.",
        "Please /connect again when /status shows no open order.",
    )


def _powers(facts: KeyInspection) -> str:
    if facts.permissions is None:
        return "MEXC does not tell what the key may do. Please make sure it may not withdraw."
    powers = [
        _POWERS.get(permission, escape(permission)) for permission in sorted(facts.permissions)
    ]
    return f"It may {', '.join(powers)}. It may not withdraw."


def _validity(facts: KeyInspection) -> str:
    if facts.days_left is None:
        return "MEXC does not tell when it expires: 90 days, unless it is bound to addresses."
    if facts.days_left <= _SOON_DAYS:
        return f"⚠️ It expires in {days(facts.days_left)}: renew it at MEXC before then."
    return f"It expires in {days(facts.days_left)}."


def _addresses(facts: KeyInspection) -> str | None:
    if not facts.addresses:
        return None
    return f"It works only from {escape(', '.join(facts.addresses))}."
