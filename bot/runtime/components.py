"""Builds the object graph of the program."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from bot.access.alternate_chats import AlternateChats
from bot.access.authorization import Access
from bot.access.command_menu import CommandMenu
from bot.access.invitation_codes import InvitationCodes
from bot.access.start_links import StartLinks
from bot.access.update_cancellation import UpdateCancellation
from bot.access.update_priority import UpdatePriorities
from bot.handlers.context import HandlerContext
from bot.interaction.confirmations import Confirmations
from bot.interaction.conversations import Conversations
from bot.messaging.alert_pictures import AlertPictures
from bot.messaging.flood_control import FloodControl
from bot.messaging.outbox import OutboxSender
from bot.messaging.responder import Responder
from bot.messaging.sender import MessageSender
from bot.messaging.status_message import StatusMessages
from bot.observability.database_stats import DatabaseStats
from bot.observability.event_loop import Turning
from bot.observability.metrics import Metrics
from bot.observability.telegram_activity import TelegramActivity
from bot.rendering.image_process import ImageProcess
from bot.routing.access_filter import AccessFilter
from bot.routing.failed_updates import FailedUpdates
from bot.routing.registry import HandlerRegistry
from bot.routing.router import Router
from bot.runtime.checking import checking
from bot.runtime.exchange_setup import ExchangeSetup
from bot.runtime.periodic_jobs import PeriodicJobs
from bot.runtime.supervisor import App, Heartbeat
from bot.updates.decode import chat_of, read_update
from bot.updates.inbox import UpdateStore, UpdateWorkers
from bot.updates.telegram_clock import TelegramClock
from engine.accounts.account_service import AccountService
from engine.accounts.alert_preferences import AlertPreferenceService
from engine.accounts.chat_migration import ChatMigration
from engine.accounts.deliverability import Deliverability
from engine.accounts.deposits import DepositService
from engine.accounts.flow_corrections import FlowCorrections
from engine.accounts.halt import Halts
from engine.accounts.key_expiry import KeyExpiryMonitor
from engine.accounts.overview import AccountOverviews
from engine.accounts.pending_changes import PendingChanges
from engine.accounts.profit import ProfitReports
from engine.accounts.records import AccountRecords
from engine.accounts.risk_limits import AccountLimits
from engine.accounts.slices import SliceService
from engine.accounts.timed_pause import TimedPauses
from engine.accounts.trading_mode import TradingModes
from engine.clock import Clock
from engine.diagnosis.database_probe import DatabaseProbe
from engine.diagnosis.stream_health import StreamProbe
from engine.diagnosis.workload import workload_of
from engine.exchanges.price_history import PriceHistory
from engine.execution.manual_resolution import ManualResolution
from engine.execution.stray_orders import StrayOrders
from engine.maintenance.pruning import Pruning
from engine.membership.group_requests import GroupRequests
from engine.membership.invitations import Invitations
from engine.membership.members import MemberService
from engine.membership.sharing import Sharing
from engine.notifications.digest import Digests
from engine.notifications.pause_answers import PauseAnswers
from engine.notifications.price_alert_changes import PriceAlertService
from engine.rebalancing.preview import Previews
from engine.rebalancing.target_preview import TargetPreviews
from engine.scheduling.dispatcher import Dispatcher, new_owner
from engine.security.vault import Vault
from engine.storage.database import Database
from engine.storage.models.coordination import LeaseRow
from engine.storage.models.queues import OutboxRow
from engine.streaming.fleet import Fleet
from engine.streaming.live_accounts import LiveAccounts
from engine.streaming.loss_alerts import StreamLossAlerts

# Status messages that nothing happens to are edited one by one, this far apart.
_RENEWAL = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """What `bot/runtime/supervisor.py` runs. *owner* is the process's name in the leases."""

    owner: str
    application: App
    access: Access
    dispatcher: Dispatcher
    fleet: Fleet
    flood: FloodControl
    heartbeat: Heartbeat
    images: ImageProcess
    live_accounts: LiveAccounts
    update_workers: UpdateWorkers
    outbox_sender: OutboxSender
    periodic_jobs: PeriodicJobs
    status_renewal: PeriodicJobs
    telegram_activity: TelegramActivity
    command_menu: CommandMenu
    metrics: Metrics
    update_store: UpdateStore
    ready: asyncio.Event


