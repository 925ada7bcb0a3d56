"""Access: the welcome, the refusal, and the pairing code."""

from bot.interaction.message import Message
from bot.views.components.amounts import pair_name, threshold, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import HALTED_FOR_ALL
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape, lines
from bot.views.components.times import exactly
from engine.domain.accounts.account import Account
from engine.domain.accounts.members import SHARED_IDS, Role


def welcome_view(*, account: Account, just_let_in: bool, alerts_here: bool = False) -> Message:
    """The next step depends on the chat's setup. *alerts_here*: of a forum, this topic."""
    settings = account.settings
    base_pair = escape(pair_name(settings.symbol))
    greeting = "Welcome! This chat may use me now." if just_let_in else "Hello!"
    what = lines(
        f"I keep {usdt(settings.target)} on your MEXC account, within ±"
        f"{threshold(settings.threshold)}, by trading {base_pair} at market.",
        f"I look every {exactly(settings.interval)}.",
    )
    if not account.can_trade:
        step = "Next step: send /connect to add your MEXC key, or /dryrun on to try it on paper."
        buttons = [do("Connect", "connect"), do("Dry run", "dryrun")]
    elif account.halted:
        step = lines(HALTED_FOR_ALL, "/status shows how things stand.")
        buttons = [do("Status", "status")]
    elif settings.paused:
        step = "Next step: trading is paused; /resume starts it, /rebalance shows the plan first."
        buttons = [do("Resume", "resume"), do("Rebalance", "rebalance")]
    else:
        step = "All is set. /status shows how things stand, /pause stops trading."
        buttons = [do("Status", "status"), do("Pause", "pause")]
    return Message.paragraphs(
        lines(badge(account), greeting),
        what,
        step,
        "What I tell of my own accord comes to this topic from now on." if alerts_here else None,
        "/help shows everything I can do.",
        keyboard=keyboard(buttons),
    )


def stranger_view(*, chat_id: int, user_id: int | None, has_code: bool) -> Message:
    """The one short answer to a stranger, or to a group that is not listed.
    *user_id* is None if the author is no user. *has_code*: a pairing code is valid.
    """
    mine = f"This chat's id is {chat_id}"
    way = "Ask my owner for a code (/invite), or to add it to AUTHORIZED_CHATS."
    if user_id not in {None, chat_id, *SHARED_IDS}:
        mine += f", your own is {user_id}"
        way = (
            "Ask an owner here for a code (/invite), or my owner to add both to AUTHORIZED_CHATS."
        )
    if has_code:
        way = "If you run this bot: its log shows a code; send /start and the code."
    return Message.of("Sorry, I only work for people I know.", f"{mine}.", way)


def no_author_view(*, is_anonymous: bool) -> Message:
    """Refuses a command from a channel, or from an administrator whom the group hides."""
    if is_anonymous:
        return Message.of(
            "You write as an anonymous administrator. I cannot know who you are.",
            "Nothing changed. Write as yourself, then send it again.",
            "In the group's settings, switch off “Remain anonymous” for yourself.",
        )
    return Message.of(
        "You write as a channel. I cannot know who you are.",
        "Nothing changed. Write as yourself, then send it again.",
        "Tap the picture beside the message field to choose yourself.",
    )


def secondhand_view() -> Message:
    """Refuses words that were forwarded, or written by an inline bot."""
    return Message.of(
        "These may be another person's words: forwarded, or written by a bot.",
        "I did not carry them out. Nothing changed.",
        "If you mean it, type it yourself.",
    )


def wrong_code_view(*, tries_left: int | None = None) -> Message:
    tries = "1 try is" if tries_left == 1 else f"{tries_left} tries are"
    return Message.of(
        "That is not the code.",
        None if tries_left is None else f"{tries} left.",
        "The program's log shows it as /start and the code.",
    )


def no_tries_left_view() -> Message:
    return Message.of(
        "That is not the code, and no tries are left for you.",
        "I hear you again in 24 hours, or when the program was restarted.",
        "The restart makes a new code. Or use AUTHORIZED_CHATS.",
    )


def already_in_view() -> Message:
    """Answers a code that was sent by a user who needs none."""
    return Message("You are in already, no code needed. /status shows how things stand.")


def owner_only_view() -> Message:
    return Message("Only my owner may see that. /help shows what you can do.")


def not_allowed_view(*, role: Role, needed: Role) -> Message:
    """Refuses a command that the user's role in the chat does not include."""
    who = "owners" if needed is Role.OWNER else "traders and owners"
    return Message.of(
        f"Only {who} of this chat may do that, and you are a {role.value}.",
        "Nothing changed. An owner can give you another role with /members.",
    )


def not_allowed_notice() -> str:
    """The same as plain text for the notice over the chat."""
    return "Only people who may trade in this chat can use this button. Nothing happened."
