"""`/export`: the captions of the files, and the progress message."""

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.keyboards import keyboard, typed
from bot.views.components.layout import echoed
from bot.views.components.times import zone_name


def nothing_to_export_view() -> Message:
    return Message("There is nothing to export yet: no order was ever sent. /status shows more.")


def nothing_for_koinly_view() -> Message:
    return Message(
        "There is nothing for Koinly yet: no real order was ever filled. "
        "Trades on paper are in /export alone."
    )


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
    """All trades, with a button for Koinly. The captions are plain text."""

    def caption(self, *, count: int, part: int, parts: int) -> str:
        text = f"All your orders: {_orders(count)}. Amounts exact, times in UTC"
        zone = zone_name()
        return (text if zone == "UTC" else f"{text} and {zone}") + f".{_part(part, parts)}"

    def progress(self, *, done: int, total: int) -> Message:
        """One message, which is edited."""
        return Message(f"⏳ Collecting… {done:,} of {total:,}", silent=True)

    def failed(self) -> Message:
        """Telegram refused the file."""
        return Message(
            "I could not send the file just now. Please send /export again in a minute."
        )

    def keyboard(self) -> InlineKeyboardMarkup | None:
        return keyboard([typed("export", "koinly")])


class KoinlyWords(ExportWords):
    def caption(self, *, count: int, part: int, parts: int) -> str:
        return (
            f"For Koinly: {_orders(count)}, without those on paper. "
            f"Times in UTC, as Koinly wants. Import it there as a CSV file.{_part(part, parts)}"
        )

    def keyboard(self) -> InlineKeyboardMarkup | None:
        return keyboard([typed("export")])
