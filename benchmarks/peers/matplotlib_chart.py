"""The same picture by matplotlib: FILE with the account, and how often to draw it again."""

import io
import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def draw(account: dict[str, Any], *, dark: bool) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    back, text, line, held = (
        ("#17212B", "#93A2B2", "#62B0FF", "#8696A7")
        if dark
        else ("#FFFFFF", "#5F6A76", "#1B6FC4", "#6B7682")
    )
    figure = Figure(figsize=(1280 / 250, 1195 / 250), dpi=250, facecolor=back)
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1))
    moments = [datetime.fromtimestamp(at, UTC) for at in account["at"]]
    values, others = (list(map(float, account[name])) for name in ("account", "held"))
    upper.plot(moments, others, color=held, label="only held")
    upper.plot(moments, values, color=line, label="account")
    upper.fill_between(moments, values, min(values), color=line, alpha=0.08)
    for side, mark, colour in (("BUY", "^", "#46D19A"), ("SELL", "v", "#FFA657")):
        some = [at for at, name in account["trades"] if name == side]
        places = [values[account["at"].index(at)] for at in some]
        upper.scatter([datetime.fromtimestamp(at, UTC) for at in some], places, 30, colour, mark)
    difference = [one - other for one, other in zip(values, others, strict=True)]
    lower.plot(moments, difference, color="#FFA657")
    lower.fill_between(moments, difference, 0, color="#FFA657", alpha=0.2)
    for axes in (upper, lower):
        axes.set_facecolor(back)
        axes.tick_params(colors=text, labelsize=6)
        axes.yaxis.tick_right()
        axes.grid(axis="y", alpha=0.2)
    upper.set_title("1,589.81 USDT", loc="left", color=text)
    upper.legend(fontsize=6)
    image = io.BytesIO()
    figure.savefig(image, format="png", facecolor=back)
    return image.getvalue()


def main(file: str, again: int) -> None:
    account = json.loads(Path(file).read_text())
    before_mb, begun = memory_mb(), time.monotonic()
    draw(account, dark=True)
    first_s, cold_s = time.monotonic() - begun, time.process_time()
    begun = time.monotonic()
    image = b""
    for _ in range(again):
        image = draw(account, dark=False)
    figures = {
        "cold_ms": cold_s * 1000,
        "warm_ms": (time.process_time() - cold_s) * 1000 / again,
        "first_s": first_s,
        "next_s": (time.monotonic() - begun) / again,
        "memory_mb": memory_mb() - before_mb,
        "kb": len(image) / 1000,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
