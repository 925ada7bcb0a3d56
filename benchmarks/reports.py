"""What a benchmark found: a table for the eye, the same as JSON, and which goals it meets."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Goal:
    """*row* is the number of the goal in `benchmarks/README.md`."""

    row: str
    says: str
    measured: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass(slots=True)
class Report:
    """*rows* have a cell for each of *columns*; None is "not measured"."""

    name: str
    title: str
    columns: Sequence[str]
    rows: list[Sequence[Cell]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def show(self) -> str:
        lines = [self.title, "", *_aligned([self.columns, *self.rows])]
        for goal in self.goals:
            sign = ">=" if goal.at_least else "<="
            verdict = "met   " if goal.met else "MISSED"
            lines.append(
                f"{verdict} {goal.row:>4}  {goal.says}: "
                f"{_cell(goal.measured)} ({sign} {_cell(goal.limit)})"
            )
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes), ""])

    def save(self) -> Path:
        """To `benchmarks/results/<name>.json`, over what was there."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.name}.json"
        path.write_text(json.dumps(self._facts(), indent=1, ensure_ascii=False) + "\n")
        return path

    def _facts(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "rows": [dict(zip(self.columns, row, strict=True)) for row in self.rows],
            "goals": [{**asdict(goal), "met": goal.met} for goal in self.goals],
            "notes": self.notes,
        }


def machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"


def quantile(values: Sequence[float], part: float) -> float:
    """The nearest rank; of nothing, nothing is known."""
    if not values:
        return float("nan")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))]


def middle(values: Sequence[float]) -> float:
    return median(values) if values else float("nan")


def _aligned(table: Sequence[Sequence[Cell]]) -> list[str]:
    texts = [[_cell(cell) for cell in row] for row in table]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    ]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:], ""]


def _cell(value: Cell) -> str:
    match value:
        case None:
            return "not measured"
        case float() if value != value:  # noqa: PLR0124 - not a number
            return "-"
        case float():
            return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
        case int():
            return f"{value:,}"
        case str():
            return value
