"""1,000 accounts with a stream each: memory, CPU while nothing happens, and a cut of all at once."""

import sys
import tempfile
from pathlib import Path

from benchmarks.processes import OURS, fake, run_json
from benchmarks.reports import Goal, Report
from tests.fakes.certificates import self_signed

_ACCOUNTS, _IDLE_S = 1000, 60


def run(_: Path | None) -> Report:
    report = Report(
        "streams",
        f"{_ACCOUNTS:,} streams over TLS in one process, a ping each 15 s",
        ["what", "measured"],
    )
    with tempfile.TemporaryDirectory() as folder:
        pem = self_signed(Path(folder))
        with fake("mexc_streams", str(pem)) as server:
            program = [sys.executable, "-m", "benchmarks.streaming"]
            asked = [server.tell("where"), str(pem), str(_ACCOUNTS), str(_IDLE_S), server.url]
            found = run_json([*program, *asked], core=OURS, within=600)
            most = server.tell("counts")["most_a_second"]
    more = found["mb"] - found["mb_before"]
    report.rows = [
        ["MB more than without", more],
        ["KB a stream", more * 1000 / _ACCOUNTS],
        ["ms CPU of a connect", found["connect_cpu_ms"]],
        ["seconds until all were subscribed", found["connected_s"]],
        ["connects within a second, at most", most],
        ["idle: part of a core", found["idle_core"]],
        ["seconds until all were back after a cut", found["back_s"]],
        ["incidents of it", found["incidents"]],
        ["seconds of the stop", found["stopped_s"]],
    ]
    report.goals = [
        Goal("stream", "MB of 1,000 streams", more, 70),
        Goal("stream", "part of a core while nothing happens", found["idle_core"], 0.01),
        Goal("stream", "seconds until all are back after a cut", found["back_s"], 60),
        Goal("stream", "connects within a second", most, 20),
        Goal("stream", "seconds of the stop", found["stopped_s"], 2),
    ]
    return report