def assemble(
    *,
    application: App,
    database: Database,
    vault: Vault,
    setup: ExchangeSetup,
    clock: Clock,
    authorized_chats: tuple[int, ...],
    keep: timedelta = timedelta(days=30),
    turning: Turning | None = None,
    telegram_time: TelegramClock | None = None,
    loader_paths: Mapping[str, str] | None = None,
) -> Components:
    owner = new_owner()
    checks = checking(setup=setup, database=database, clock=clock, owner=owner)
    dispatcher, fleet, live_accounts = checks.dispatcher, checks.fleet, checks.live
    telegram_activity = TelegramActivity(clock)
    key_expiry = KeyExpiryMonitor(
        database=database, clock=clock, vault=vault, key_check=setup.key_check
    )
    overviews = AccountOverviews(
        database=database,
        clock=clock,
        dispatcher=dispatcher,
        live=live_accounts,
        prices=setup.prices,
    )
    price_history = PriceHistory(database=database, clock=clock, exchange_for=setup.exchange_for)
    previews = Previews(
        database=database,
        clock=clock,
        exchange_for=setup.exchange_for,
        last_known=overviews.snapshot,
    )
    links = StartLinks(lambda: application.bot.username, terminal=sys.stderr)
    access = Access(database=database, clock=clock, authorized_chats=authorized_chats, links=links)
    deliverability = Deliverability(
        database=database, clock=clock, others=AlternateChats(access=access, database=database).of
    )
    flood = FloodControl(clock)
    responder = Responder(bot=application.bot, database=database, clock=clock, flood=flood)
    command_menu = CommandMenu(application.bot, access)
    chat_migration = ChatMigration(database=database, clock=clock, vault=vault)
    status_messages = StatusMessages(
        sender=MessageSender(application.bot, turn=flood.check),
        database=database,
        clock=clock,
        overviews=overviews,
        previews=previews,
        owner=owner,
        on_migrated=chat_migration.migrate,
        deliverability=deliverability,
        flood=flood,
        renewed=not setup.paper_only,  # in the demo's terminal each edit is a new block
    )

    accounts = AccountService(
        database=database,
        clock=clock,
        vault=vault,
        defaults=setup.defaults,
        key_check=setup.key_check,
        exchange_for=setup.exchange_for,
        open_paper=setup.open_paper,
        paper_only=setup.paper_only,
        revoke_stream=setup.revoke_stream,
    )
    invitations = Invitations(database=database, clock=clock, standing=access.standing)
    sharing = Sharing(
        database=database,
        clock=clock,
        is_bot_owner=lambda user_id: access.is_owner(user_id=user_id),
    )
    group_requests = GroupRequests(database=database, clock=clock)
    codes = InvitationCodes(
        invitations=invitations,
        sharing=sharing,
        group_requests=group_requests,
        accounts=accounts,
        menus=command_menu,
    )
    images = ImageProcess(environment=loader_paths)
    registry = HandlerRegistry(
        HandlerContext(
            access=access,
            accounts=accounts,
            alert_preferences=AlertPreferenceService(database=database, clock=clock),
            cancellation=UpdateCancellation(sealer=vault, clock=clock),
            clock=clock,
            command_menu=command_menu,
            confirmations=Confirmations(
                database=database, clock=clock, lifetime=setup.timing.question
            ),
            conversations=Conversations(
                database=database, sealer=vault, clock=clock, patience=setup.timing.dialog
            ),
            database_probe=DatabaseProbe(
                database=database, clock=clock, deliverability=deliverability
            ),
            group_requests=group_requests,
            halts=Halts(database=database, clock=clock),
            images=images,
            invitation_codes=codes,
            invitations=invitations,
            key_expiry=key_expiry,
            limits=AccountLimits(database=database, clock=clock),
            members=MemberService(database=database, clock=clock),
            deposits=DepositService(database=database, clock=clock),
            flow_corrections=FlowCorrections(database=database, clock=clock),
            modes=TradingModes(database=database, clock=clock),
            overviews=overviews,
            pause_answers=PauseAnswers(database=database, clock=clock),
            pending_changes=PendingChanges(database=database, clock=clock),
            previews=previews,
            price_alerts=PriceAlertService(
                database=database, clock=clock, exchange_for=setup.exchange_for
            ),
            profits=ProfitReports(
                database=database,
                clock=clock,
                exchange_for=setup.exchange_for,
                prices=price_history,
            ),
            records=AccountRecords(database=database),
            resolution=ManualResolution(
                database=database, clock=clock, exchange_for=setup.exchange_for
            ),
            responder=responder,
            sharing=sharing,
            slices=SliceService(database=database, clock=clock),
            start_links=links,
            started_at=clock.steady(),
            status_messages=status_messages,
            stray_orders=StrayOrders(
                database=database, clock=clock, exchange_for=setup.exchange_for
            ),
            stream_probe=StreamProbe(live=live_accounts, fleet=fleet, off=setup.streams_off),
            target_previews=TargetPreviews(
                database=database,
                clock=clock,
                exchange_for=setup.exchange_for,
                previews=previews,
            ),
            telegram_activity=telegram_activity,
            undo_for=setup.timing.undo,
            workload=partial(workload_of, dispatcher, setup.usage, clock),
        )
    )
    access_filter = AccessFilter(
        access=access,
        invitation_codes=codes,
        responder=responder,
        welcome=registry.welcome,
        on_migrated=chat_migration.migrate,
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
        telegram_activity.handled()
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
        clock=clock,
        database_stats=DatabaseStats(database=database, clock=clock),
        dispatcher=dispatcher,
        telegram_activity=telegram_activity,
        updates=update_workers.outcomes,
        turning=turning or Turning(),
        request_stats=setup.request_stats,
        usage=setup.usage,
        fleet=fleet,
        live=live_accounts,
        oldest_key=setup.oldest_key,
        prices=setup.prices,
    )
    outbox_sender = OutboxSender(
        database=database,
        clock=clock,
        bot=application.bot,
        deliverability=deliverability,
        on_migrated=chat_migration.migrate,
        owner=owner,
        flood=flood,
        pictures=AlertPictures(database=database, clock=clock, draw=images.drawn),
    )
    database.when_changed(OutboxRow, outbox_sender.nudge)
    database.when_changed(LeaseRow, dispatcher.nudge)
    return Components(
        owner=owner,
        application=application,
        access=access,
        dispatcher=dispatcher,
        fleet=fleet,
        flood=flood,
        heartbeat=Heartbeat(application, dispatcher, every=setup.heartbeat),
        images=images,
        live_accounts=live_accounts,
        update_workers=update_workers,
        outbox_sender=outbox_sender,
        periodic_jobs=PeriodicJobs(
            clock=clock,
            jobs={
                **({"silence": setup.rate_limit_memory.round} if setup.rate_limit_memory else {}),
                "cards": status_messages.round,
                "digest": Digests(database=database, clock=clock).write_due,
                "keys": key_expiry.round,
                "pauses": TimedPauses(
                    database=database, clock=clock, foresee=previews.foresee
                ).round,
                "price alerts": setup.price_alerts(database, clock).round,
                "prices": price_history.round,
                "streams": StreamLossAlerts(
                    database=database,
                    clock=clock,
                    fleet=fleet,
                    owner=owner,
                    owner_chat=access.owner_chat,
                ).round,
                "pruning": Pruning(database=database, clock=clock, keep=keep).round,
            },
        ),
        status_renewal=PeriodicJobs(
            clock=clock, jobs={"card renewal": status_messages.renew_oldest}, every=_RENEWAL
        ),
        telegram_activity=telegram_activity,
        command_menu=command_menu,
        metrics=metrics,
        update_store=UpdateStore(
            database=database,
            clock=clock,
            sealer=vault,
            bot_id=int(application.bot.token.partition(":")[0]),
            claiming=update_workers.claiming,
            rank_all=UpdatePriorities(access).of,
        ),
        ready=ready,
    )
