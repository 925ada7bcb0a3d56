"""The program's parts, put together: who knows whom."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.access.alternate_chats import AlternateChats
from bot.access.authorization import Access
from bot.access.command_menu import CommandMenu
from bot.access.invitation_codes import InvitationCodes
from bot.access.update_cancellation import UpdateCancellation
from bot.access.update_priority import UpdatePriorities
from bot.handlers.context import HandlerContext
from bot.interaction.confirmations import Confirmations
from bot.interaction.conversations import Conversations
from bot.interaction.message import Message, from_payload
from bot.messaging.delivery_policy import DeliveryPolicy
from bot.messaging.flood_control import FloodControl
from bot.messaging.outbox import OutboxSender
from bot.messaging.responder import ANSWER, Responder
from bot.messaging.sender import MessageSender
from bot.messaging.status_message import StatusMessages
from bot.observability.database_stats import DatabaseStats
from bot.observability.event_loop import Turning
from bot.observability.metrics import Metrics, Sources
from bot.observability.telegram_activity import TelegramActivity
from bot.routing.access_filter import AccessFilter
from bot.routing.failed_updates import FailedUpdates
from bot.routing.registry import HandlerRegistry
from bot.routing.router import Router
from bot.runtime.periodic_jobs import PeriodicJobs
from bot.runtime.supervisor import App, Heartbeat
from bot.updates.inbox import chat_of
from bot.updates.polling import UpdateWorkers
from bot.updates.source import read_update
from bot.updates.telegram_clock import TelegramClock
from bot.views.alerts.alerts import alert_view
from engine.accounts.account_service import AccountService, OpenPaper
from engine.accounts.alert_preferences import AlertPreferenceService
from engine.accounts.chat_migration import ChatMigration
from engine.accounts.database_probe import DatabaseProbe
from engine.accounts.deliverability import Deliverability
from engine.accounts.halt import Halts
from engine.accounts.invitations import Invitations
from engine.accounts.key_expiry import KeyExpiryMonitor
from engine.accounts.members import MemberService
from engine.accounts.overview import AccountOverviews
from engine.accounts.pending_changes import PendingChanges
from engine.accounts.records import AccountRecords
from engine.accounts.risk_limits import AccountLimits
from engine.accounts.trading_mode import TradingModes
from engine.accounts.workload import Workload
from engine.clock import Clock
from engine.domain.accounts.settings import Settings
from engine.exchanges.interface import ExchangeFor, KeyInspector
from engine.exchanges.rate_limit_memory import RateLimitMemory
from engine.exchanges.rate_limiter import Usage
from engine.exchanges.request_stats import RequestStats
from engine.execution.manual_resolution import ManualResolution
from engine.maintenance.pruning import Pruning
from engine.notifications.digest import Digests
from engine.rebalancing.checker import Checker
from engine.rebalancing.preview import Previews
from engine.scheduling.dispatcher import Dispatcher, new_owner
from engine.security.vault import Vault
from engine.storage.database import Database
from engine.storage.models.trading import OutboxRow
from engine.storage.serialization import Unreadable, alert_from_json
from engine.timeouts import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSetup:
    """Where orders go: MEXC and paper beside it, or the demo's simulated market alone."""

    exchange_for: ExchangeFor
    key_check: KeyInspector
    open_paper: OpenPaper
    defaults: Settings
    paper_only: bool
    timing: Timing
    heartbeat: timedelta
    traffic: RequestStats | None = None
    usage: Callable[[], Usage] | None = None
    silences: RateLimitMemory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """The built program; `bot/runtime/supervisor.py` brings it to life. *owner* is its name in the leases."""

    owner: str
    application: App
    access: Access
    dispatcher: Dispatcher
    flood: FloodControl
    heartbeat: Heartbeat
    update_workers: UpdateWorkers
    relay: OutboxSender
    rounds: PeriodicJobs
    polls: TelegramActivity
    menus: CommandMenu
    metrics: Metrics
    ranks: UpdatePriorities
    ready: asyncio.Event


