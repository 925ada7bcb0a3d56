"""The composition root: everything is built here, on one stack, and closed in reverse."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError
from telegram.error import TelegramError
from telegram.ext import ApplicationBuilder
from telegram.request import BaseRequest

from bot import replies
from bot.access import Access
from bot.desk import Desk
from bot.gate import Gate
from bot.handlers.about import About
from bot.handlers.guards import Guards
from bot.handlers.keys import Keys
from bot.handlers.looking import Looking
from bot.handlers.settings import SettingsOf
from bot.handlers.trading import Trading
from bot.handlers.unclear import Unclear
from bot.intake import UpdateWorkers
from bot.keyfile import load_or_create_keys
from bot.lifecycle import App, Heartbeat, connect
from bot.messages import Message
from bot.questions import Questions
from bot.relay import Relay
from bot.replies import Replies
from bot.router import Router
from bot.settings import ProcessSettings
from bot.updates import read_update
from bot.views.alerts import alert_view
from bot.views.help import COMMANDS
from engine.accounts import Accounts, OpenPaper
from engine.check import Checker, ExchangeFor
from engine.clarify import Clarifier
from engine.clock import Clock
from engine.dispatch import Dispatcher, new_owner
from engine.domain.target import Settings
from engine.exchange.port import KeyCheck
from engine.halts import Halts
from engine.limits import AccountLimits
from engine.preview import Previews
from engine.situation import Situations
from engine.storage import leases, notes, queue, schema
from engine.storage.codec import alert_from_json
from engine.storage.database import Database
from engine.storage.lock import InUse, sole_user
from engine.storage.models import InboxRow, OutboxRow
from engine.timing import Timing
from engine.vault import Vault

logger = logging.getLogger(__name__)


class CannotStart(Exception):
    """The settings are fine, but the world is not as it must be; the text says what to do."""


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
    ready: asyncio.Event


@asynccontextmanager
async def open_database(url: str, *, clock: Clock) -> AsyncGenerator[Database]:
    """The database with the schema this program needs; on SQLite it is ours alone.

    Raises CannotStart where it does not open, another process has the file, or the schema is
    another one (PostgreSQL is migrated by `alembic upgrade head`, not here).
    """
    async with AsyncExitStack() as stack:
        try:
            if (file := schema.sqlite_file(url)) is not None:
                stack.enter_context(sole_user(file))
                await asyncio.to_thread(schema.migrate, url)
            database = await stack.enter_async_context(Database.open(url, clock=clock))
            if file is not None:
                await _take_over(database)
            elif not await _is_current(database):
                raise CannotStart("the database has another schema; run: alembic upgrade head")
        except InUse as e:
            raise CannotStart(f"{e} is in use by another Ballast; stop that one first") from e
        except CommandError as e:
            raise CannotStart(f"the database has a schema this version does not know: {e}") from e
        except DBAPIError as e:
            reason = str(e.orig).partition("\n")[0]
            raise CannotStart(f"the database cannot be used: {reason}") from e
        except OSError as e:
            raise CannotStart(f"the database cannot be used: {e.strerror}") from e
        yield database


async def _take_over(database: Database) -> None:
    """What a process that died had in hand is ours at once: nobody else can be there."""
    async with database.writing() as session:
        await queue.release_all(session, InboxRow)
        await queue.release_all(session, OutboxRow)
        await leases.release_all(session)


async def _is_current(database: Database) -> bool:
    async with database.engine.connect() as connection:
        return await connection.run_sync(schema.is_current)


async def open_vault(settings: ProcessSettings, database: Database) -> Vault:
    """The vault, after a look whether its keys are those the database was written with."""
    keys = settings.encryption_keys
    if (key_file := settings.key_file) is not None:
        keys = tuple(load_or_create_keys(key_file))
    vault = Vault(keys)
    async with database.writing() as session:
        canary = await notes.get(session, notes.VAULT_CANARY)
        if canary is None:
            canary = await notes.put_first(session, notes.VAULT_CANARY, vault.canary())
        if not vault.knows(canary):
            raise CannotStart(
                "ENCRYPTION_KEYS are not the keys this database was written with; "
                "nothing was changed"
            )
    return vault


def build_application(token: str, *, request: BaseRequest, base_url: str) -> App:
    """An Application that neither polls nor queues by itself: see bot/intake.py."""
    return (
        ApplicationBuilder()
        .token(token)
        .request(request)
        .base_url(f"{base_url}/bot")
        .updater(None)
        .build()
    )


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
    about = About(accounts=account_desk, access=access, database=database, clock=clock)
    desk = Desk(
        about=about,
        guards=Guards(
            accounts=account_desk,
            limits=AccountLimits(database=database, clock=clock),
            halts=Halts(database=database, clock=clock),
            access=access,
            previews=previews,
            situations=situations,
            questions=questions,
            clock=clock,
        ),
        keys=Keys(
            accounts=account_desk,
            previews=previews,
            questions=questions,
            replies=answers,
            database=database,
            sealer=vault,
            clock=clock,
            patience=venue.timing.dialog,
        ),
        looking=Looking(
            accounts=account_desk,
            previews=previews,
            situations=situations,
            database=database,
            clock=clock,
        ),
        settings=SettingsOf(
            accounts=account_desk,
            previews=previews,
            situations=situations,
            questions=questions,
            clock=clock,
        ),
        trading=Trading(
            accounts=account_desk,
            previews=previews,
            situations=situations,
            questions=questions,
            clock=clock,
        ),
        unclear=Unclear(
            clarifier=Clarifier(database=database, clock=clock, exchange_for=venue.exchange_for),
            questions=questions,
        ),
        questions=questions,
    )
    gate = Gate(access=access, replies=answers, welcome=about.welcome)
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
        ready=ready,
    )


def render(kind: str, payload: str) -> Message:
    """The words for what waits in the outbox."""
    if kind == replies.ANSWER:
        return replies.from_payload(payload)
    return alert_view(alert_from_json(kind, payload))


async def come_online(parts: Parts, clock: Clock) -> None:
    """Telegram knows the bot, the menu is set, a pairing code is offered if one is needed."""
    await connect(parts.application, clock)
    try:
        await parts.application.bot.set_my_commands(COMMANDS)
    except TelegramError as e:
        logger.warning("command menu not set", extra={"problem": type(e).__name__})
    if (code := await parts.access.offer_code()) is not None:
        # A warning: somebody has to act on it, and it must be seen at any LOG_LEVEL.
        logger.warning("no owner yet; send this to the bot to become it: /start %s", code)
    parts.ready.set()
    parts.update_workers.nudge()
    logger.info("ready", extra={"bot": parts.application.bot.username})
