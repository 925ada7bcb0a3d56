"""Maps the errors of commands to messages."""

from bot.interaction.message import Message
from bot.views.alerts.incidents import MOVE_HOST, address_in, host_refused, unusable_answer
from bot.views.components.layout import lines, quoted
from engine.errors import (
    AccountElsewhere,
    AccountRestricted,
    AddressRefused,
    BadCredentials,
    BadData,
    DecryptionFailed,
    EngineError,
    HostRefused,
    KeyElsewhere,
    MissingPermission,
    NoKey,
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
_AGAIN = "Please try again in a minute."


def error_view(error: EngineError) -> Message:  # noqa: C901 - one case a cause
    """What happened, what it means for the money, what the user can do."""
    match error:
        case OutcomeUnknown():
            text = lines(
                "MEXC's answer to an order was lost: it may or may not have traded.",
                "I look it up, do not repeat it, and send nothing else meanwhile.",
                "/status shows how it stands.",
            )
        case DecryptionFailed():
            text = lines(
                "I cannot read your stored key any more.",
                _NOTHING,
                "Please send your key again with /connect.",
            )
        case Rejected():
            text = lines(
                f"MEXC said no: {quoted(error.message)}.",
                "Nothing was traded by this.",
                _remedy(error),
            )
        case KeyElsewhere():
            text = _elsewhere(error)
        case OrderUnresolved():
            text = lines(
                "An order is not confirmed yet, and I need things as they are to find out.",
                "Nothing changed. Please try again when /status shows no open order; "
                "where that takes longer than 15 min, send /resume.",
            )
        case PaperOnly():
            text = lines(
                "This is the demo: there is no real exchange here, only paper money.",
                "Nothing changed. README.md leads to a first live trade.",
            )
        case NoKey():
            text = lines(
                "I need a MEXC key for that. Nothing changed.",
                "Send /connect to add one, or /dryrun on to try it on paper.",
            )
        case RateLimited():
            text = lines("MEXC asks me to slow down.", _NOTHING, "Please try again a bit later.")
        case HostRefused():
            text = lines(host_refused(str(error)), _NOTHING, MOVE_HOST)
        case BadData():
            text = lines(unusable_answer(str(error)), _NOTHING, _AGAIN)
        case Unavailable():
            text = lines("MEXC does not answer right now.", _NOTHING, _AGAIN)
        case _:
            return internal_error_view()
    return Message(f"⚠️ {text}")


def _elsewhere(error: KeyElsewhere) -> str:
    if isinstance(error, AccountElsewhere):
        return lines(
            "Another chat has a key of the same MEXC account.",
            "Two chats would undo each other's trades. Trading stays paused here.",
            "Send /disconnect in one of the two chats, then try again.",
        )
    return lines(
        "Another chat trades with this key already. Two would trade the same balance twice.",
        "I kept nothing of it. Send /disconnect there first, then /connect here.",
    )


def internal_error_view() -> Message:
    return Message.of(
        "⚠️ Something broke on my side while I did that.",
        "An order sent before is looked up, never repeated.",
        "It is logged. Please look at /status, and try again.",
    )


def _remedy(error: Rejected) -> str:
    match error:
        case BadCredentials() | TooPowerful():
            return "Please send another key with /connect."
        case AddressRefused():
            return f"Add {address_in(error.message)} to the key at MEXC, then try again."
        case MissingPermission():
            return "Allow the key to read the spot account and to trade, then try again."
        case AccountRestricted():
            return "Please ask MEXC's support what is missing."
        case PairUnavailable():
            return "Choose another pair with /setpair, or allow it for the key at MEXC."
        case _:
            return f"{_AGAIN} /why tells more."
