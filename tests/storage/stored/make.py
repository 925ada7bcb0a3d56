"""Writes the databases that later versions must be able to read: `python -m tests.storage.stored.make`

It runs this version's own code on SQLite and on PostgreSQL, and dumps each as plain SQL beside this
file, as `<version>.sqlite.sql` and `<version>.postgres.sql`. To be run once, when a version is done.
"""

import asyncio
import json
import sqlite3
import subprocess
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import literal, update
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from bot.interaction.conversations import Conversations
from bot.interaction.message import Message, to_payload
from bot.interaction.request import Request
from bot.updates.inbox import purpose
from bot.updates.webhook_secret import WebhookSecret
from bot.version import VERSION
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import ANY_TRADER, Confirmation
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.accounts.members import Role
from engine.exchanges.rate_limit_memory import RateLimitMemory
from engine.exchanges.rate_limiter import RateLimiter
from engine.notifications.publish import publish
from engine.security.vault import Vault
from engine.storage.accounts import (
    accounts,
    alert_preferences,
    audience,
    audit,
    exchange_accounts,
    halt,
    incidents,
    invitations,
    key_expiry,
    low_balance,
    members,
)
from engine.storage.chat import confirmations, status_messages, undeliverable
from engine.storage.column_types import Moment
from engine.storage.coordination import key_values, leader_leases, leases, processes
from engine.storage.database import Database
from engine.storage.maintenance import pruning
from engine.storage.migrations import migrate
from engine.storage.models import queues
from engine.storage.models.accounts import AccountRow
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.queues import inbox, outbox, queue
from engine.storage.serialization import to_json
from engine.storage.trading import (
    approvals,
    balance_changes,
    check_results,
    orders,
    paper_ledger,
    run_requests,
)
from tests.fakes.clock import FakeClock
from tests.postgres import _binaries, running_server
from tests.storage.stored import contents as c

_HERE = Path(__file__).parent
_VAULT = Vault([c.VAULT_KEY])
_NOW = literal(c.AT, Moment())
_TTL = timedelta(minutes=1)


async def write(url: str) -> None:
    """A row of every kind, into a database that has our tables and nothing in them."""
    async with Database.open(url, clock=FakeClock(start=c.AT)) as database:
        async with database.writing() as session:
            first = await _accounts(session)
            await _trading(session, first)
            await _chats(session)
            await _people(session)
            await _coordination(session)
            await _queues(session)
            await _notes(session, first)
        await _bots_own(database)


async def _accounts(session: AsyncSession) -> Account:
    for chat_id in c.CHATS:
        wanted = c.IN_GROUP if chat_id == c.GROUP else c.NEW
        await accounts.get_or_create(session, chat_id=chat_id, settings=wanted, now=c.AT)
    first = await accounts.get(session, c.FIRST)
    sealed = _VAULT.seal_credentials(
        api_key=c.API_KEY, api_secret=c.API_SECRET, account_uuid=first.uuid, chat_id=first.chat_id
    )
    first = await accounts.store_key(
        session,
        first,
        sealed_key=sealed,
        key_tail="BWC5",
        key_print="print-of-the-key",
        expires_at=c.LATER,
        checked_at=c.AT,
    )
    first = await accounts.set_limits(session, first, c.LIMITS)
    first = await accounts.change(session, first, paused=False)
    await key_expiry.learn(session, first, expires_at=c.LATER, told=7)
    await audience.set_all_may_look(session, c.SECOND, on=True)
    await audience.set_topic(session, c.SECOND, 77)
    await audience.ask_not_before(session, c.SECOND, c.LATER)
    halted = update(AccountRow).where(AccountRow.chat_id == c.CHATS[2]).values(halted=True)
    await session.execute(halted)
    await exchange_accounts.lock(session, "print-of-the-account")
    await exchange_accounts.learn(
        session,
        key_print="print-of-the-key",
        account_print="print-of-the-account",
        connected_at=c.AT,
    )
    return first


async def _trading(session: AsyncSession, first: Account) -> None:
    for order in c.ORDERS:
        await orders.add(session, order)
    for look in c.LOOKS:
        await check_results.put(session, c.FIRST, look)
    await check_results.see(session, c.FIRST, c.LOOKS[0])
    await incidents.put(session, c.FIRST, c.TROUBLE)
    for account_id, kind in enumerate(IncidentKind, start=2):
        if account_id <= len(c.CHATS):
            trouble = Incident(kind=kind, detail="", since=c.EARLIER, last_at=c.AT)
            await incidents.put(session, type(c.FIRST)(account_id), trouble)
    await run_requests.put(session, c.FIRST, c.REQUEST)
    await approvals.put(session, c.SECOND, c.OFFER)
    for movement in c.MOVEMENTS:
        await balance_changes.add(session, c.FIRST, movement)
    await balance_changes.see(session, c.FIRST, c.LAST_SEEN, dry_run=False)
    await paper_ledger.open_ledger(session, c.SECOND, c.PAPER)
    await paper_ledger.record(session, c.PAPER_ORDER)
    await audit.add_changes(
        session, await accounts.get(session, c.SECOND), first, at=c.AT, user_id=c.OWNER
    )
    for action, subject, detail in c.AUDIT:
        await audit.record(session, c.CHAT, c.OWNER, action, detail, subject=subject, at=c.LATER)


