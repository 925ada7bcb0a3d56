"""Access: the welcome, the refusal, and the pairing code."""

from datetime import timedelta

from bot.interaction.message import Message
from bot.views.components.amounts import count, pair_name, threshold, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import HALTED_FOR_ALL
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape, lines
from bot.views.components.next_check import check_line
from bot.views.components.target_words import target_line
from engine.domain.accounts.account import Account
from engine.domain.accounts.members import SHARED_IDS, Role


def welcome_view(
    *,
    account: Account,
    just_let_in: bool,
    alerts_here: bool = False,
    every: timedelta = timedelta(),
) -> Message:
    """*every* is how often the account is checked, where that is not its own interval."""
    """The next step depends on the chat's setup. *alerts_here*: of a forum, this topic."""
    settings, fixed = account.settings, account.settings.fixed
    pair = escape(pair_name(settings.symbol))
    if not account.can_trade:
        step = lines(
            "Next: /connect adds your MEXC key."
            if account.chat_id > 0
            else "Keys are taken in private only. /connect says how this group sees an account.",
            "Or try it first: /dryrun on trades on paper.",
        )
        buttons = [do("Connect", "connect"), do("Dry run", "dryrun")]
    elif account.halted:
        step = lines(HALTED_FOR_ALL, "/status shows your account.")
        buttons = [do("Status", "status")]
    elif settings.paused:
        step = lines("Trading is paused. /resume starts it.", "/rebalance shows the plan first.")
        buttons = [do("Resume", "resume"), do("Rebalance", "rebalance")]
    else:
        step = lines("Trading is on. /pause stops it.", "/status shows your account.")
        buttons = [do("Status", "status"), do("Pause", "pause")]
    return Message.paragraphs(
        lines(
            badge(account),
            "Welcome! This chat may use me now." if just_let_in else "Hello!",
            f"I hold {usdt(fixed.target)} ±{threshold(settings.threshold)} on your MEXC "
            f"account: I buy or sell {pair}."
            if fixed
            else f"Your MEXC account: {escape(target_line(settings.target))}.",
            check_line(settings.interval, every=every),
        ),
        lines(step, "My alerts come to this topic from now on." if alerts_here else None),
        "/help shows everything I can do.",
        keyboard=keyboard(buttons),
    )


def stranger_view(*, chat_id: int, user_id: int | None, has_code: bool) -> Message:
    """The one short answer to a stranger, or to a group that is not listed.
    *user_id* is None if the author is no user. *has_code*: a pairing code is valid.
    """
    is_member = user_id not in {None, chat_id, *SHARED_IDS}
    if has_code:
        way = "Do you run this bot? Its log shows a code: send /start and the code."
    elif is_member:
        way = (
            "Ask an owner of this chat for a code (/invite). Or ask my owner to add both ids to "
            "AUTHORIZED_CHATS."
        )
    else:
        way = "Ask my owner for a code (/invite), or to add this id to AUTHORIZED_CHATS."
    return Message.of(
        "Sorry, I only work for people I know.",
        f"The id of this chat is {chat_id}.",
        f"Your own id is {user_id}." if is_member else None,
        way,
    )


def no_author_view(*, is_anonymous: bool) -> Message:
    """Refuses a command from a channel, or from an administrator whom the group hides."""
    if is_anonymous:
        return Message.of(
            "Nothing changed. You write as an anonymous administrator.",
            "I cannot know who you are.",
            "In the group's settings, switch off “Remain anonymous” for yourself.",
            "Then send it again.",
        )
    return Message.of(
        "Nothing changed. You write as a channel.",
        "I cannot know who you are.",
        "Tap the picture beside the message field and choose yourself.",
        "Then send it again.",
    )


def secondhand_view() -> Message:
    """Refuses words that were forwarded, or written by an inline bot."""
    return Message.of(
        "Nothing changed. I obey only what you type yourself.",
        "This message was forwarded, or a bot wrote it.",
        "Type it yourself if you want it.",
    )


def wrong_code_view(*, tries_left: int) -> Message:
    return Message.of(
        "That is not the code.",
        count(tries_left, "You have 1 try left.", "You have {n} tries left."),
        "The program's log shows it as /start and the code.",
    )


def no_tries_left_view() -> Message:
    return Message.of(
        "That is not the code. You have no tries left.",
        "You can try again in 24 hours, or after a restart of the program.",
        "A restart makes a new code. You can use AUTHORIZED_CHATS instead.",
    )


def already_in_view() -> Message:
    """Answers a code that was sent by a user who needs none."""
    return Message("You need no code: you may use me already. /status shows your account.")


def owner_only_view() -> Message:
    return Message("Only my owner may see that. /help shows what you can do.")


def not_allowed_view(*, role: Role, needed: Role, is_shared: bool = False) -> Message:
    """Refuses a command that the user's role in the chat does not include.
    *is_shared*: the account is another chat's.
    """
    if is_shared:
        return Message.of(
            "Nothing changed. Only the owner of this account may do that, in their private chat."
            if needed is Role.OWNER
            else "Nothing changed. Only traders and the owner of this account may do that.",
            f"Your role here: {role.value}.",
            "Its owner can make you a trader with a new link." if needed is Role.TRADER else None,
            "/leave ends this, and shows the chat's own account if it has one.",
        )
    return Message.of(
        "Nothing changed. Only owners of this chat may do that."
        if needed is Role.OWNER
        else "Nothing changed. Only traders and owners of this chat may do that.",
        f"Your role here: {role.value}.",
        "An owner can change it with /members.",
    )


def share_over_view() -> Message:
    """The chat lost the account while its command was carried out."""
    return Message.of(
        "This chat does not see that account any more.",
        "What I did not confirm here was not done.",
        "/start shows what you can do here.",
    )


def share_begun_view() -> Message:
    """The chat began to see another one's account while its command was carried out."""
    return Message.of(
        "This chat sees another person's account now.",
        "What I did not confirm here before was not done.",
        "/status shows the account that you see now.",
    )


def not_allowed_notice(*, needed: Role, is_shared: bool = False) -> str:
    """The same as plain text for the notice over the chat."""
    if is_shared:
        return "Nothing happened. Your role for this account does not include this button."
    if needed is Role.OWNER:
        return "Nothing happened. Only owners of this chat can use this button."
    return "Nothing happened. Only traders and owners of this chat can use this button."
