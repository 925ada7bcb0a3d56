"""The operator's report: a line per finding, with a remedy where one is needed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import TextWrapper

from engine.diagnosis.findings import Grade

_WIDTH = 80
_MARKS = {Grade.OK: "ok", Grade.LOOK: "warn", Grade.BROKEN: "FAIL"}
_INDENT = " " * 16
_STEP = re.compile(r"[1-9]\. ")


@dataclass(frozen=True, slots=True)
class ReportLine:
    """*says* is the finding, *remedy* what to do about it."""

    grade: Grade
    about: str
    says: str
    remedy: str = ""


def fine(about: str, says: str) -> ReportLine:
    return ReportLine(Grade.OK, about, says)


def look(about: str, says: str, remedy: str) -> ReportLine:
    return ReportLine(Grade.LOOK, about, says, remedy)


def broken(about: str, says: str, remedy: str) -> ReportLine:
    return ReportLine(Grade.BROKEN, about, says, remedy)


def written(findings: Sequence[ReportLine]) -> str:
    """Return all lines, 80 columns wide, with the result in the last line."""
    lines = [line for finding in findings for line in _lines(finding)]
    grades = [finding.grade for finding in findings]
    failed, odd = grades.count(Grade.BROKEN), grades.count(Grade.LOOK)
    if not failed and not odd:
        lines += ["", "All is well."]
    else:
        lines += ["", f"Failed: {failed}. Worth a look: {odd}. Fine: {grades.count(Grade.OK)}."]
    return "\n".join(lines) + "\n"


def folded(*lines: str | None) -> str:
    """Return the lines wrapped to 80 columns; None is left out."""
    indents = [(line, "   " if _STEP.match(line) else "") for line in lines if line is not None]
    return "".join(f"{part}\n" for line, rest in indents for part in _wrapped(line, "", rest))


def _lines(finding: ReportLine) -> list[str]:
    head = f"{_MARKS[finding.grade]:<5} {finding.about:<9} "
    said = _wrapped(finding.says, head, _INDENT)
    return said + _wrapped(finding.remedy, f"{_INDENT}-> ", f"{_INDENT}   ")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """Return the lines, indented by *first* and *rest*; names and addresses stay in one piece."""
    whole = TextWrapper(_WIDTH, first, rest, break_long_words=False, break_on_hyphens=False)
    return whole.wrap(text)
