"""How this process gets updates: by polling, by webhook, or not at all."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import InitVar, dataclass
from typing import assert_never

import httpx

from bot.config.process_type import UpdateMode
from bot.config.settings import ProcessSettings
from bot.observability.health import ProcessState
from bot.runtime.components import Components
from bot.runtime.startup import come_online
from bot.updates.poll_watchdog import PollWatchdog
from bot.updates.polling import UpdatePoller, UpdatesSource
from bot.updates.telegram_clock import TelegramClock
from bot.updates.webhook import PATH, Registration, Webhook, remove_webhook
from bot.updates.webhook_secret import WebhookSecret
from engine.backoff import retry
from engine.clock import Clock
from engine.scheduling.leader_election import PAIRING, POLLING, LeaderElection
from engine.storage import availability
from engine.storage.database import Database

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class UpdateReceiver:
    """*webhook* is the route in the web server, which listens before the database is open."""

    mode: UpdateMode
    settings: ProcessSettings
    parts: Components
    database: InitVar[Database]
    clock: Clock
    webhook: Webhook
    secret: WebhookSecret
    tls: ssl.SSLContext
    telegram_time: TelegramClock

    def __post_init__(self, database: Database) -> None:
        if self.settings.telegram_token is None:
            raise ValueError("without a token nothing can arrive")
        self._pairing, self._polling = (
            LeaderElection(name=name, database=database, clock=self.clock, owner=self.parts.owner)
            for name in (PAIRING, POLLING)
        )
        self._registration = Registration(
            bot=self.parts.application.bot,
            clock=self.clock,
            url=f"{self.settings.webhook_url}{PATH}",
            secret=self.secret.value,
            on_seen=self.parts.telegram_activity.answered,
        )

    async def run(self) -> None:
        """Run until cancelled. Raises TokenRefused and PollsStalled, in groups."""
        await self._outlast_the_database(lambda: come_online(self.parts, self.clock))
        async with asyncio.TaskGroup() as tasks:
            # At least five requests to Telegram: no update waits for them.
            tasks.create_task(self._outlast_the_database(self.parts.command_menu.publish))
            tasks.create_task(self._pairing.run(self._offer_code))
            match self.mode:
                case UpdateMode.POLLING:
                    tasks.create_task(self._polling.run(self._poll))
                case UpdateMode.WEBHOOK:
                    self.webhook.open(self.parts.update_store, self.secret)
                    tasks.create_task(self._registration.run())
                case UpdateMode.ELSEWHERE:
                    pass
                case other:
                    assert_never(other)

    @property
    def leave(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """Release what other processes may take over, when all else has ended."""
        return [self._close, self._pairing.leave, self._polling.leave]

    def state(self) -> ProcessState:
        """Return the state of this process."""
        dispatcher = self.parts.dispatcher
        return ProcessState(
            database_away=dispatcher.pulse().database_away,
            beat=dispatcher.beaten(),
            online=self.parts.ready.is_set(),
            polls=self.mode is UpdateMode.POLLING and not self._polling.is_held_elsewhere,
            polled=self.parts.telegram_activity.age(),
            registered=self._registration.is_done if self.mode is UpdateMode.WEBHOOK else None,
        )

    async def _close(self) -> None:
        """From now on the webhook refuses; Telegram sends the update again, to another process."""
        self.webhook.shut()

    async def _offer_code(self) -> None:
        """Offer the pairing code in one process at a time: a new code invalidates the last one."""
        offered = False

        async def offer() -> None:
            nonlocal offered
            offered = await self.parts.access.offer_code()

        await self._outlast_the_database(offer)
        if offered:
            await asyncio.Event().wait()

    async def _poll(self) -> None:
        try:
            await remove_webhook(self.parts.application.bot, self.clock)
            await PollWatchdog(clock=self.clock, open_poller=self._open_poller).run()
        finally:
            self.parts.telegram_activity.ended()

    @asynccontextmanager
    async def _open_poller(self) -> AsyncGenerator[UpdatePoller]:
        """Open the poller with new connections: a restart has to replace stuck ones."""
        async with httpx.AsyncClient(
            verify=self.tls,
            proxy=self.settings.telegram_proxy,
            trust_env=False,
            event_hooks=self.telegram_time.hooks,
        ) as http:
            url = f"{self.settings.telegram_api_url}/bot{self.settings.telegram_token}"
            yield UpdatePoller(
                source=UpdatesSource(http=http, url=url),
                store=self.parts.update_store,
                clock=self.clock,
                on_answered=self.parts.telegram_activity.answered,
                on_brought=self.telegram_time.brought,
            )

    async def _outlast_the_database(self, start: Callable[[], Awaitable[None]]) -> None:
        """Repeat *start* until it ran without the database failing."""
        await retry(
            start,
            on=availability.AWAY,
            clock=self.clock,
            failed=lambda e: logger.warning(
                "startup delayed: the database is %s", availability.why(e)
            ),
        )