async def _chats(session: AsyncSession) -> None:
    for kind, about in c.QUESTIONS.items():
        question = Confirmation(
            id=f"{kind}-1",
            chat_id=c.GROUP if kind == "offer" else c.CHAT,
            user_id=ANY_TRADER if kind == "offer" else c.OWNER,
            kind=kind,
            payload=str(about) if kind in c.AS_TEXT else to_json(about),
            asked_at=c.AT,
            expires_at=c.LATER,
        )
        await confirmations.ask(session, question)
    await confirmations.take(
        session, "lift_halt-1", chat_id=c.CHAT, user_id=c.OWNER, now=c.AT, message_id=31
    )
    await alert_preferences.put(session, c.FIRST, c.ALERT_SETTINGS, now=c.AT)
    await alert_preferences.digest_written(session, c.FIRST, at=c.AT, quote=Decimal("57.1"))
    for mark in c.MARKS:
        await low_balance.put(session, c.FIRST, mark)
    card = status_messages.StatusMessage(
        chat_id=c.CHAT, message_id=41, pinned=True, gist="g1", words="w1", look=c.LOOKS[0]
    )
    await status_messages.put(session, card, next_edit_at=c.LATER)
    await undeliverable.put(session, c.UNDELIVERABLE)
    await undeliverable.mark_paused(session, c.SECOND)


async def _people(session: AsyncSession) -> None:
    await members.admit(
        session,
        chat_id=c.CHAT,
        user_id=c.OWNER,
        role=Role.OWNER,
        now=c.AT,
        is_owner=True,
        name="Zoë 🟢",
    )
    for user_id, role in ((c.TRADER, Role.TRADER), (c.STRANGER, Role.VIEWER)):
        await members.admit(
            session, chat_id=c.FORMER_GROUP, user_id=user_id, role=role, now=c.LATER, name="Ann"
        )
    await members.move(session, old=c.FORMER_GROUP, new=c.GROUP)
    await members.refuse_once(session, user_id=c.STRANGER, now=c.AT)
    await members.keep_name(session, c.OWNER, "Zoë")
    await members.is_news(session, "welcome", now=c.AT, again_after=None)
    await members.set_code(session, code_hash="hash-of-the-code", tries=5)
    await invitations.add(session, c.INVITATION, code_hash="hash-1", now=c.AT)
    await invitations.add(session, c.INVITATION, code_hash="hash-2", now=c.AT)
    await invitations.use(session, "hash-2", user_id=c.TRADER, now=c.AT)
    await invitations.guessed(session, user_id=c.STRANGER, count=1, now=c.AT)


async def _coordination(session: AsyncSession) -> None:
    await leases.claim(session, owner=c.PROCESS, now=_NOW, ttl=_TTL, most=3)
    await leases.wake(session, c.SECOND)
    for name in ("poller", "porter"):
        await leader_leases.hold(session, name, owner=c.PROCESS, now=_NOW, ttl=_TTL)
    await processes.announce(session, c.PROCESS, now=_NOW, ttl=_TTL, database_session="11 22 33")
    await processes.announce(session, c.DEAD_PROCESS, now=_NOW, ttl=-_TTL)


