"""General answers: unknown commands, plain text, old messages, version, logs, waiting."""

import re
from collections.abc import Sequence
from datetime import timedelta
from difflib import get_close_matches

from bot.interaction.callback_data import PRESSABLE
from bot.interaction.message import Message
from bot.views.components.amounts import count
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.layout import echoed, escape
from bot.views.components.times import compact, roughly
from bot.views.help import COMMANDS

_SLASHED = re.compile(r"(?<![\w/.])/([A-Za-z_]{1,32})(?![\w/])", re.ASCII)
# Names that other bots use.
_MEANT = {"cancel": "pause", "off": "pause", "go": "resume", "run": "resume"}
_WITH_A_VALUE = frozenset({"settarget", "setthreshold", "setinterval", "setpair"})
_VALUE = re.compile(r"[A-Za-z0-9.%]{1,20}", re.ASCII)
_LOG_ROOM = 3500
_LONGEST_LINE = 300


def unknown_command_view(*, name: str, argument: str = "") -> Message:
    """*name* without its slash, as typed. The nearest command is a button, which keeps a value."""
    names = [known for known, _ in COMMANDS]
    close = [_MEANT[name.lower()]] if name.lower() in _MEANT else []
    close = close or get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    meant = next(iter(close), None)
    kept = argument if meant in _WITH_A_VALUE and _VALUE.fullmatch(argument) else ""
    return Message.of(
        f"I do not know {echoed(f'/{name}')}. Nothing changed.",
        f"Did you mean /{meant}?" if meant else None,
        "/help shows all commands.",
        keyboard=keyboard(
            [typed(meant, kept)] if meant in PRESSABLE else [], [do("Help", "help")]
        ),
    )


def plain_text_view(text: str = "") -> Message:
    """*text* is no command and answers no question; a command within it is named."""
    known = {name for name, _ in COMMANDS}
    found = next((word for word in _SLASHED.findall(text) if word.lower() in known), None)
    if found is not None:
        return Message.of(
            f"I did not carry out /{found.lower()}. Nothing changed.",
            f"A command is the first word of a message. Please send /{found.lower()} alone.",
        )
    return Message(
        "I only understand commands, like /status or /settarget 40. /help shows them all.",
        keyboard([do("Status", "status"), do("Help", "help")]),
    )


def no_text_view() -> Message:
    """A voice message, a sticker, a file: no answer could be taken for "done"."""
    return Message.of(
        "Nothing changed. I can only read text.",
        "Send a command, like /pause or /status. /help shows them all.",
        keyboard=keyboard([do("Status", "status"), do("Help", "help")]),
    )


def for_another_bot_view() -> Message:
    """A command with another bot's name behind it, in a private chat."""
    return Message.of(
        "Nothing changed. This command names another bot.",
        "Send it without the name, like /pause. /help shows all commands.",
    )


def too_old_view(*, command: str, age: timedelta) -> Message:
    """A command that waited so long that its author may want something else by now.
    *command* is its bare name: the argument may have been a key.
    """
    return _not_done(f"You sent {echoed(f'/{command}')} {roughly(age)} ago. I was off then.")


def too_old_tap_view(*, name: str) -> Message:
    """Like `too_old_view`, for a button: Telegram only says that it is too old.
    *name* is of the command that the button sends, or of the button.
    """
    return _not_done(f"You tapped {echoed(f'/{name}')} a while ago. I was off then.")


def tap_of_unknown_age_view(*, name: str) -> Message:
    """Like `too_old_tap_view`, if Telegram did not answer."""
    return _not_done(f"I do not know when you tapped {echoed(f'/{name}')}.")


def _not_done(why: str) -> Message:
    return Message.of(
        "Nothing changed. That is too old to act on.",
        why,
        "Send it again if you still want it. /status shows your account.",
    )


def version_view(*, version: str, uptime: timedelta, python: str) -> Message:
    return Message.of(
        f"Ballast {escape(version)}",
        f"Up for {compact(uptime)}, Python {escape(python)}.",
        "/status shows your account.",
    )


def logs_view(*, log_lines: Sequence[str]) -> Message:
    """The newest lines that fit into one message, oldest first."""
    if not log_lines:
        return Message("The log is empty. /logs shows it later.")
    chosen: list[str] = []
    room = _LOG_ROOM
    for line in reversed(log_lines):
        short = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
        size = len(short.encode("utf-16-le")) // 2 + 1  # as Telegram counts
        if size > room:
            break
        room -= size
        chosen.append(escape(short))
    return Message.paragraphs(
        count(len(chosen), "/logs: the last line", "/logs: the last {n} lines"),
        "\n".join(reversed(chosen)),
    )


def edited_view() -> Message:
    """A message counts as it was first sent."""
    return Message.of(
        "Nothing changed. I do not follow edits.",
        "A message counts as you first sent it. Send the command again.",
    )


def too_many_questions_view(*, most: int) -> Message:
    """For the viewers of a group, or of another one's account; sent once."""
    return Message.of(
        f"I answer viewers of this chat {most} times a minute, so that alerts come through.",
        "Please ask again in a minute.",
        silent=True,
    )


def too_many_questions_notice() -> str:
    return "Too many questions in this chat just now. Please tap again in a minute."


def waiting_view() -> Message:
    """Shown while an answer takes longer than 0.3 s."""
    return Message("⏳ One moment…", silent=True)


def waiting_notice() -> str:
    """Ends a button's spinner before its answer is ready."""
    return "⏳ One moment…"
