"""A picture of 90 days: ours, in its child process, and matplotlib's, each from nothing and again;
CPU, memory and size.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.processes import NotMeasured, run_json
from benchmarks.reports import Goal, Report, middle

_RUNS, _WARM = 5, 10
_OURS, _THEIRS = "Ballast, in its child", "matplotlib, Agg"
_FIGURES = ("cold_ms", "warm_ms", "first_s", "next_s", "memory_mb", "kb")


def run(peers: Path | None) -> Report:
    report = Report(
        "chart",
        f"A picture of 2,160 hours, 1280 pixels wide (median of {_RUNS}, taken in turns)",
        ["drawn by", "first ms CPU", "next ms CPU", "first s", "next s", "MB more", "KB"],
    )
    found: dict[str, list[dict[str, float]]] = {_OURS: [], _THEIRS: []}
    with tempfile.TemporaryDirectory() as folder:
        account = Path(folder, "account.json")
        account.write_text(json.dumps(_account()))
        commands = {_OURS: [sys.executable, "-m", "benchmarks.chart"]}
        if peers is not None:
            commands[_THEIRS] = [str(peers), "benchmarks/peers/matplotlib_chart.py"]
        for _ in range(_RUNS):
            for name, command in commands.items():
                try:
                    found[name].append(run_json([*command, str(account), str(_WARM)]))
                except NotMeasured as e:
                    report.notes.append(f"{name}: {str(e).strip().splitlines()[-1]}")
    figures = {
        name: {figure: middle([one[figure] for one in runs]) for figure in _FIGURES}
        for name, runs in found.items()
        if runs
    }
    for name in found:
        report.rows.append([name, *(figures.get(name, {}).get(figure) for figure in _FIGURES)])
    report.goals = _goals(figures)
    return report


def _goals(figures: dict[str, dict[str, float]]) -> list[Goal]:
    ours, theirs = figures.get(_OURS), figures.get(_THEIRS)
    goals = []
    if ours and theirs:
        parts = [(name, ours[name] / theirs[name]) for name in ("cold_ms", "warm_ms")]
        goals += [
            Goal("chart", f"CPU of the {which} picture, of matplotlib's", part, limit)
            for which, (_, part), limit in zip(("first", "next"), parts, (0.2, 0.5), strict=True)
        ]
    if ours:
        goals += [
            Goal("chart", "MB more in the bot's own process", ours["memory_mb"], 10.0),
            Goal("chart", "KB of the picture", ours["kb"], 130.0),
            Goal("chart", "seconds to the first picture", ours["first_s"], 1.0),
            Goal("chart", "seconds to the next picture", ours["next_s"], 0.3),
        ]
    return goals


def _account() -> dict[str, Any]:
    from docs.chart_samples import VALUES  # noqa: PLC0415 - not in the process that is measured

    chart = VALUES["value"]
    return {
        "at": [sample.at.timestamp() for sample in chart.account],
        "account": [str(sample.value) for sample in chart.account],
        "held": [str(sample.value) for sample in chart.held],
        "trades": [[trade.at.timestamp(), trade.side.value] for trade in chart.trades],
    }


async def _draw(account: dict[str, Any], again: int) -> dict[str, float]:
    """As the bot does it: what it has not loaded when it starts is loaded within the first one."""
    before_mb = _memory_mb()
    begun, cpu_s = time.monotonic(), time.process_time()
    from datetime import UTC, datetime  # noqa: PLC0415
    from decimal import Decimal  # noqa: PLC0415

    from bot.rendering.image_process import ImageProcess  # noqa: PLC0415
    from bot.views.charts.frame import Words  # noqa: PLC0415
    from bot.views.charts.series import Sample, Trade  # noqa: PLC0415
    from bot.views.charts.theme import Theme  # noqa: PLC0415
    from bot.views.charts.value_chart import ValueChart, value_chart  # noqa: PLC0415
    from engine.domain.market.pairs import Side  # noqa: PLC0415

    def line(name: str) -> list[Sample]:
        moments = [datetime.fromtimestamp(at, UTC) for at in account["at"]]
        values = map(Decimal, account[name])
        return [Sample(at, value) for at, value in zip(moments, values, strict=True)]

    chart = ValueChart(
        words=Words("1,589.81 USDT", "+43.6%", "in 90 days", "LIVE"),
        account=line("account"),
        held=line("held"),
        trades=[
            Trade(datetime.fromtimestamp(at, UTC), Side(side)) for at, side in account["trades"]
        ],
        gained=True,
    )
    images = ImageProcess()
    try:
        image = await images.draw(value_chart(chart, Theme.DARK))
        first_s, own_s = time.monotonic() - begun, time.process_time() - cpu_s
        child_s = _child_cpu_s(images)
        begun, cpu_s = time.monotonic(), time.process_time()
        for _ in range(again):
            image = await images.draw(value_chart(chart, Theme.LIGHT))
        again_s = time.process_time() - cpu_s + _child_cpu_s(images) - child_s
        return {
            "cold_ms": (own_s + child_s) * 1000,
            "warm_ms": again_s * 1000 / again,
            "first_s": first_s,
            "next_s": (time.monotonic() - begun) / again,
            "memory_mb": _memory_mb() - before_mb,
            "kb": len(image) / 1000,
        }
    finally:
        await images.close()


def _child_cpu_s(images: Any) -> float:
    """All that the child has used, from its start on."""
    pid = images._process.pid  # noqa: SLF001 - only to measure it
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps(asyncio.run(_draw(given, int(sys.argv[2])))))
