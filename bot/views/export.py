"""`/export`: the captions of the files, and the progress message."""

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.keyboards import keyboard, typed
from bot.views.components.layout import echoed


def export_caption(*, count: int, part: int = 1, parts: int = 1) -> str:
    """Plain text below the CSV file."""
    return f"All your orders: {_orders(count)}. Times in UTC, amounts exact.{_part(part, parts)}"


def koinly_caption(*, count: int, part: int = 1, parts: int = 1) -> str:
    return (
        f"For Koinly: {_orders(count)}, without those on paper. "
        f"Import it there as a CSV file.{_part(part, parts)}"
    )


def collecting_view(*, done: int, total: int) -> Message:
    """Progress, in one message that is edited."""
    return Message(f"⏳ Collecting… {done:,} of {total:,}", silent=True)


def nothing_to_export_view() -> Message:
    return Message("There is nothing to export yet: no order was ever sent. /status shows more.")


def nothing_for_koinly_view() -> Message:
    return Message(
        "There is nothing for Koinly yet: no real order was ever filled. "
        "Trades on paper are in /export alone."
    )


def export_failed_view() -> Message:
    """Telegram refused the file."""
    return Message("I could not send the file just now. Please send /export again in a minute.")


def unknown_export_view(*, typed_text: str) -> Message:
    return Message.of(
        f"I cannot export as {echoed(typed_text)}.",
        "/export sends all trades with all that I know of them, "
        "/export koinly what Koinly's universal template takes.",
        keyboard=keyboard([typed("export"), typed("export", "koinly")]),
    )


def _orders(count: int) -> str:
    return "1 order" if count == 1 else f"{count:,} orders"


def _part(part: int, parts: int) -> str:
    return f" File {part} of {parts}." if parts > 1 else ""


class ExportWords:
    """All trades, with a button for Koinly."""

    def caption(self, *, count: int, part: int, parts: int) -> str:
        return export_caption(count=count, part=part, parts=parts)

    def progress(self, *, done: int, total: int) -> Message:
        return collecting_view(done=done, total=total)

    def failed(self) -> Message:
        return export_failed_view()

    def keyboard(self) -> InlineKeyboardMarkup | None:
        return keyboard([typed("export", "koinly")])


class KoinlyWords(ExportWords):
    def caption(self, *, count: int, part: int, parts: int) -> str:
        return koinly_caption(count=count, part=part, parts=parts)

    def keyboard(self) -> InlineKeyboardMarkup | None:
        return keyboard([typed("export")])