def assemble(
    *,
    application: App,
    database: Database,
    vault: Vault,
    venue: ExchangeSetup,
    clock: Clock,
    authorized_chats: tuple[int, ...],
    keep: timedelta = timedelta(days=30),
    turning: Turning | None = None,
    telegram_time: TelegramClock | None = None,
) -> Components:
    owner = new_owner()
    checker = Checker(
        database=database,
        clock=clock,
        timing=venue.timing,
        exchange_for=venue.exchange_for,
        owner=owner,
    )
    dispatcher = Dispatcher(
        database=database, clock=clock, timing=venue.timing, checker=checker, owner=owner
    )
    polls = TelegramActivity(clock)
    key_life = KeyExpiryMonitor(
        database=database, clock=clock, vault=vault, key_check=venue.key_check
    )
    situations = AccountOverviews(database=database, dispatcher=dispatcher)
    previews = Previews(
        database=database,
        clock=clock,
        exchange_for=venue.exchange_for,
        last_known=situations.snapshot,
    )
    access = Access(database=database, clock=clock, authorized_chats=authorized_chats)
    deliverability = Deliverability(
        database=database, clock=clock, others=AlternateChats(access=access, database=database).of
    )
    flood = FloodControl(clock)
    responder = Responder(bot=application.bot, database=database, clock=clock, flood=flood)
    menus = CommandMenu(application.bot, access)
    supergroups = ChatMigration(database=database, clock=clock, vault=vault)
    status_messages = StatusMessages(
        sender=MessageSender(application.bot, turn=flood.check),
        database=database,
        clock=clock,
        situations=situations,
        previews=previews,
        owner=owner,
        on_migrated=supergroups.migrate,
        deliverability=deliverability,
        flood=flood,
    )

    def workload() -> Workload:
        usage = venue.usage() if venue.usage else None
        return Workload(
            late=dispatcher.lateness(),
            usage=usage,
            now=clock.steady(),
            beaten=dispatcher.beaten(),
        )

    accounts = AccountService(
        database=database,
        clock=clock,
        vault=vault,
        defaults=venue.defaults,
        key_check=venue.key_check,
        exchange_for=venue.exchange_for,
        open_paper=venue.open_paper,
        paper_only=venue.paper_only,
    )
    invitations = Invitations(database=database, clock=clock, standing=access.standing)
    codes = InvitationCodes(invitations=invitations, accounts=accounts, menus=menus)
    registry = HandlerRegistry(
        HandlerContext(
            access=access,
            accounts=accounts,
            alert_preferences=AlertPreferenceService(database=database, clock=clock),
            cancellation=UpdateCancellation(sealer=vault, clock=clock),
            clock=clock,
            command_menu=menus,
            confirmations=Confirmations(
                database=database, clock=clock, lifetime=venue.timing.question
            ),
            conversations=Conversations(
                database=database, sealer=vault, clock=clock, patience=venue.timing.dialog
            ),
            database_probe=DatabaseProbe(
                database=database, clock=clock, deliverability=deliverability
            ),
            halts=Halts(database=database, clock=clock),
            invitation_codes=codes,
            invitations=invitations,
            key_expiry=key_life,
            limits=AccountLimits(database=database, clock=clock),
            members=MemberService(database=database, clock=clock),
            modes=TradingModes(database=database, clock=clock),
            overviews=situations,
            pending_changes=PendingChanges(database=database, clock=clock),
            previews=previews,
            records=AccountRecords(database=database),
            resolution=ManualResolution(
                database=database, clock=clock, exchange_for=venue.exchange_for
            ),
            responder=responder,
            started_at=clock.steady(),
            status_messages=status_messages,
            telegram_activity=polls,
            undo_for=venue.timing.undo,
            workload=workload,
        )
    )
    access_filter = AccessFilter(
        access=access,
        invitation_codes=codes,
        responder=responder,
        welcome=registry.welcome,
        on_migrated=supergroups.migrate,
        clock=clock,
        database=database,
        deliverability=deliverability,
    )
    router = Router(
        access_filter=access_filter,
        registry=registry,
        responder=responder,
        status_messages=status_messages,
        clock=clock,
        telegram_time=telegram_time or TelegramClock(clock),
    )
    router.register(application)
    ready = asyncio.Event()

    async def handle(raw: dict[str, Any]) -> None:
        polls.handled()
        update = read_update(raw, application.bot)
        if update is None or update.effective_chat is None:
            await deliverability.stirred(chat_of(raw), may_write="my_chat_member" in raw)
        if update is not None:
            await router.route(update, application)

    update_workers = UpdateWorkers(
        database=database,
        clock=clock,
        sealer=vault,
        handle=handle,
        set_aside=FailedUpdates(database=database, clock=clock, access=access).tell,
        owner=owner,
        ready=ready,
    )
    metrics = Metrics(
        Sources(
            clock=clock,
            census=DatabaseStats(database=database, clock=clock),
            dispatcher=dispatcher,
            polls=polls,
            updates=update_workers.fates,
            turning=turning or Turning(),
            traffic=venue.traffic,
            usage=venue.usage,
        )
    )
    relay = OutboxSender(
        database=database,
        clock=clock,
        bot=application.bot,
        render=render,
        deliverability=deliverability,
        on_migrated=supergroups.migrate,
        manner=DeliveryPolicy(database=database, clock=clock).of,
        owner=owner,
        flood=flood,
    )
    database.when_added(OutboxRow, relay.nudge)
    return Components(
        owner=owner,
        application=application,
        access=access,
        dispatcher=dispatcher,
        flood=flood,
        heartbeat=Heartbeat(application, dispatcher, every=venue.heartbeat),
        update_workers=update_workers,
        relay=relay,
        rounds=PeriodicJobs(
            clock=clock,
            jobs={
                **({"silence": venue.silences.round} if venue.silences else {}),
                "cards": status_messages.round,
                "digest": Digests(database=database, clock=clock).write_due,
                "keys": key_life.round,
                "pruning": Pruning(database=database, clock=clock, keep=keep).round,
            },
        ),
        polls=polls,
        menus=menus,
        metrics=metrics,
        ranks=UpdatePriorities(access),
        ready=ready,
    )


def render(kind: str, payload: str) -> Message:
    """The words for what waits in the outbox. Raises Unreadable for what another version wrote."""
    if kind == ANSWER:
        try:
            return from_payload(payload)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as e:
            raise Unreadable("this is no answer") from e
    return alert_view(alert_from_json(kind, payload))
