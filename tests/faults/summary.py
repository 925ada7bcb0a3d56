"""What the fault bench tried and counted, at the end of a run: the numbers of docs/reliability.md."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

import pytest

from tests.faults.scenarios import ALL, CANNOT_OCCUR

_BENCH = "tests/faults/"
# A run that failed is the one to be told again.
_SEED = "seed"
Numbers = Mapping[str, Sequence[Any]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Only where the bench ran; the same with and without xdist."""
    ran = [r for r in _reports(terminalreporter, "passed") if r.when == "call"]
    failed = [*_reports(terminalreporter, "failed"), *_reports(terminalreporter, "error")]
    if not ran:
        return
    terminalreporter.section("what the fault bench counted")
    for label, value in _lines(_numbers(ran), _numbers(failed), broken=len(failed)):
        terminalreporter.write_line(f"{label:<42}{value}")


def _reports(reporter: pytest.TerminalReporter, outcome: str) -> list[pytest.TestReport]:
    return [
        report
        for report in reporter.stats.get(outcome, [])
        if isinstance(report, pytest.TestReport) and report.nodeid.startswith(_BENCH)
    ]


def _numbers(reports: Iterable[pytest.TestReport]) -> Numbers:
    found: dict[str, list[Any]] = defaultdict(list)
    for report in reports:
        for name, value in report.user_properties:
            found[name].append(value)
    return found


def _lines(passed: Numbers, failed: Numbers, *, broken: int) -> Iterable[tuple[str, str]]:
    for label, name, told in _LINES:
        values = passed.get(name, ())
        if name == _SEED:
            values = [*values, *failed.get(name, ())]
        if values:
            yield label, told(values, failed.get(name, ()))
    yield "invariants broken", str(broken)


def _scenarios(passed: Sequence[int], failed: Sequence[int]) -> str:
    cannot = f", {len(CANNOT_OCCUR)} cannot occur here" if CANNOT_OCCUR else ""
    return f"{len(set(passed) - set(failed))} of {len(ALL)}{cannot}"


def _survived(passed: Sequence[str], failed: Sequence[str]) -> str:
    return f"{len(passed)} of {len(passed) + len(failed)}"


def _spread(values: Sequence[float], _: object) -> str:
    return f"median {median(values):.1f}, slowest {max(values):.1f}"


def _total(values: Sequence[int], _: object) -> str:
    return f"{sum(values):,}"


def _most(values: Sequence[float], _: object) -> str:
    return f"{max(values):.1f}".removesuffix(".0")


def _all(values: Sequence[object], _: object) -> str:
    return " ".join(map(str, values))


# What is shown of each number the tests recorded, in this order.
_LINES: Sequence[tuple[str, str, Callable[[Sequence[Any], Sequence[Any]], str]]] = (
    ("scenarios passed", "scenario", _scenarios),
    ("crash points x restarts survived", "crash_point", _survived),
    ("seconds from restart to reconciled", "restart_to_reconciled_s", _spread),
    ("random steps", "random steps", _total),
    ("  their seeds", _SEED, _all),
    ("bad inputs", "bad_inputs", _total),
    ("alerts of a chat in an hour's outage", "alerts in an hour's outage", _most),
    ("seconds from a freeze to the takeover", "seconds from a freeze to the takeover", _most),
    ("orders of fleets under attack", "orders", _total),
    ("  double orders among them", "double orders", _total),
)
