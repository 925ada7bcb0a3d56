"""Builds and runs the real program: Telegram, and MEXC with paper trading beside it."""

import asyncio
import errno
import os
import ssl
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

from telegram.request import HTTPXRequest

from bot.config.certificates import trusted
from bot.config.library_environment import most_streams
from bot.config.process_type import ProcessType, UpdateMode, require, update_mode
from bot.config.settings import ProcessSettings
from bot.observability.event_loop import Turning
from bot.observability.health import Health
from bot.observability.liveness_ping import LivenessPing
from bot.observability.metrics_page import MetricsPage
from bot.observability.stall_alerts import StallAlerter
from bot.runtime.components import assemble
from bot.runtime.database_readiness import database_is_ready
from bot.runtime.exchange_setup import ExchangeSetup
from bot.runtime.startup import CannotStart, build_application, open_database, open_vault
from bot.runtime.supervisor import run_until_stopped
from bot.runtime.update_receiver import UpdateReceiver
from bot.updates.telegram_clock import TelegramClock
from bot.updates.webhook import PATH, Webhook
from bot.updates.webhook_secret import WebhookSecret
from bot.web.server import Handler, Routes, serve
from engine.clock import Clock, SystemClock
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Holdings
from engine.errors import DecryptionFailed
from engine.exchanges.interface import Exchange
from engine.exchanges.mexc.account_streams import MexcAccountStreams
from engine.exchanges.mexc.aiohttp_transport import open_transport
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.exchange import MexcExchange
from engine.exchanges.mexc.key_inspector import MexcKeyInspector
from engine.exchanges.mexc.listen_keys.account_keys import ListenKeys
from engine.exchanges.mexc.market_data import MexcMarket
from engine.exchanges.mexc.price_streams import MexcPriceStreams
from engine.exchanges.mexc.stream import StreamSession, open_streams
from engine.exchanges.mexc.transport import Transport
from engine.exchanges.paper.exchange import PaperExchange
from engine.exchanges.paper.streams import PaperStreams
from engine.exchanges.rate_limit_memory import RateLimitMemory
from engine.exchanges.rate_limiter import RateLimiter
from engine.scheduling.clock_changes import ClockChanges
from engine.security.vault import Vault
from engine.storage.database import Database
from engine.streaming.live_prices import LivePrices
from engine.streaming.price_streams import PriceFleet
from engine.timeouts import Timing

# The machine does not have this address, or none of its family.
_OF_THE_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL, errno.ENODEV})
# Half the shortest interval: a check due just after a heartbeat is less than one interval late.
_HEARTBEAT = timedelta(milliseconds=500)
# The weight of an event's check up to its order, and of the balances after it.
_FOR_WOKEN = 25


async def run_live(
    settings: ProcessSettings,
    *,
    role: ProcessType = ProcessType.WORKER,
    stop: asyncio.Event,
    turning: Turning | None = None,
) -> None:
    """Run until *stop*. Raises CannotStart, BadSettings, TokenRefused, PollsStalled."""
    require(role, settings)
    token = settings.telegram_token or ""
    tls = trusted(settings)  # shared: each takes 35 ms to read certificates
    clock = SystemClock()
    mode = update_mode(role, webhook_url=settings.webhook_url)
    health, webhook = Health(), Webhook()
    page = MetricsPage(token=settings.metrics_token)
    routes: dict[tuple[str, str], Handler] = {
        ("GET", "/healthz"): health.healthz,
        ("GET", "/readyz"): health.readyz,
        ("GET", "/metrics"): page.answer,
    }
    if mode is UpdateMode.WEBHOOK:
        routes["POST", PATH] = webhook.take
    async with AsyncExitStack() as stack:
        if settings.port is not None:
            # First: a host expects the port within a minute, whatever state the database is in.
            await _listen(stack, routes, port=settings.port, host=settings.listen_address)
        if not await database_is_ready(settings.database_url, clock=clock, stop=stop):
            return
        database = await stack.enter_async_context(
            open_database(settings.database_url, clock=clock)
        )
        vault = await open_vault(settings, database)
        telegram_time = TelegramClock(clock)
        mexc = await stack.enter_async_context(open_transport(proxy=settings.mexc_proxy, tls=tls))
        application = build_application(
            token,
            request=HTTPXRequest(
                connection_pool_size=32,
                proxy=settings.telegram_proxy,
                httpx_kwargs={
                    "verify": tls,
                    "trust_env": False,
                    "event_hooks": telegram_time.hooks,
                },
            ),
            base_url=settings.telegram_api_url,
        )
        stack.push_async_callback(application.shutdown)
        streams = await _streams(stack, settings, tls)
        setup = mexc_setup(
            settings,
            transport=mexc,
            database=database,
            vault=vault,
            clock=clock,
            streams=streams,
        )
        if setup.rate_limit_memory is not None:
            await setup.rate_limit_memory.restore()
        parts = assemble(
            application=application,
            database=database,
            vault=vault,
            setup=setup,
            clock=clock,
            authorized_chats=settings.authorized_chats,
            keep=settings.keep,
            turning=turning,
            telegram_time=telegram_time,
            loader_paths=settings.loader_paths,
        )
        stack.push_async_callback(parts.images.close)
        secret = await WebhookSecret.load(database=database, vault=vault, token=token, clock=clock)
        update_receiver = UpdateReceiver(
            mode=mode,
            settings=settings,
            parts=parts,
            database=database,
            clock=clock,
            webhook=webhook,
            secret=secret,
            tls=tls,
            telegram_time=telegram_time,
        )
        health.state = update_receiver.state
        page.metrics = parts.metrics
        stall_alerter = StallAlerter(
            clock=clock,
            bot=application.bot,
            pulse=parts.dispatcher.pulse,
            owner_chat=parts.access.owner_chat,
            on_clock_set=ClockChanges(database=database, clock=clock).clock_was_set,
            flood=parts.flood,
        )
        engine = [
            parts.heartbeat.run,
            parts.dispatcher.run,
            parts.fleet.run,
            parts.periodic_jobs.run,
            parts.status_renewal.run,
            stall_alerter.run,
        ]
        if setup.streams is not None:
            engine.append(setup.streams.run)
        if setup.prices is not None:
            engine.append(setup.prices.run)
        if settings.heartbeat_url is not None:
            pulse = parts.dispatcher.pulse
            liveness_ping = LivenessPing(
                url=settings.heartbeat_url, clock=clock, pulse=pulse, tls=tls
            )
            engine.append(liveness_ping.run)
        await run_until_stopped(
            stop=stop,
            engine=engine,
            dispatcher=parts.dispatcher,
            telegram=update_receiver.run,
            workers=[parts.update_workers, parts.outbox_sender],
            leave=update_receiver.leave,
        )


