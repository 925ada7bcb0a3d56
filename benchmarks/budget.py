"""How well the weight of one address is used, where there are more accounts than it can serve: an
exchange that enforces its limits, and checks without a pause.
"""

import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.mexc import ADDRESS_LIMIT, ADDRESS_WINDOW_S
from benchmarks.processes import fake
from benchmarks.program import ballast, environment, seed
from benchmarks.reports import Goal, Report

_ACCOUNTS = 600
_INTERVAL = timedelta(seconds=60)
_WARM_UP_S, _WINDOW_S = 15.0, 40.0


def run(_: Path | None) -> Report:
    allowed = ADDRESS_LIMIT / ADDRESS_WINDOW_S
    report = Report(
        "budget",
        f"{_ACCOUNTS} accounts every {_INTERVAL.total_seconds():.0f} s on one address, "
        f"which serves {allowed * _INTERVAL.total_seconds() / 10:.0f}",
        ["of the exchange's limits", "weight/s", "of what is allowed", "refused (429)"],
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        fake("telegram") as telegram,
        fake("mexc", "--enforce") as mexc,
    ):
        url = f"sqlite:///{folder}/ballast.db"
        seed(url, _ACCOUNTS, interval=_INTERVAL)
        env = environment(
            database_url=url, telegram=telegram, mexc=mexc, MEXC_WEIGHT=str(ADDRESS_LIMIT)
        )
        with ballast(env, folder=Path(folder)):
            time.sleep(_WARM_UP_S)
            before, begun = mexc.tell("limits"), time.monotonic()
            time.sleep(_WINDOW_S)
            after, seconds = mexc.tell("limits"), time.monotonic() - begun
    rate = (after["weight"] - before["weight"]) / seconds
    report.rows.append(["300 weight per 10 s and address", rate, rate / allowed, after["refused"]])
    report.goals += [
        Goal("9", "of the weight allowed", rate / allowed, 0.95, at_least=True),
        Goal("9", "requests refused", after["refused"], 0),
    ]
    return report
