"""A database that an older version filled is read by this one: every row of it, value for value.

`stored/make.py` made them, on SQLite and on PostgreSQL, with the older version's code.
"""

import json
import re
import shutil
import sqlite3
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import func, literal, select
from sqlalchemy.engine import make_url

from bot.interaction.conversations import Conversations, ConversationStep
from bot.interaction.message import plain_text
from bot.messaging.outbox import render_queued
from bot.updates.inbox import purpose
from bot.updates.webhook_secret import WebhookSecret
from bot.views.audit import deed
from engine.accounts.chat_migration import moved_to
from engine.domain.accounts.confirmation import Refusal, RefusalReason
from engine.domain.accounts.flows import Flow
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.members import Member, Role
from engine.domain.alerts.alerts import trade_settled
from engine.domain.orders.order import AccountId, ClientOrderId, Order, OrderState
from engine.exchanges.rate_limit_memory import RateLimitMemory
from engine.exchanges.rate_limiter import RateLimiter
from engine.maintenance.key_rotation import rotate
from engine.security.vault import Vault
from engine.storage import schema
from engine.storage.accounts import (
    accounts,
    alert_preferences,
    audit,
    check_inputs,
    digest,
    exchange_accounts,
    halt,
    invitations,
    key_expiry,
    members,
)
from engine.storage.chat import confirmations, status_messages, undeliverable
from engine.storage.column_types import Base, Moment
from engine.storage.coordination import key_values, leader_leases, leases, processes
from engine.storage.database import Database
from engine.storage.maintenance import pruning, statistics
from engine.storage.migrations import migrate
from engine.storage.models.coordination import KeyValueRow
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.queues import inbox, outbox, queue, reply_threads
from engine.storage.serialization import alert_from_json, from_json, to_json
from engine.storage.trading import (
    approvals,
    bookkeeping,
    check_results,
    decision_history,
    history,
    limit_usage,
    orders,
    paper_ledger,
)
from tests.fakes.clock import FakeClock
from tests.postgres import Server
from tests.storage.stored import contents as c
from tests.storage.stored import make
from tests.storage.stored.make import an_ask

HERE = Path(__file__).parent / "stored"
VERSION = "0.5.0"
NOW = literal(c.AT, Moment())
VAULT = Vault([c.VAULT_KEY])
A_SECOND = timedelta(seconds=1)
# What must stand in the words of each alert: a value that was stored, as a person reads it.
IN_WORDS: Mapping[str, tuple[str, ...]] = {
    "trade_settled": ("8,142", "16.31", "40.79"),
    "order_unclear": ("17.03",),
    "order_never_arrived": ("17.03",),
    "order_needs_person": ("blneeds_human", "PENDING_REVIEW"),
    "trouble_told": ("MNTL",),
    "trouble_over": ("6",),
    "run_declined": ("17.04",),
    "drift_noticed": ("57.01",),
    "plan_offered": ("57.01",),
    "moved": ("100.25", "140.2"),
    "halted": ("17.05",),
    "halt_lifted": ("paused",),
    "low_mark_reached": ("0.25", "MX"),
    "low_mark_over": ("0.75", "MX"),
    "digest": ("17.06", "4.44"),
    "key_ending": ("BWC5", "3 days"),
    "key_too_powerful": ("BWC5", "SPOT_WITHDRAW_WRITE"),
    "money_shared": ("/disconnect",),
    "member_joined": ("Ann <b>",),
    "chat_undeliverable": ("chat not found",),
    "chat_deliverable": ("Nov", "goes on"),
}


def dump(kind: str) -> str:
    return (HERE / f"{VERSION}.{kind}.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be copied."""
    file = tmp_path_factory.mktemp("stored") / f"{VERSION}.db"
    connection = sqlite3.connect(file)
    connection.executescript(dump("sqlite"))
    connection.close()
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="module")
def postgres_database(postgres: Server) -> Generator[str]:
    """Its name, to be copied."""
    with postgres.database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(dump("postgres").encode())
        migrate(url)
        yield str(make_url(url).database)