async def _listen(stack: AsyncExitStack, routes: Routes, *, port: int, host: str | None) -> None:
    """Serve until *stack* ends. Raises CannotStart if the port cannot be bound."""
    try:
        await stack.enter_async_context(serve(routes, port=port, host=host))
    except OSError as e:
        number = e.errno or 0  # below zero: errors of the resolver, passed on by asyncio
        why = os.strerror(number) if number > 0 else "no such address"
        if number < 0 or number in _OF_THE_ADDRESS:
            raise CannotStart(f"LISTEN_ADDRESS {host} cannot be used: {why}") from e
        raise CannotStart(
            f"PORT {port} cannot be used: {why}; give each process a port of its own"
        ) from e


async def _streams(
    stack: AsyncExitStack, settings: ProcessSettings, tls: ssl.SSLContext
) -> StreamSession | None:
    """Returns what streams connect by, until *stack* ends; None where there are to be none."""
    if not settings.streams:
        return None
    return await stack.enter_async_context(
        open_streams(settings.mexc_stream_url, proxy=settings.mexc_proxy, tls=tls)
    )


def _prices(streams: StreamSession, market: MexcMarket, clock: Clock) -> LivePrices:
    """Returns the prices that all accounts share, and who waits for them."""
    return LivePrices(
        clock,
        PriceFleet(
            clock=clock,
            streams=MexcPriceStreams(streams=streams, clock=clock),
            read=partial(market.quotes, listed_only=True),
        ),
    )


def mexc_setup(
    settings: ProcessSettings,
    *,
    transport: Transport,
    database: Database,
    vault: Vault,
    clock: Clock,
    streams: StreamSession | None = None,
) -> ExchangeSetup:
    # Polls use half of the address then: what events ask for needs no room that polls would use.
    for_woken = _FOR_WOKEN if streams is not None else 0
    budget = RateLimiter(clock, settings.mexc_limits, for_woken=for_woken)
    client = MexcClient(transport, base_url=settings.mexc_api_url, clock=clock, budget=budget)
    market = MexcMarket(client)
    keys = ListenKeys(client=client, database=database, vault=vault, clock=clock)
    paper_streams = None if streams is None else PaperStreams(database=database, clock=clock)

    def paper(account: Account) -> PaperExchange:
        # Only the unsigned market client: a dry run has no key and no access to an order endpoint.
        return PaperExchange(
            account_id=account.id,
            market=market,
            database=database,
            clock=clock,
            streams=paper_streams,
        )

    def exchange_for(account: Account) -> Exchange:
        if account.settings.dry_run:
            return paper(account)
        if account.sealed_key is None:
            raise DecryptionFailed("no key is connected")
        credentials = vault.open_credentials(
            account.sealed_key, account_uuid=account.uuid, chat_id=account.chat_id
        )
        return MexcExchange(client, credentials, market)

    async def open_paper(account: Account, holdings: Holdings | None) -> None:
        await paper(account).open_ledger(holdings, symbol=account.settings.symbol)

    return ExchangeSetup(
        exchange_for=exchange_for,
        key_check=MexcKeyInspector(client),
        open_paper=open_paper,
        paper_only=False,
        defaults=settings.default_settings,
        timing=Timing(error_backoff=settings.error_backoff),
        heartbeat=_HEARTBEAT,
        request_stats=client.traffic,
        usage=budget.usage,
        revoke_stream=keys.revoke,
        prices=None if streams is None else _prices(streams, market, clock),
        streams=MexcAccountStreams(keys=keys, streams=streams, clock=clock) if streams else None,
        paper_streams=paper_streams,
        most_streams=most_streams(settings.mexc_streams_per_address),
        streams_off=settings.streams_off,
        oldest_key=keys.oldest_age,
        rate_limit_memory=RateLimitMemory(
            database=database, clock=clock, budget=budget, proxy=settings.mexc_proxy
        ),
    )
