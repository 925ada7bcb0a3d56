"""`/export`: the captions of the files, and the progress message."""

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components import amounts
from bot.views.components.keyboards import keyboard, typed
from bot.views.components.layout import echoed, lines
from bot.views.components.times import day_and_month, wall_time, zone_name
from engine.accounts.profit import SpanReport
from engine.domain.profit.money_return import MoneyReturn

KOINLY_NAME, COINTRACKING_NAME = "Koinly", "CoinTracking"
GAINS = "gains"
_NOT_KNOWN = "I do not know what the rest is worth, nor the return of your money."
_NO_ORDER = "This export has no order."
_ON_PAPER = "/export has your trades on paper, if there are any."


def unknown_export_view(*, typed_text: str) -> Message:
    return Message.of(
        f"I know no export named {echoed(typed_text)}.",
        "/export sends all trades with every detail, deposits and withdrawals.",
        "/export gains sends the gain of each sale, and a summary.",
        "/export koinly sends a file for Koinly.",
        "/export cointracking sends one for CoinTracking.",
        keyboard=keyboard(
            [typed("export"), typed("export", GAINS)],
            [typed("export", "koinly"), typed("export", "cointracking")],
        ),
    )


def _caption(*sentences: str | None, part: int, parts: int) -> str:
    return lines(*sentences, f"File {part} of {parts}." if parts > 1 else None)


def _flows(count: int) -> str | None:
    if not count:
        return None
    return amounts.count(
        count,
        "It has 1 deposit, withdrawal or exchange by hand.",
        "It has {n} deposits, withdrawals and exchanges by hand.",
    )


class ExportWords:
    """All trades and flows, with buttons for the other forms. The captions are plain text."""

    def nothing(self) -> Message:
        return Message.of(
            "There is nothing to export yet: no order was filled, and nothing came in or went out.",
            "/status shows your account.",
        )

    def caption(self, *, trades: int, flows: int, part: int, parts: int) -> str:
        zone = zone_name()
        return _caption(
            amounts.count(
                trades, "This export has your 1 order.", "This export has all your {n} orders."
            )
            if trades
            else _NO_ORDER,
            _flows(flows),
            "Amounts are exact.",
            "Times are in UTC." if zone == "UTC" else f"Times are in UTC and in {zone}.",
            part=part,
            parts=parts,
        )

    def progress(self, *, done: int, total: int) -> Message:
        """One message, which is edited."""
        return Message(f"⏳ Entries read: {done:,} of {total:,}", silent=True)

    def failed(self) -> Message:
        """Telegram refused the file."""
        return Message("I could not send the file. Please send /export again in a minute.")

    def keyboard(self) -> InlineKeyboardMarkup | None:
        return keyboard(
            [typed("export", GAINS), typed("export", "koinly")], [typed("export", "cointracking")]
        )


class TaxWords(ExportWords):
    """Real money alone, for the *program*."""

    def __init__(self, program: str) -> None:
        self._program = program

    def nothing(self) -> Message:
        return Message.of(
            f"There is nothing for {self._program} yet: no real order was filled, and no real "
            "money came in or went out.",
            _ON_PAPER,
        )

    def caption(self, *, trades: int, flows: int, part: int, parts: int) -> str:
        return _caption(
            amounts.count(
                trades, "This export has 1 real order.", "This export has {n} real orders."
            )
            if trades
            else _NO_ORDER,
            _flows(flows),
            "Times are in UTC.",
            f"Import it at {self._program} as a CSV file.",
            "Nobody has tried that import yet. Compare the balances there with MEXC's.",
            part=part,
            parts=parts,
        )

    def keyboard(self) -> InlineKeyboardMarkup | None:
        return keyboard([typed("export")])


class GainsWords(ExportWords):
    """The gain of each sale of real money, and a summary of all."""

    def nothing(self) -> Message:
        return Message.of(
            "There is no gain to export yet: no real order was filled, and no real money came in "
            "or went out.",
            _ON_PAPER,
        )

    def caption(self, *, trades: int, flows: int, part: int, parts: int) -> str:
        """An exchange by hand is a sale or a purchase, too; a mere movement is neither."""
        return _caption(
            amounts.count(
                trades + flows,
                "I looked for sales in 1 record of real money.",
                "I looked for sales in {n} records of real money.",
            ),
            "Each sale has its gain in USDT: first in first out, and at average cost.",
            "What was not bought here has no known cost and stands apart.",
            part=part,
            parts=parts,
        )

    def summary(self, found: SpanReport | None, returned: MoneyReturn | None) -> str:
        made = _NOT_KNOWN
        if found is not None and returned is not None:
            since = wall_time(found.report.since)
            if returned.period is not None:
                percent = amounts.signed_percent(returned.period)
                when = f"{day_and_month(since)} {since.year}"
                made = f"Your money made {percent} since {when}, money-weighted."
            elif returned.days:
                made = "The money-weighted return has no single answer here."
            else:
                made = "The return of your money is told from tomorrow on."
        return _caption(
            "This is the summary: what the sales made, and what is left.",
            made,
            "It is no tax report.",
            part=1,
            parts=1,
        )

    def keyboard(self) -> InlineKeyboardMarkup | None:
        return None

    def summary_keyboard(self) -> InlineKeyboardMarkup:
        return keyboard([typed("export")])
