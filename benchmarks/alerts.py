"""Alerts out: 1,000 of them for 1,000 chats and for one, through a Bot API that enforces its limits."""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from benchmarks.mexc import SYMBOL
from benchmarks.processes import fake
from benchmarks.program import ballast, environment, seed
from benchmarks.reports import Goal, Report
from engine.clock import SystemClock
from engine.domain.alerts.alerts import TradeSettled
from engine.domain.market.pairs import Side, Symbol
from engine.domain.orders.order import Trigger
from engine.notifications.publish import publish
from engine.storage.database import Database

_ALERTS = 1000
_MANY_S, _ONE_S = 60.0, 20.0
_FIRST_CHAT = 500_000


@dataclass(frozen=True, slots=True)
class Delivery:
    sent: int
    seconds: float
    refused: int
    in_flight: int
    cpu_share: float

    @property
    def rate(self) -> float:
        return (self.sent - 1) / self.seconds


def run(_: Path | None) -> Report:
    report = Report(
        "alerts",
        f"{_ALERTS:,} alerts wait; the Bot API takes 30 a second, and 1 a second and chat",
        ["for", "sent", "in s", "messages/s", "refused", "most in flight", "CPU share"],
    )
    many = _deliver(_ALERTS, within=_MANY_S)
    one = _deliver(1, within=_ONE_S)
    for name, found in ((f"{_ALERTS:,} chats", many), ("1 chat", one)):
        cells = [found.sent, found.seconds, found.rate, found.refused, found.in_flight]
        report.rows.append([name, *cells, found.cpu_share])
    report.goals += [
        Goal("12", "messages a second to many chats", many.rate, 28.0, at_least=True),
        Goal("12", "of a core", many.cpu_share, 0.15),
        Goal("12", "sends in flight", many.in_flight, 4),
        Goal("12", "to one chat, of the 1 a second it takes", one.rate, 0.9, at_least=True),
    ]
    report.notes.append(f"one chat would take {_ALERTS:,} s: it is watched for {_ONE_S:.0f} s")
    return report


def _deliver(chats: int, *, within: float) -> Delivery:
    """The program is started with all of them waiting."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fake("telegram", "--enforce") as telegram,
        fake("mexc") as mexc,
    ):
        url = f"sqlite:///{folder}/ballast.db"
        seed(url, 0, interval=timedelta(seconds=120))
        asyncio.run(_queue(url, chats))
        env = environment(database_url=url, telegram=telegram, mexc=mexc, LOG_LEVEL="ERROR")
        with ballast(env, folder=Path(folder)) as process:
            telegram.until("sent", bool)
            cpu_s, begun = process.cpu_s(), time.monotonic()
            while (
                len(sent := telegram.tell("sent")) < _ALERTS and time.monotonic() < begun + within
            ):
                time.sleep(0.2)
            share = (process.cpu_s() - cpu_s) / (time.monotonic() - begun)
        limits = telegram.tell("limits")
    seconds = sent[-1][0] - sent[0][0]
    return Delivery(len(sent), seconds, limits["refused"], limits["in_flight"], share)


async def _queue(url: str, chats: int) -> None:
    now = SystemClock().now()
    alert = TradeSettled(
        dry_run=False,
        symbol=Symbol(SYMBOL),
        side=Side.BUY,
        trigger=Trigger.INTERVAL,
        base_quantity=Decimal(8142),
        quote_amount=Decimal("16.30"),
        asked_quote=Decimal("17.10"),
        fees=None,
        quote_before=Decimal("57.10"),
        quote_after=Decimal("40.79"),
        target=Decimal(40),
    )
    async with Database.open(url, clock=SystemClock()) as database, database.writing() as session:
        for number in range(_ALERTS):
            await publish(
                session, _FIRST_CHAT + number % chats, alert, key=f"benchmark:{number}", now=now
            )