@pytest.fixture
def stored_sqlite_url(sqlite_file: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(sqlite_file, tmp_path / 'stored.db')}"


@pytest.fixture
def stored_postgres_url(postgres: Server, postgres_database: str) -> Generator[str]:
    with postgres.database(template=postgres_database) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
async def stored(request: pytest.FixtureRequest) -> AsyncGenerator[Database]:
    """What the older version left, migrated."""
    url: str = request.getfixturevalue(f"stored_{request.param}_url")
    async with Database.open(url, clock=FakeClock(start=c.AT)) as database:
        yield database


def columns_of_then() -> set[tuple[str, str]]:
    """Table and column of all that the older version had."""
    with closing(sqlite3.connect(":memory:")) as then:
        then.executescript(dump("sqlite"))
        tables = then.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        columns = "SELECT name FROM pragma_table_info(?)"
        return {
            (name, column) for (name,) in tables for (column,) in then.execute(columns, [name])
        }


async def test_every_table_has_rows_and_every_column_a_value(stored: Database):
    """Else something of the older version's is not tried."""
    known = columns_of_then()
    async with stored.reading() as session:
        empty = [
            f"{table.name}.{column.name}"
            for table in Base.metadata.sorted_tables
            for column in table.columns
            if (table.name, column.name) in known
            and not await session.scalar(select(func.count(column)))
        ]

    assert empty == []


# What is new in each database: encrypted values, and the ids of accounts.
RANDOM = re.compile(r"gAAAA[\w=-]+|\b[0-9a-f]{32}\b")
# Fields that stored values have since then: the older version leaves them out when it reads.
SINCE_THEN = re.compile(
    r',"coming":null|,"made":null,"brought":null,"about":false|,"worth":null'
    r'|,"expected":null,"widened":false,"slipped":null|,"asked_base":null|,"bound":null(?:,"cost":null)?|,"portfolio":null'
    r'|,"bands":null|,"destination":null|,"protected":null|,"execution":null|,"slippage":null|,"pacing":null|,"twice":null,"scaled":null'
    r'|,"cause":null|,"waited":false|,"rests":false|,"plan":null'
)


def rows_by_column(script: str) -> Mapping[str, set[tuple[str, ...]]]:
    """The rows of each table, in the columns and fields of then, without what is random."""
    columns: dict[str, list[str]] = {}
    for table, column in sorted(columns_of_then()):
        columns.setdefault(table, []).append(f'"{column}"')
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(script)
        found = {
            table: database.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()  # noqa: S608
            for table, names in columns.items()
            if table != "alembic_version"
        }
    return {
        table: {
            tuple(SINCE_THEN.sub("", RANDOM.sub("random", repr(value))) for value in row)
            for row in rows
        }
        for table, rows in found.items()
    }


def test_the_older_version_beside_this_one_reads_rows_such_as_its_own():
    """Two versions share a database while one takes over, and either may stop there."""
    of_then, of_now = rows_by_column(dump("sqlite")), rows_by_column(make.sqlite_dump())

    other = {table: rows - of_now[table] for table, rows in of_then.items()}
    assert [table for table, rows in other.items() if rows] == []
    assert len(of_then["orders"]) > 1


