"""Writes CSV files in as many parts as needed, without cells that a spreadsheet computes."""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from io import TextIOWrapper
from pathlib import Path

from engine.domain.accounts.flows import Flow
from engine.domain.orders.order import Order

# Telegram takes files of up to 50 MB from a bot.
MOST_BYTES = 45_000_000
# Characters with which spreadsheets begin a formula, also in full-width form.
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A kind of file: *rows* returns those of a trade or flow, under *columns*, with times in a
    zone.
    """

    stem: str
    columns: Row
    rows: Callable[[Order | Flow, tzinfo], Iterable[Row]]
    real_only: bool = False


def defused(cell: str) -> str:
    """Return the text, prefixed with a quote if a spreadsheet would take it for a formula."""
    if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


@dataclass(eq=False)
class CsvParts:
    """Writes trades and flows into files in *folder*; a full file is followed by another.
    Runs in a thread: it writes to the disk without awaiting.
    """

    sheet: CsvFile
    folder: Path
    zone: tzinfo
    most_bytes: int = MOST_BYTES

    def __post_init__(self) -> None:
        self._file: TextIOWrapper | None = None
        self._paths: list[Path] = []

    def write(self, events: Iterable[Order | Flow]) -> None:
        """Write trades and flows, oldest first; at most a few thousand, or a part may grow too large."""
        if self._file is None or self._file.tell() >= self.most_bytes:
            self._begin()
        writer = csv.writer(self._file)  # type: ignore[arg-type]
        for event in events:
            for row in self.sheet.rows(event, self.zone):
                writer.writerow([defused(cell) for cell in row])

    def close(self) -> list[Path]:
        """Close the files and return them: `trades.csv`, `trades-2.csv` and so on."""
        if self._file is not None:
            self._file.close()
            self._file = None
        return self._paths

    def _begin(self) -> None:
        if self._file is not None:
            self._file.close()
        number = len(self._paths) + 1
        name = self.sheet.stem if number == 1 else f"{self.sheet.stem}-{number}"
        path = self.folder / f"{name}.csv"
        self._paths.append(path)
        self._file = path.open("w", newline="", encoding="utf-8")
        csv.writer(self._file).writerow(self.sheet.columns)
