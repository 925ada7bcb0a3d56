"""The program's parts, put together: who knows whom."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot import replies
from bot.access import Access
from bot.cards import LiveCards
from bot.census import CensusTaker
from bot.floodcontrol import FloodControl
from bot.frontdesk import Means, open_desk
from bot.intake import UpdateWorkers
from bot.lifecycle import App, Heartbeat
from bot.loopwatch import Turning
from bot.loudness import Loudness
from bot.menus import Menus
from bot.messages import Message, from_payload
from bot.metrics import Metrics, Sources
from bot.noticeboard import Noticeboard
from bot.otherchats import OtherChats
from bot.polls import Polls
from bot.ranks import Ranks
from bot.relay import Relay
from bot.replies import Replies
from bot.rounds import Rounds
from bot.router import Router
from bot.setaside import SetAside
from bot.storing import chat_of
from bot.telegramtime import TelegramTime
from bot.updates import read_update
from bot.views.alerts import alert_view
from bot.workload import Workload
from engine.accounts import Accounts, OpenPaper
from engine.check import Checker, ExchangeFor
from engine.clock import Clock
from engine.deliverability import Deliverability
from engine.digests import Digests
from engine.dispatch import Dispatcher, new_owner
from engine.domain.target import Settings
from engine.exchange.pacing import Usage
from engine.exchange.port import KeyCheck
from engine.exchange.traffic import Traffic
from engine.keylife import KeyLife
from engine.preview import Previews
from engine.pruning import Pruning
from engine.silences import Silences
from engine.situation import Situations
from engine.storage.codec import Unreadable, alert_from_json
from engine.storage.database import Database
from engine.storage.models import OutboxRow
from engine.supergroups import Supergroups
from engine.timing import Timing
from engine.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """Where orders go: MEXC and paper beside it, or the demo's simulated market alone."""

    exchange_for: ExchangeFor
    key_check: KeyCheck
    open_paper: OpenPaper
    defaults: Settings
    paper_only: bool
    timing: Timing
    heartbeat: timedelta
    traffic: Traffic | None = None
    usage: Callable[[], Usage] | None = None
    silences: Silences | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The built program; `bot/lifecycle.py` brings it to life. *owner* is its name in the leases."""

    owner: str
    application: App
    access: Access
    dispatcher: Dispatcher
    flood: FloodControl
    heartbeat: Heartbeat
    update_workers: UpdateWorkers
    relay: Relay
    rounds: Rounds
    polls: Polls
    menus: Menus
    metrics: Metrics
    ranks: Ranks
    ready: asyncio.Event


def assemble(
    *,
    application: App,
    database: Database,
    vault: Vault,
    venue: Venue,
    clock: Clock,
    authorized_chats: tuple[int, ...],
    keep: timedelta = timedelta(days=30),
    turning: Turning | None = None,
    telegram_time: TelegramTime | None = None,
) -> Parts:
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
    account_desk = Accounts(
        database=database,
        clock=clock,
        vault=vault,
        defaults=venue.defaults,
        key_check=venue.key_check,
        exchange_for=venue.exchange_for,
        open_paper=venue.open_paper,
        paper_only=venue.paper_only,
    )
    polls = Polls(clock)
    key_life = KeyLife(database=database, clock=clock, vault=vault, key_check=venue.key_check)
    previews = Previews(database=database, clock=clock, exchange_for=venue.exchange_for)
    situations = Situations(database=database, dispatcher=dispatcher)
    access = Access(database=database, clock=clock, authorized_chats=authorized_chats)
    deliverability = Deliverability(
        database=database, clock=clock, others=OtherChats(access=access, database=database).of
    )
    flood = FloodControl(clock)
    answers = Replies(bot=application.bot, database=database, clock=clock, flood=flood)
    menus = Menus(application.bot, access)
    supergroups = Supergroups(database=database, clock=clock, vault=vault)
    cards = LiveCards(
        board=Noticeboard(application.bot),
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

    gate, desk = open_desk(
        Means(
            accounts=account_desk,
            access=access,
            cards=cards,
            clock=clock,
            database=database,
            deliverability=deliverability,
            exchange_for=venue.exchange_for,
            key_life=key_life,
            menus=menus,
            polls=polls,
            previews=previews,
            replies=answers,
            situations=situations,
            supergroups=supergroups,
            timing=venue.timing,
            vault=vault,
            workload=workload,
        )
    )
    router = Router(
        gate=gate,
        desk=desk,
        replies=answers,
        cards=cards,
        clock=clock,
        telegram_time=telegram_time or TelegramTime(clock),
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
        set_aside=SetAside(database=database, clock=clock, access=access).tell,
        owner=owner,
        ready=ready,
    )
    metrics = Metrics(
        Sources(
            clock=clock,
            census=CensusTaker(database=database, clock=clock),
            dispatcher=dispatcher,
            polls=polls,
            updates=update_workers.fates,
            turning=turning or Turning(),
            traffic=venue.traffic,
            usage=venue.usage,
        )
    )
    relay = Relay(
        database=database,
        clock=clock,
        bot=application.bot,
        render=render,
        deliverability=deliverability,
        on_migrated=supergroups.migrate,
        manner=Loudness(database=database, clock=clock).of,
        owner=owner,
        flood=flood,
    )
    database.when_added(OutboxRow, relay.nudge)
    return Parts(
        owner=owner,
        application=application,
        access=access,
        dispatcher=dispatcher,
        flood=flood,
        heartbeat=Heartbeat(application, dispatcher, every=venue.heartbeat),
        update_workers=update_workers,
        relay=relay,
        rounds=Rounds(
            clock=clock,
            jobs={
                **({"silence": venue.silences.round} if venue.silences else {}),
                "cards": cards.round,
                "digest": Digests(database=database, clock=clock).write_due,
                "keys": key_life.round,
                "pruning": Pruning(database=database, clock=clock, keep=keep).round,
            },
        ),
        polls=polls,
        menus=menus,
        metrics=metrics,
        ranks=Ranks(access),
        ready=ready,
    )


def render(kind: str, payload: str) -> Message:
    """The words for what waits in the outbox. Raises Unreadable for what another version wrote."""
    if kind == replies.ANSWER:
        try:
            return from_payload(payload)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as e:
            raise Unreadable("this is no answer") from e
    return alert_view(alert_from_json(kind, payload))