async def _queues(session: AsyncSession) -> None:
    for kind, alert in c.ALERTS.items():
        await publish(session, c.CHAT, alert, key=c.DEDUPE_KEYS[kind], now=c.AT)
    await publish(session, c.GROUP, c.IN_PAUSE, key="over:2", now=c.AT)
    answer = to_payload(Message("<b>One</b> &amp; two"))
    for number in range(3):
        await outbox.add(
            session,
            chat_id=c.GROUP,
            kind="answer",
            payload=answer,
            dedupe_key=f"answer:{number}",
            now=c.AT,
            topic_id=77,
            rank=queues.FIRST,
        )
    [sent] = await queue.claim(session, OutboxRow, now=c.AT, hold=_TTL, most=1, owner=c.PROCESS)
    await queue.finish(session, OutboxRow, queue.Claim.of(sent), now=c.AT, message_id=51)
    [late] = await queue.claim(session, OutboxRow, now=c.AT, hold=_TTL, most=1, owner=c.PROCESS)
    failure = outbox.SLOWED_DOWN
    await queue.postpone(session, OutboxRow, queue.Claim.of(late), until=c.LATER, failure=failure)
    for chat_id, failure in ((c.CHATS[2], outbox.OFF), (c.CHATS[3], "Forbidden: blocked")):
        await outbox.add(
            session,
            chat_id=chat_id,
            kind="answer",
            payload=answer,
            dedupe_key=f"answer:{failure}",
            now=c.AT,
            rank=queues.FIRST,
        )
        [over] = await queue.claim(session, OutboxRow, now=c.AT, hold=_TTL, most=1)
        await queue.finish(session, OutboxRow, queue.Claim.of(over), now=c.AT, failure=failure)
    await queue.claim(session, OutboxRow, now=c.AT, hold=_TTL, most=1, owner=c.PROCESS)
    updates = [
        inbox.Sealed(
            update_id,
            c.CHAT,
            _VAULT.seal_text(json.dumps(c.UPDATE), purpose=purpose(c.BOT_ID, update_id)),
            rank,
        )
        for update_id, rank in (
            (501, queues.NORMAL),
            (502, queues.LAST),
            (503, queues.FIRST),
        )
    ]
    await inbox.store(session, bot_id=c.BOT_ID, updates=updates, now=c.AT)
    [row] = await queue.claim(session, InboxRow, now=c.AT, hold=_TTL, most=1, owner=c.PROCESS)
    await queue.finish(
        session, InboxRow, queue.Claim.of(row), now=c.AT, failure="ValueError", payload=""
    )
    await queue.claim(session, InboxRow, now=c.AT, hold=_TTL, most=1, owner=c.PROCESS)


async def _notes(session: AsyncSession, first: Account) -> None:
    """Those that no function of the storage writes by itself."""
    await halt.put(session, c.HALT)
    await pruning.done(session, at=c.AT)
    await key_values.put(session, key_values.VAULT_CANARY, _VAULT.canary())
    await key_values.put(session, f"doctor:{first.id}", c.AT.isoformat())
    await key_values.put(session, "key_powers:print-of-the-key", "SPOT_WITHDRAW_WRITE")
    await key_values.put(session, f"moved:{c.FORMER_GROUP}", str(c.GROUP))
    await key_values.put(session, "brought_forward", "0 0")


async def _bots_own(database: Database) -> None:
    clock = FakeClock(start=c.AT)
    await WebhookSecret.load(database=database, vault=_VAULT, token=f"{c.BOT_ID}:x", clock=clock)
    budget = RateLimiter(clock)
    budget.block_until(clock.steady() + timedelta(hours=3))
    await RateLimitMemory(database=database, clock=clock, budget=budget, proxy=None).round()
    dialogs = Conversations(
        database=database, sealer=_VAULT, clock=clock, patience=timedelta(hours=1)
    )
    for user_id, kind, text in (
        (c.OWNER, "connect:key", ""),
        (c.TRADER, "connect:secret", c.API_KEY),
        (c.STRANGER, "value:settarget", "41"),
    ):
        await dialogs.wait(an_ask(user_id), kind, text)


def an_ask(user_id: int) -> Request:
    """Anything that this user says in the owner's chat."""
    return Request(
        chat_id=c.CHAT,
        user_id=user_id,
        role=Role.OWNER,
        is_private=True,
        command="",
        argument="",
        message_id=1,
        asked_at=c.AT,
    )


def sqlite_dump() -> str:
    """Returns the statements of a new SQLite database with this version's rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made.db"
        migrate(f"sqlite:///{file}")
        asyncio.run(write(f"sqlite:///{file}"))
        connection = sqlite3.connect(file)
        dump = "\n".join(connection.iterdump())
        connection.close()
        return dump


def _postgres() -> str:
    with running_server(None) as server, server.database() as url:
        migrate(url)
        asyncio.run(write(url))
        address = make_url(url)
        home, name = str(address.query["host"]), str(address.database)
        pg_dump = str(_binaries() / "pg_dump")  # the server's own: no other version fits
        command = [pg_dump, "-h", home, "-U", "postgres", "--no-owner"]
        dump = subprocess.run(
            [*command, "--column-inserts", name], check=True, capture_output=True, text=True
        ).stdout
    settings = ("SET ", "SELECT pg_catalog.set_config", "\\", "--")
    lines = (line for line in dump.splitlines() if line and not line.startswith(settings))
    return "\n".join(lines)


if __name__ == "__main__":
    for kind, text in (("sqlite", sqlite_dump()), ("postgres", _postgres())):
        (_HERE / f"{VERSION}.{kind}.sql").write_text(f"{text}\n", encoding="utf-8")