async def test_accounts_are_as_they_were(stored: Database):
    async with stored.reading() as session:
        every = await accounts.every(session)
        known = {account.chat_id: account for account in every}
        first, group = known[c.CHAT], known[c.GROUP]
        key = VAULT.open_credentials(
            first.sealed_key or "", account_uuid=first.uuid, chat_id=first.chat_id
        )
        told = await key_expiry.told(session, first)
        holders = await exchange_accounts.holders(session, "print-of-the-account")
        settings = (await alert_preferences.of_chats(session, [c.CHAT]))[c.CHAT]
        due = await alert_preferences.has_due(session, now=c.AT + timedelta(days=1))

    assert known.keys() == set(c.CHATS)
    assert first.settings == c.NEW
    assert first.limits == c.LIMITS
    assert (first.version, first.key_tail, first.key_expires_at) == (4, "BWC5", c.LATER)
    assert (key.api_key, key.api_secret) == (c.API_KEY, c.API_SECRET)
    assert told == 7
    assert [(one.id, one.connected_at, one.paused) for one in holders] == [(1, c.AT, False)]
    assert group.settings == c.IN_GROUP
    assert (group.topic_id, group.all_may_look, group.not_before) == (77, True, c.LATER)
    assert [account.chat_id for account in every if account.halted] == [c.CHATS[2]]
    assert settings == c.ALERT_SETTINGS
    assert due


async def test_every_order_is_as_it_was_in_each_state(stored: Database):
    async with stored.reading() as session:
        found = {
            order.state: await orders.get(session, order.client_order_id) for order in c.ORDERS
        }
        unresolved = await orders.unresolved_of(session, [AccountId(n) for n in range(1, 6)])
        last = await orders.last_trade(session, c.FIRST)
        refused = await orders.count_refused(session, c.FIRST, since=c.EARLIER)
        told = await history.page(session, c.FIRST, most=9)
        booked, _ = await bookkeeping.after(session, c.FIRST, last=None, most=9)
        counted = await statistics.take(session, now=c.AT)

    assert found == {order.state: order for order in c.ORDERS}
    assert found.keys() == set(OrderState)
    assert {account_id: order.state.value for account_id, order in unresolved.items()} == {
        2: "sending",
        3: "acked",
        4: "unknown",
        5: "needs_human",
    }
    assert last == found[OrderState.PARTIAL]
    assert refused == 0
    partial, filled = found[OrderState.PARTIAL], found[OrderState.FILLED]
    assert list(told) == [c.MOVEMENTS[1], partial, filled, c.MOVEMENTS[0]]
    assert [event for event in booked if isinstance(event, Order)] == [filled, partial]
    assert [event.changes for event in booked if isinstance(event, Flow)] == [
        [c.MOVEMENTS[0]],
        [c.MOVEMENTS[1]],
    ]
    assert counted.unresolved == 4
    assert filled is not None
    assert (
        "16.31" in render_queued("trade_settled", to_json(trade_settled(filled, late=False))).text
    )


async def test_what_a_check_needs_is_found(stored: Database):
    async with stored.reading() as session:
        [duty] = await check_inputs.duties(session, [c.FIRST])
        first = duty.account
        others = await check_inputs.duties(session, [AccountId(n) for n in range(2, 6)])
        recent = await limit_usage.recent(session, first, now=c.AT + A_SECOND * 60)
        held = await digest.quote_held(session, first)
        summed = await digest.trades(
            session, first, since=c.EARLIER, until=c.LATER, smallest=Decimal(17)
        )
        alarms = await digest.troubles_told(session, first, since=c.EARLIER, until=c.LATER)

    assert duty.request == c.REQUEST
    assert duty.trouble == c.TROUBLE
    assert set(c.TROUBLE.kinds) == set(IncidentKind)
    assert duty.marks == c.MARKS
    assert duty.last_seen == c.LAST_SEEN
    assert duty.last_fill == next(o for o in c.ORDERS if o.state is OrderState.PARTIAL)
    assert all(other.unresolved and other.trouble for other in others)
    # Filled, partial and set aside, each for 17.1… rounded up; all that left count as sent.
    assert (recent.turnover, recent.orders) == (Decimal("51.39"), 5)
    assert recent.last == Decimal("0.0021")
    assert held == Decimal("40.79")
    assert (summed.trades, summed.sold, summed.bought) == (2, Decimal("16.31"), Decimal("16.32"))
    assert (summed.small, summed.fees_complete) == (2, False)
    assert summed.fees == {"USDT": Decimal("0.016300284"), "MX": Decimal("0.0002")}
    assert alarms == 1


