"""The program's parts, put together: who knows whom."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot import replies
from bot.access import Access
from bot.cards import LiveCards
from bot.desk import Desk, Handler
from bot.dialogs import Dialogs
from bot.gate import Gate
from bot.handlers.about import About
from bot.handlers.alerting import AlertsOf
from bot.handlers.balance import BalanceOf
from bot.handlers.card import StatusCard
from bot.handlers.changing import Changing
from bot.handlers.doctor import Doctor
from bot.handlers.export import Export
from bot.handlers.guards import Guards
from bot.handlers.history import History
from bot.handlers.keys import Keys
from bot.handlers.modes import ModeOf
from bot.handlers.movements import Deposits
from bot.handlers.panel import Panel
from bot.handlers.settings import SettingsOf
from bot.handlers.trading import Trading
from bot.handlers.unclear import Unclear
from bot.handlers.why import Why
from bot.intake import UpdateWorkers
from bot.lifecycle import App, Heartbeat
from bot.loudness import Loudness
from bot.messages import Message
from bot.noticeboard import Noticeboard
from bot.polls import Polls
from bot.questions import Questions
from bot.relay import Relay
from bot.replies import Replies
from bot.rounds import Rounds
from bot.router import Router
from bot.updates import read_update
from bot.views.alerts import alert_view
from engine.accounts import Accounts, OpenPaper
from engine.alerting import Alerting
from engine.changes import Changes
from engine.check import Checker, ExchangeFor
from engine.clarify import Clarifier
from engine.clock import Clock
from engine.digests import Digests
from engine.dispatch import Dispatcher, new_owner
from engine.domain.target import Settings
from engine.exchange.port import KeyCheck
from engine.halts import Halts
from engine.keylife import KeyLife
from engine.limits import AccountLimits
from engine.modes import Modes
from engine.movements import Movements
from engine.preview import Previews
from engine.situation import Situations
from engine.storage.codec import alert_from_json
from engine.storage.database import Database
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The built program; `bot/lifecycle.py` brings it to life."""

    application: App
    access: Access
    dispatcher: Dispatcher
    heartbeat: Heartbeat
    update_workers: UpdateWorkers
    relay: Relay
    rounds: Rounds
    polls: Polls
    ready: asyncio.Event


def assemble(
    *,
    application: App,
    database: Database,
    vault: Vault,
    venue: Venue,
    clock: Clock,
    authorized_chats: tuple[int, ...],
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
    previews = Previews(database=database, exchange_for=venue.exchange_for)
    situations = Situations(database=database, dispatcher=dispatcher)
    access = Access(database=database, clock=clock, authorized_chats=authorized_chats)
    questions = Questions(database=database, clock=clock, lifetime=venue.timing.question)
    answers = Replies(bot=application.bot, database=database, clock=clock)
    about = About(accounts=account_desk, access=access, database=database, clock=clock)
    unclear = Unclear(
        clarifier=Clarifier(database=database, clock=clock, exchange_for=venue.exchange_for),
        questions=questions,
    )
    dialogs = Dialogs(database=database, sealer=vault, clock=clock, patience=venue.timing.dialog)
    changing = Changing(
        accounts=account_desk,
        changes=Changes(database=database, clock=clock),
        previews=previews,
        situations=situations,
        questions=questions,
        clock=clock,
        undo_for=venue.timing.undo,
    )
    settings = SettingsOf(
        accounts=account_desk, previews=previews, questions=questions, changing=changing
    )
    guards = Guards(
        accounts=account_desk,
        limits=AccountLimits(database=database, clock=clock),
        halts=Halts(database=database, clock=clock),
        access=access,
        previews=previews,
        situations=situations,
        questions=questions,
        changing=changing,
        clock=clock,
    )
    panel = Panel(
        accounts=account_desk,
        changing=changing,
        settings=settings,
        guards=guards,
        dialogs=dialogs,
        replies=answers,
    )
    keys = Keys(
        accounts=account_desk,
        previews=previews,
        questions=questions,
        replies=answers,
        dialogs=dialogs,
    )
    cards = LiveCards(
        board=Noticeboard(application.bot),
        database=database,
        clock=clock,
        situations=situations,
        owner=owner,
        on_migrated=account_desk.migrate,
    )
    handlers: Sequence[Handler] = (
        StatusCard(accounts=account_desk, previews=previews, cards=cards),
        about,
        keys,
        unclear,
        AlertsOf(
            accounts=account_desk,
            alerting=Alerting(database=database, clock=clock),
            previews=previews,
            questions=questions,
            clock=clock,
        ),
        guards,
        settings,
        panel,
        BalanceOf(accounts=account_desk, previews=previews, clock=clock),
        Why(
            accounts=account_desk,
            previews=previews,
            situations=situations,
            database=database,
            clock=clock,
        ),
        History(accounts=account_desk, database=database),
        Doctor(
            accounts=account_desk,
            previews=previews,
            key_life=key_life,
            polls=polls,
            database=database,
            clock=clock,
        ),
        Export(accounts=account_desk, database=database),
        ModeOf(
            accounts=account_desk,
            modes=Modes(database=database, clock=clock),
            previews=previews,
            situations=situations,
            clock=clock,
        ),
        Deposits(
            accounts=account_desk,
            movements=Movements(database=database, clock=clock, owner=owner),
            questions=questions,
        ),
        Trading(
            accounts=account_desk,
            previews=previews,
            situations=situations,
            questions=questions,
            clock=clock,
        ),
    )
    desk = Desk(
        handlers=handlers,
        keys=keys,
        panel=panel,
        unclear=unclear,
        questions=questions,
        dialogs=dialogs,
    )
    gate = Gate(access=access, replies=answers, welcome=about.welcome)
    Router(gate=gate, desk=desk, replies=answers, cards=cards, clock=clock).register(application)
    ready = asyncio.Event()

    async def handle(raw: dict[str, Any]) -> None:
        if (update := read_update(raw, application.bot)) is not None:
            await application.process_update(update)

    return Parts(
        application=application,
        access=access,
        dispatcher=dispatcher,
        heartbeat=Heartbeat(application, dispatcher, every=venue.heartbeat),
        update_workers=UpdateWorkers(
            database=database, clock=clock, sealer=vault, handle=handle, ready=ready
        ),
        relay=Relay(
            database=database,
            clock=clock,
            bot=application.bot,
            render=render,
            on_undeliverable=account_desk.out_of_reach,
            on_migrated=account_desk.migrate,
            manner=Loudness(database=database, clock=clock).of,
        ),
        rounds=Rounds(
            clock=clock,
            jobs={
                "cards": cards.round,
                "digest": Digests(database=database, clock=clock).write_due,
                "keys": key_life.round,
            },
        ),
        polls=polls,
        ready=ready,
    )


def render(kind: str, payload: str) -> Message:
    """The words for what waits in the outbox."""
    if kind == replies.ANSWER:
        return replies.from_payload(payload)
    return alert_view(alert_from_json(kind, payload))
