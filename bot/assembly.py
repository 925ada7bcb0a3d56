"""The program's parts, put together: who knows whom."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot import replies
from bot.access import Access
from bot.desk import Desk, Handler
from bot.door import Door
from bot.gate import Gate
from bot.handlers.about import About
from bot.handlers.guards import Guards
from bot.handlers.keys import Keys
from bot.handlers.looking import Looking
from bot.handlers.people import PeopleOf
from bot.handlers.settings import SettingsOf
from bot.handlers.trading import Trading
from bot.handlers.trail import Trail
from bot.handlers.unclear import Unclear
from bot.intake import UpdateWorkers
from bot.lifecycle import App, Heartbeat
from bot.menus import Menus
from bot.messages import Message
from bot.questions import Questions
from bot.relay import Relay
from bot.replies import Replies
from bot.rounds import Rounds
from bot.router import Router
from bot.updates import read_update
from bot.views.alerts import alert_view
from engine.accounts import Accounts, OpenPaper
from engine.check import Checker, ExchangeFor
from engine.clarify import Clarifier
from engine.clock import Clock
from engine.dispatch import Dispatcher, new_owner
from engine.domain.target import Settings
from engine.exchange.port import KeyCheck
from engine.halts import Halts
from engine.invitations import Invitations
from engine.limits import AccountLimits
from engine.people import People
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
    menus: Menus
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
    previews = Previews(database=database, exchange_for=venue.exchange_for)
    situations = Situations(database=database, dispatcher=dispatcher)
    access = Access(database=database, clock=clock, authorized_chats=authorized_chats)
    questions = Questions(database=database, clock=clock, lifetime=venue.timing.question)
    answers = Replies(bot=application.bot, database=database, clock=clock)
    menus = Menus(application.bot, access)
    people = People(database=database, clock=clock)
    invitations = Invitations(database=database, clock=clock, standing=access.standing)
    door = Door(invitations=invitations, accounts=account_desk, menus=menus)
    about = About(
        accounts=account_desk,
        access=access,
        door=door,
        people=people,
        database=database,
        clock=clock,
    )
    unclear = Unclear(
        clarifier=Clarifier(database=database, clock=clock, exchange_for=venue.exchange_for),
        questions=questions,
    )
    keys = Keys(
        accounts=account_desk,
        previews=previews,
        questions=questions,
        replies=answers,
        database=database,
        sealer=vault,
        clock=clock,
        patience=venue.timing.dialog,
    )
    handlers: Sequence[Handler] = (
        about,
        keys,
        unclear,
        Guards(
            accounts=account_desk,
            limits=AccountLimits(database=database, clock=clock),
            halts=Halts(database=database, clock=clock),
            access=access,
            previews=previews,
            situations=situations,
            questions=questions,
            clock=clock,
        ),
        Looking(
            accounts=account_desk,
            previews=previews,
            situations=situations,
            database=database,
            clock=clock,
        ),
        SettingsOf(
            accounts=account_desk,
            previews=previews,
            situations=situations,
            questions=questions,
            clock=clock,
        ),
        Trading(
            accounts=account_desk,
            previews=previews,
            situations=situations,
            questions=questions,
            clock=clock,
        ),
    )
    handlers = (
        *handlers,
        PeopleOf(
            people=people,
            invitations=invitations,
            accounts=account_desk,
            access=access,
            menus=menus,
            questions=questions,
            clock=clock,
        ),
        Trail(people=people, access=access),
    )
    desk = Desk(handlers=handlers, keys=keys, unclear=unclear, questions=questions)
    gate = Gate(
        access=access,
        door=door,
        replies=answers,
        welcome=about.welcome,
        on_migrated=account_desk.migrate,
    )
    Router(gate=gate, desk=desk, replies=answers, clock=clock).register(application)
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
        ),
        rounds=Rounds(clock=clock, jobs={}),
        menus=menus,
        ready=ready,
    )


def render(kind: str, payload: str) -> Message:
    """The words for what waits in the outbox."""
    if kind == replies.ANSWER:
        return replies.from_payload(payload)
    return alert_view(alert_from_json(kind, payload))