async def test_every_look_and_decision_is_as_it_was(stored: Database):
    async with stored.reading() as session:
        last = await check_results.get(session, c.FIRST)
        seen = await check_results.seen(session, c.FIRST)
        known = await check_results.seen_of(session, c.FIRST, c.PAIR)
        decided = await decision_history.latest(session, c.FIRST, most=50)
        card = await status_messages.get(session, c.CHAT)

    assert last == c.LOOKS[-1]
    assert seen == c.LOOKS[0]
    assert known is not None
    assert known.price == Decimal("0.0021")
    assert list(decided) == c.LOOKS[::-1]
    assert card == status_messages.StatusMessage(
        chat_id=c.CHAT, message_id=41, pinned=True, gist="g1", words="w1", look=c.LOOKS[0]
    )


async def test_every_alert_that_waits_is_put_into_words(stored: Database):
    async with stored.reading() as session:
        rows = (
            await session.scalars(
                select(OutboxRow).where(OutboxRow.chat_id == c.CHAT).order_by(OutboxRow.id)
            )
        ).all()
        [answer] = await session.scalars(
            select(OutboxRow).where(OutboxRow.dedupe_key == "answer:0")
        )
        replies = await reply_threads.begun_by(session, rows)
        [paused] = await session.scalars(select(OutboxRow).where(OutboxRow.dedupe_key == "over:2"))
    read = {row.kind: alert_from_json(row.kind, row.payload) for row in rows}
    words = {row.kind: plain_text(render_queued(row.kind, row.payload).text) for row in rows}
    missing = [
        f"{kind}: {word} in {words[kind]}"
        for kind, wanted in IN_WORDS.items()
        for word in wanted
        if word not in words[kind]
    ]

    assert read == c.ALERTS
    assert words.keys() == IN_WORDS.keys()
    assert missing == []
    assert alert_from_json(paused.kind, paused.payload) == replace(c.IN_PAUSE, paused=True)
    assert paused.topic_id == 77
    assert {row.kind: replies[row.id] for row in rows if row.id in replies} == {"run_declined": 31}
    assert {row.kind: row.dedupe_key for row in rows} == c.DEDUPE_KEYS
    assert answer.message_id == 51
    assert render_queued(answer.kind, answer.payload).text == "<b>One</b> &amp; two"


async def test_the_queues_go_on_where_they_were(stored: Database):
    async with stored.writing() as session:
        waiting = await queue.waiting(session, OutboxRow)
        late = await queue.claim(
            session, OutboxRow, now=c.AT + A_SECOND, hold=A_SECOND, most=9, owner="new"
        )
        after_the_hold = c.AT + timedelta(minutes=2)
        again = await queue.claim(
            session, OutboxRow, now=after_the_hold, hold=A_SECOND, most=9, owner="new"
        )
        given_up = await outbox.given_up(session, chat_id=c.CHATS[3], since=c.AT)
        unwanted = await outbox.given_up(session, chat_id=c.CHATS[2], since=c.AT)
        known = await outbox.add(
            session,
            chat_id=c.CHAT,
            kind="answer",
            payload="",
            dedupe_key=c.DEDUPE_KEYS["moved"],
            now=c.AT,
        )
        updates = await queue.claim(session, InboxRow, now=after_the_hold, hold=A_SECOND, most=9)
        repeated = await inbox.store(
            session, bot_id=c.BOT_ID, updates=[inbox.Sealed(503, c.CHAT, "x")], now=c.AT
        )
        older = await inbox.older(session, than=99, chats=[c.CHAT], everywhere=True)

    assert waiting == len(c.ALERTS) + 3
    assert late == []  # one chat's first message is claimed, the other's waits for an hour
    assert [(row.kind, row.attempts, row.deaths) for row in again] == [("trade_settled", 2, 1)]
    assert (given_up, unwanted) == (1, 0)
    assert not known
    assert [row.update_id for row in updates] == [501]
    text = VAULT.open_text(updates[0].payload, purpose=purpose(c.BOT_ID, 501))
    assert json.loads(text) == c.UPDATE
    assert repeated == 0
    assert [row.update_id for row in older] == [501, 502]


