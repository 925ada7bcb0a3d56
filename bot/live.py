"""The real program: Telegram on one side, MEXC (and paper beside it) on the other."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
from sqlalchemy.exc import SQLAlchemyError
from telegram.request import HTTPXRequest

from bot.assembly import Venue, assemble
from bot.deadman import DeadMan
from bot.intake import Intake
from bot.lifecycle import live
from bot.loopwatch import Turning
from bot.settings import ProcessSettings
from bot.stalls import CheckWatch
from bot.updates import UpdatesSource
from bot.watchdog import PollWatch
from bot.wiring import build_application, come_online, open_database, open_vault
from bot.workers import delay
from engine.clock import Clock, SystemClock
from engine.domain.accounts import Account
from engine.domain.holdings import Holdings
from engine.errors import SealBroken
from engine.exchange.mexc.client import MexcClient
from engine.exchange.mexc.exchange import MexcExchange
from engine.exchange.mexc.keycheck import MexcKeyCheck
from engine.exchange.mexc.market import MexcMarket
from engine.exchange.mexc.sockets import open_transport
from engine.exchange.mexc.transport import Transport
from engine.exchange.pacing import Budget
from engine.exchange.paper import PaperExchange
from engine.exchange.port import Exchange
from engine.storage import outage
from engine.storage.database import Database
from engine.timing import Timing
from engine.vault import Vault

# Half the shortest interval: a check that is due just after a beat is not an interval late.
_HEARTBEAT = timedelta(milliseconds=500)
_LONGEST_PAUSE = timedelta(seconds=30)

logger = logging.getLogger(__name__)


async def run_live(
    settings: ProcessSettings, *, stop: asyncio.Event, turning: Turning | None = None
) -> None:
    """Until *stop*. Raises CannotStart, BadSettings (the key file), TokenRefused, PollsStalled."""
    if settings.telegram_token is None:
        raise ValueError("without a token this would be the demo")
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            open_database(settings.database_url, clock=clock)
        )
        vault = await open_vault(settings, database)
        mexc = await stack.enter_async_context(open_transport(proxy=settings.mexc_proxy))
        application = build_application(
            settings.telegram_token,
            request=HTTPXRequest(connection_pool_size=32),
            base_url=settings.telegram_api_url,
        )
        stack.push_async_callback(application.shutdown)
        parts = assemble(
            application=application,
            database=database,
            vault=vault,
            venue=mexc_venue(
                settings, transport=mexc, database=database, vault=vault, clock=clock
            ),
            clock=clock,
            authorized_chats=settings.authorized_chats,
            keep=settings.keep,
            turning=turning,
        )
        token = settings.telegram_token

        @asynccontextmanager
        async def open_intake() -> AsyncGenerator[Intake]:
            """With connections of its own: stuck ones are what a restart has to get rid of."""
            async with httpx.AsyncClient() as telegram_http:
                yield Intake(
                    source=UpdatesSource(
                        http=telegram_http, url=f"{settings.telegram_api_url}/bot{token}"
                    ),
                    database=database,
                    clock=clock,
                    sealer=vault,
                    bot_id=int(token.partition(":")[0]),
                    on_stored=parts.update_workers.nudge,
                    on_answered=parts.polls.answered,
                )

        async def telegram() -> None:
            await _outlast_the_database(lambda: come_online(parts, clock), clock)
            await PollWatch(clock=clock, open_intake=open_intake).run()

        check_watch = CheckWatch(
            clock=clock,
            bot=application.bot,
            pulse=parts.dispatcher.pulse,
            owner_chat=parts.access.owner_chat,
        )
        engine = [parts.heartbeat.run, parts.dispatcher.run, parts.rounds.run, check_watch.run]
        if settings.heartbeat_url is not None:
            pulse = parts.dispatcher.pulse
            engine.append(DeadMan(url=settings.heartbeat_url, clock=clock, pulse=pulse).run)
        await live(
            stop=stop,
            engine=engine,
            dispatcher=parts.dispatcher,
            telegram=telegram,
            workers=[parts.update_workers, parts.relay],
        )


async def _outlast_the_database(start: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """*start* begun again and again, until the database was there for all of it."""
    failures = 0
    while True:
        try:
            await start()
        except (SQLAlchemyError, OSError) as e:
            failures += 1
            logger.warning("not online yet, the database is %s", outage.why(e))
            await clock.sleep(delay(failures, most=_LONGEST_PAUSE))
        else:
            return


def mexc_venue(
    settings: ProcessSettings,
    *,
    transport: Transport,
    database: Database,
    vault: Vault,
    clock: Clock,
) -> Venue:
    budget = Budget(clock, settings.mexc_limits)
    client = MexcClient(transport, base_url=settings.mexc_api_url, clock=clock, budget=budget)
    market = MexcMarket(client)

    def paper(account: Account) -> PaperExchange:
        # Only the unsigned market: a dry run has no key and no way to an order endpoint.
        return PaperExchange(account_id=account.id, market=market, database=database, clock=clock)

    def exchange_for(account: Account) -> Exchange:
        if account.settings.dry_run:
            return paper(account)
        if account.sealed_key is None:
            raise SealBroken("no key is connected")
        credentials = vault.open_credentials(
            account.sealed_key, account_uuid=account.uuid, chat_id=account.chat_id
        )
        return MexcExchange(client, credentials, market.signed_by(credentials))

    async def open_paper(account: Account, holdings: Holdings | None) -> None:
        await paper(account).open_ledger(holdings, symbol=account.settings.symbol)

    return Venue(
        exchange_for=exchange_for,
        key_check=MexcKeyCheck(client),
        open_paper=open_paper,
        paper_only=False,
        defaults=settings.default_settings,
        timing=Timing(error_backoff=settings.error_backoff),
        heartbeat=_HEARTBEAT,
        traffic=client.traffic,
        usage=budget.usage,
    )
