"""What a user may type without its command: the answer to a question, and plain values."""

from bot.interaction.callback_data import Choose
from bot.interaction.message import Message
from bot.parsing.settings import Ambiguous
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import echoed


def listening_line(example: str) -> str:
    """In a private chat, below a question for a value."""
    return f"Or send only the value, like {example}. I wait for 10 min."


def ask_plain_value_view(*, meant: Ambiguous, typed_text: str, confirmation_id: str) -> Message:
    """A value without a question: a tap on a command is as if that had been typed."""
    rows = [
        [button(f"/{meant.topic.value} {option}", Choose(confirmation_id, index))]
        for index, option in enumerate(meant.options)
    ]
    return Message.of(
        f"I asked for no value. {echoed(typed_text)} changed nothing.",
        "Tap what you mean:",
        keyboard=keyboard(*rows, [do("/status", "status")]),
    )


def ask_plain_resume_view() -> Message:
    return Message.of(
        "Nothing changed yet.",
        "Tap Resume to start trading (/resume).",
        keyboard=keyboard([do("Resume", "resume"), do("/status", "status")]),
    )