async def test_every_button_still_works_once(stored: Database):
    asked: dict[str, object] = {}
    async with stored.writing() as session:
        for kind, about in c.QUESTIONS.items():
            taken = await confirmations.take(
                session,
                f"{kind}-1",
                chat_id=c.GROUP if kind == "offer" else c.CHAT,
                user_id=c.OWNER,
                now=c.LATER,
            )
            question = taken.question if isinstance(taken, Refusal) else taken
            assert question is not None
            assert question.kind == kind
            is_text = kind in c.AS_TEXT
            wanted: type[object] = list[str] if kind == "choice" else type(about)
            asked[kind] = question.payload if is_text else from_json(question.payload, wanted)
            used = isinstance(taken, Refusal) and taken.why is RefusalReason.USED
            assert used == (kind == "lift_halt")
        late = await confirmations.find(
            session, "undo-1", chat_id=c.CHAT, user_id=c.OWNER, now=c.LATER + A_SECOND
        )
        answered = await confirmations.answered_by(session, "lift_halt-1")

    assert asked == c.QUESTIONS
    assert isinstance(late, Refusal)
    assert answered == c.OWNER


async def test_every_note_is_understood(stored: Database):
    clock = FakeClock(start=c.AT)
    budget = RateLimiter(clock)
    await RateLimitMemory(database=stored, clock=clock, budget=budget, proxy=None).restore()
    secret = await WebhookSecret.load(
        database=stored, vault=VAULT, token=f"{c.BOT_ID}:x", clock=clock
    )
    async with stored.writing() as session:
        canary = await key_values.get(session, key_values.VAULT_CANARY)
        sealed = await key_values.get(session, key_values.WEBHOOK_SECRET)
        names = set(await session.scalars(select(KeyValueRow.name)))
        assert await halt.in_force(session) == c.HALT
        assert await approvals.last(session, c.SECOND) == c.OFFER
        assert await undeliverable.every(session) == [c.UNDELIVERABLE]
        assert await undeliverable.is_paused(session, c.SECOND)
        assert await pruning.last(session) == c.AT
        assert await moved_to(session, c.FORMER_GROUP) == c.GROUP
        assert await members.former_chat(session, c.GROUP) == c.FORMER_GROUP
        assert await members.name_of(session, c.OWNER) == "Zoë"
        assert not await members.is_news(session, "welcome", now=c.AT, again_after=None)
        assert await members.spend_try(session) == ("hash-of-the-code", 4)
        assert await invitations.guesses(session, user_id=c.STRANGER, since=c.EARLIER) == 1

    assert budget.usage().blocked_until == c.AT + timedelta(hours=3)
    assert VAULT.knows(canary or "")
    assert secret.value in VAULT.open_text(sealed or "", purpose="webhook")
    assert names == {
        "brought_forward",
        "code_guesses:3003",
        "doctor:1",
        "exchange_account:print-of-the-account",
        "halt",
        "key_powers:print-of-the-key",
        "moved:-55",
        "moved_from:-1001234567890",
        "name:1001",
        "offer:2",
        schema.OLDEST_CODE,
        "pairing_code",
        "pairing_tries",
        "paused_undeliverable:2",
        "pruned",
        "said:welcome",
        "seen:1",
        "silence:direct",
        "undeliverable:-1001234567890",
        "vault_canary",
        "webhook_secret",
    }


