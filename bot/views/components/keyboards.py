"""Inline keyboards. Each button is a typed command or the answer to a confirmation."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.interaction.callback_data import CallbackData, RunCommand, decode
from bot.interaction.message import Message


def button(label: str, press: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(label, callback_data=press.encode())


def do(label: str, command: str, argument: str = "") -> InlineKeyboardButton:
    """A button for */command*, which the label or the message's text must name."""
    return button(label, RunCommand(command, argument))


def typed(command: str, argument: str = "") -> InlineKeyboardButton:
    """A button that shows exactly what it types."""
    return button(f"/{command} {argument}".rstrip(), RunCommand(command, argument))


def in_rows(
    buttons: Sequence[InlineKeyboardButton], size: int
) -> list[list[InlineKeyboardButton]]:
    """Rows of at most *size* buttons."""
    return [list(buttons[start : start + size]) for start in range(0, len(buttons), size)]


def pager(
    page: int, of: Callable[[int], CallbackData], *, has_more: bool, words: str = "Newer Older"
) -> list[InlineKeyboardButton]:
    """A row with the ways from *page* (0 is the newest): there may be none."""
    newer, older = words.split()
    back = [button(f"« {newer}", of(page - 1))] if page else []
    return [*back, button(f"{older} »", of(page + 1))] if has_more else back


def keyboard(*rows: Sequence[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([list(row) for row in rows if row])


def with_buttons(message: Message, is_kept: Callable[[CallbackData], bool]) -> Message:
    """Return the message with those of its buttons alone that *is_kept* is true of."""
    if message.keyboard is None:
        return message
    kept = keyboard(
        *(
            [one for one in row if (press := decode(str(one.callback_data))) and is_kept(press)]
            for row in message.keyboard.inline_keyboard
        )
    )
    return replace(message, keyboard=kept if kept.inline_keyboard else None)
