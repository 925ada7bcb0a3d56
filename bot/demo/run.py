"""The demo: the real handlers, engine, database and order protocol in a terminal.
A simulated market replaces MEXC, the terminal replaces Telegram, and a minute takes a second.
"""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from bot.config.settings import ProcessSettings
from bot.demo.console import Console, ConsoleRequest
from bot.demo.terminal import Terminal
from bot.demo.tour import Tour
from bot.runtime.components import assemble
from bot.runtime.exchange_setup import ExchangeSetup
from bot.runtime.startup import build_application, come_online, open_database
from bot.runtime.supervisor import run_until_stopped
from bot.updates.polling import UpdatePoller
from engine.clock import Clock, FastClock
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Holdings
from engine.exchanges.paper.exchange import PaperExchange
from engine.exchanges.paper.simulated_market import (
    RULES,
    SimulatedDeposits,
    SimulatedKeyInspector,
    SimulatedMarket,
)
from engine.exchanges.paper.streams import PaperStreams
from engine.security.vault import Vault
from engine.storage.database import Database
from engine.timeouts import Timing

SPEED = 60
_SEED = 7
_HEARTBEAT = timedelta(milliseconds=100)  # of ours: checks are due every two seconds
_TOKEN = "1:demo"  # noqa: S105 - nobody's token; it never leaves the process


async def run_demo(settings: ProcessSettings, *, stop: asyncio.Event) -> int:
    """Run until *stop*, end of input, closed output or the tour's end; return the exit code.
    Nothing is kept: the database is in a folder that is removed afterwards.
    """
    clock = FastClock(speed=SPEED)
    somebody_types = sys.stdin is not None and sys.stdin.isatty()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ballast-")))
        database = await stack.enter_async_context(
            open_database(f"sqlite:///{folder / 'demo.db'}", clock=clock)
        )
        vault = Vault([Fernet.generate_key().decode()])
        terminal = Terminal(sys.stdout, styled=sys.stdout.isatty(), on_closed=stop.set)
        console = Console(terminal=terminal, clock=clock)
        application = build_application(
            _TOKEN, request=ConsoleRequest(console), base_url="http://demo.invalid"
        )
        stack.push_async_callback(application.shutdown)
        # In the tour, each drift must cause exactly one trade.
        market = SimulatedMarket(clock, _SEED, thins=somebody_types)
        paper_streams = PaperStreams(database=database, clock=clock)
        deposits = SimulatedDeposits(
            database=database,
            clock=clock,
            seed=_SEED,
            tell=console.moved,
            streams=paper_streams,
        )
        parts = assemble(
            application=application,
            database=database,
            vault=vault,
            setup=demo_setup(
                settings, market=market, database=database, clock=clock, streams=paper_streams
            ),
            clock=clock,
            authorized_chats=(1,),
            loader_paths=settings.loader_paths,
        )
        stack.push_async_callback(parts.images.close)
        keyboard = _Keyboard()
        intake = UpdatePoller(
            source=keyboard,
            store=parts.update_store,
            clock=clock,
            on_answered=parts.telegram_activity.answered,
        )
        exit_code = 0

        async def play() -> None:
            nonlocal exit_code
            await come_online(parts, clock)
            await parts.command_menu.publish()
            if somebody_types:
                await console.run(sys.stdin, keyboard.type)
            else:
                tour = Tour(
                    console=console, clock=clock, deliver=keyboard.type, drift=deposits.push
                )
                exit_code = await tour.play()
            stop.set()

        engine = [
            parts.heartbeat.run,
            parts.dispatcher.run,
            parts.fleet.run,
            parts.periodic_jobs.run,
            intake.run,
        ]
        if somebody_types:  # the tour moves money when a step needs it
            engine.append(partial(deposits.run, console.until_read))
        await run_until_stopped(
            stop=stop,
            engine=engine,
            dispatcher=parts.dispatcher,
            telegram=play,
            workers=[parts.update_workers, parts.outbox_sender],
        )
        return exit_code


class _Keyboard:
    """Typed lines as an update source: they are stored in the inbox before they are handled."""

    def __init__(self) -> None:
        self._typed: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def type(self, raw: dict[str, Any]) -> None:
        self._typed.put_nowait(raw)

    async def fetch(self, _: int | None) -> list[dict[str, Any]]:
        return [await self._typed.get()]


def demo_setup(
    settings: ProcessSettings,
    *,
    market: SimulatedMarket,
    database: Database,
    clock: Clock,
    streams: PaperStreams,
) -> ExchangeSetup:

    def paper(account: Account) -> PaperExchange:
        return PaperExchange(
            account_id=account.id,
            market=market,
            database=database,
            clock=clock,
            streams=streams,
        )

    async def open_paper(account: Account, _: Holdings | None) -> None:
        await paper(account).open_ledger(None, symbol=account.settings.symbol)

    return ExchangeSetup(
        exchange_for=paper,
        key_check=SimulatedKeyInspector(market, clock),
        open_paper=open_paper,
        paper_only=True,
        defaults=replace(settings.default_settings, dry_run=True, symbol=RULES.symbol),
        timing=Timing(error_backoff=settings.error_backoff).stretched(SPEED),
        heartbeat=_HEARTBEAT,
        paper_streams=streams,
    )