async def test_everybody_is_who_they_were(stored: Database):
    async with stored.writing() as session:
        owner = await members.of_chat(session, c.CHAT)
        group = await members.of_chat(session, c.GROUP)
        invited = await invitations.find(session, "hash-1")
        used = await invitations.find(session, "hash-2")
        lines, _ = await audit.page(session, chat_id=c.CHAT, size=50, number=0)
        heard = await members.refuse_once(session, user_id=c.STRANGER, now=c.AT)

    assert owner == [
        Member(user_id=c.OWNER, role=Role.OWNER, name="Zoë 🟢", since=c.AT, is_owner=True)
    ]
    assert [(one.user_id, one.role, one.name, one.since) for one in group] == [
        (c.TRADER, Role.TRADER, "Ann", c.LATER),
        (c.STRANGER, Role.VIEWER, "Ann", c.LATER),
    ]
    assert invited == (c.INVITATION, None)
    assert used == (c.INVITATION, c.TRADER)
    later = [(line.action, line.subject, line.detail) for line in lines if line.at == c.LATER]
    assert later == list(c.AUDIT[::-1])
    assert "role of Ann: viewer → trader" in deed(lines[later.index(c.AUDIT[5])])
    told = {(line.action, line.subject, line.detail, line.user_id) for line in lines}
    assert ("settings", "target", "1234.56 USDT -> 40 USDT", c.OWNER) in told
    assert ("key", "key", "none -> …BWC5", c.OWNER) in told
    assert ("limits", "price", "auto -> 15%", c.OWNER) in told
    assert not heard


async def test_every_question_that_is_open_is_answered(stored: Database):
    clock = FakeClock(start=c.AT)
    dialogs = Conversations(
        database=stored, sealer=VAULT, clock=clock, patience=timedelta(hours=1)
    )
    steps = [await dialogs.step(an_ask(user)) for user in (c.OWNER, c.TRADER, c.STRANGER)]

    assert steps == [
        ConversationStep("connect:key", ""),
        ConversationStep("connect:secret", c.API_KEY),
        ConversationStep("value:settarget", "41"),
    ]


async def test_the_paper_exchange_has_its_ledger(stored: Database):
    async with stored.reading() as session:
        balances = await paper_ledger.balances(session, c.SECOND)
        order = await paper_ledger.find(session, c.SECOND, ClientOrderId("blpaper"))
        ledgers = await paper_ledger.open_ledgers(session)

    assert balances == c.PAPER
    assert order == (1, c.PAPER_ORDER)
    assert ledgers == [c.SECOND]


async def test_leases_posts_and_processes_go_over_to_others(stored: Database):
    async with stored.writing() as session:
        calls = await leases.pending_events(session, owner=c.PROCESS, now=NOW)
        held = await leases.is_held(session, c.FIRST, owner=c.PROCESS, fence=1, now=NOW)
        theirs = await leader_leases.hold(session, "poller", owner="new", now=NOW, ttl=A_SECOND)
        dead = await processes.dead(session, now=NOW, left=A_SECOND)
        alive = await processes.count(session, now=NOW)
        after = literal(c.AT + timedelta(minutes=2), Moment())
        taken = await leases.claim(session, owner="new", now=after, ttl=A_SECOND, most=9)
        ours = await leader_leases.hold(session, "porter", owner="new", now=after, ttl=A_SECOND)

    assert (list(calls.woken), calls.any_free) == ([c.SECOND], True)
    assert held
    assert not theirs
    assert (dead, alive) == ([c.DEAD_PROCESS], 1)
    assert taken == {1: 2, 2: 2, 3: 2, 4: 1, 5: 1}
    assert ours


async def test_everything_sealed_goes_under_another_key(stored: Database):
    """So every sealed column is found, and opens."""
    rotated = await rotate(stored, Vault([Fernet.generate_key().decode(), c.VAULT_KEY]))

    assert rotated.is_complete
    assert rotated.broken == 0
    assert {name: count.resealed for name, count in rotated.counts.items()} == {
        "keys of accounts": 1,
        "keys of streams": 0,
        "open questions": 3,
        "updates to handle": 2,
        "the webhook's secret": 1,
        "the canary": 1,
    }
