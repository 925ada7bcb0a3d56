"""Maps the errors of commands to messages."""

from bot.interaction.message import Message
from bot.views.alerts.incidents import MOVE_HOST, add_address, host_refused, unusable_answer
from bot.views.components.layout import lines, quoted
from engine.errors import (
    AccountElsewhere,
    AccountRestricted,
    AccountShared,
    AddressRefused,
    BadCredentials,
    BadData,
    DecryptionFailed,
    EngineError,
    HostRefused,
    KeyElsewhere,
    MissingPermission,
    NoKey,
    OrderRests,
    OrderUnresolved,
    OutcomeUnknown,
    PairUnavailable,
    PaperOnly,
    RateLimited,
    Rejected,
    TooPowerful,
    Unavailable,
)

_NOTHING = "No order was sent."
_AGAIN = "Try again in a minute."


def error_view(error: EngineError, *, is_shared: bool = False) -> Message:  # noqa: C901, PLR0912 - one case a cause
    """What happened, what it means for the money, what the user can do. *is_shared*: the account is
    another chat's, whose owner alone hears of the key.
    """
    if is_shared and isinstance(error, Rejected | DecryptionFailed | AccountElsewhere):
        return Message.of(
            "⚠️ There is a problem with MEXC or the key.",
            "Nothing was traded.",
            "Only the owner of this account can mend it.",
        )
    match error:
        case OutcomeUnknown():
            text = lines(
                "An order is unclear: MEXC's answer was lost. It may have traded.",
                "I look it up. I never send it twice, and I send nothing else meanwhile.",
                "/status shows what I found.",
            )
        case DecryptionFailed():
            text = lines(
                "I cannot read your stored key any more.",
                _NOTHING,
                "Send your key again with /connect.",
            )
        case Rejected():
            text = lines(
                f"MEXC refused: {quoted(error.message)}.",
                "Nothing was traded.",
                _remedy(error),
            )
        case KeyElsewhere() | AccountShared():
            text = _elsewhere(error)
        case OrderRests():
            text = lines(
                "Nothing changed. An order waits at MEXC, or is being cancelled.",
                "It could fill without being seen.",
                "Send /pause: that cancels it. Then send this again.",
                "/status shows when no order waits any more.",
            )
        case OrderUnresolved():
            text = lines(
                "Nothing changed. An order is not confirmed yet.",
                "I must look it up before anything changes.",
                "Try again when /status shows no open order.",
                "After 15 min, send /resume.",
            )
        case PaperOnly():
            text = lines(
                "Nothing changed. This is the demo: it has paper money only.",
                "README.md leads to a first live trade.",
            )
        case NoKey():
            text = lines(
                "Nothing changed. I need a MEXC key for that.",
                "/connect adds one. /dryrun on trades on paper.",
            )
        case RateLimited():
            text = lines("MEXC asks me to slow down.", _NOTHING, "Try again in a few minutes.")
        case HostRefused():
            text = lines(host_refused(str(error)), _NOTHING, MOVE_HOST)
        case BadData():
            text = lines(unusable_answer(str(error)), _NOTHING, _AGAIN)
        case Unavailable():
            text = lines("MEXC does not answer right now.", _NOTHING, _AGAIN)
        case _:
            return internal_error_view()
    return Message(f"⚠️ {text}")


def _elsewhere(error: KeyElsewhere | AccountShared) -> str:
    if isinstance(error, AccountShared):
        return lines(
            "I kept nothing of it. This chat sees another person's account.",
            "/leave ends that. Then /connect adds your own key.",
        )
    if isinstance(error, AccountElsewhere):
        return lines(
            "Trading stays paused here.",
            "Another chat has a key of the same MEXC account.",
            "Two chats would undo each other's trades.",
            "Send /disconnect in one of the two chats, then try again.",
        )
    return lines(
        "Another chat trades with this key already. I kept nothing of it.",
        "Two chats would trade the same balance twice.",
        "Send /disconnect there first, then /connect here.",
    )


def internal_error_view() -> Message:
    return Message.of(
        "⚠️ Something broke on my side. The log has it.",
        "I look up an order that I sent before. I never send it twice.",
        "Look at /status, then try again.",
    )


def _remedy(error: Rejected) -> str:
    match error:
        case BadCredentials() | TooPowerful():
            return "Send another key with /connect."
        case AddressRefused():
            return lines(add_address(error.message), "Then try again.")
        case MissingPermission():
            return "Allow the key at MEXC to read the spot account and to trade. Then try again."
        case AccountRestricted():
            return "Ask MEXC's support what is missing."
        case PairUnavailable():
            return "Choose another pair with /setpair. Or allow this one for the key at MEXC."
        case _:
            return f"{_AGAIN} /why tells more."
