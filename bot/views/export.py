"""`/export`: the captions of the files, and the progress message."""

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components import amounts
from bot.views.components.keyboards import keyboard, typed
from bot.views.components.layout import echoed
from bot.views.components.times import zone_name


def nothing_to_export_view() -> Message:
    return Message("There is nothing to export yet: I sent no order. /status shows your account.")


def nothing_for_koinly_view() -> Message:
    return Message(
        "There is nothing for Koinly yet: no real order was filled. "
        "/export has your trades on paper."
    )


def unknown_export_view(*, typed_text: str) -> Message:
    return Message.of(
        f"I know no export named {echoed(typed_text)}.",
        "/export sends all trades with every detail.",
        "/export koinly sends a file for Koinly.",
        keyboard=keyboard([typed("export"), typed("export", "koinly")]),
    )


def _caption(*sentences: str, part: int, parts: int) -> str:
    return " ".join([*sentences, *([f"File {part} of {parts}."] if parts > 1 else [])])


class ExportWords:
    """All trades, with a button for Koinly. The captions are plain text."""

    def caption(self, *, count: int, part: int, parts: int) -> str:
        zone = zone_name()
        return _caption(
            amounts.count(
                count, "This export has your 1 order.", "This export has all your {n} orders."
            ),
            "Amounts are exact.",
            "Times are in UTC." if zone == "UTC" else f"Times are in UTC and in {zone}.",
            part=part,
            parts=parts,
        )

    def progress(self, *, done: int, total: int) -> Message:
        """One message, which is edited."""
        return Message(f"⏳ Orders read: {done:,} of {total:,}", silent=True)

    def failed(self) -> Message:
        """Telegram refused the file."""
        return Message("I could not send the file. Please send /export again in a minute.")

    def keyboard(self) -> InlineKeyboardMarkup | None:
        return keyboard([typed("export", "koinly")])


class KoinlyWords(ExportWords):
    def caption(self, *, count: int, part: int, parts: int) -> str:
        return _caption(
            amounts.count(
                count, "This export has 1 real order.", "This export has {n} real orders."
            ),
            "Times are in UTC, as Koinly wants.",
            "Import it at Koinly as a CSV file.",
            part=part,
            parts=parts,
        )

    def keyboard(self) -> InlineKeyboardMarkup | None:
        return keyboard([typed("export")])
