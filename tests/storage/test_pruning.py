"""What is over and told is forgotten; what waits, repeats itself or belongs to the history is not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from engine.domain.market.candles import HOUR
from engine.domain.orders.order import OrderState
from engine.storage.column_types import Base
from engine.storage.database import Database
from engine.storage.maintenance import price_pruning, pruning
from engine.storage.models.accounts import AccountRow, AuditRow, InvitationRow
from engine.storage.models.chat import ConfirmationRow, ConversationRow
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.models.trading import (
    CandleRangeRow,
    CandleRow,
    DecisionRow,
    OrderRow,
    PaperOrderRow,
)
from tests.fakes.clock import START
from tests.storage.snapshots import everything, fill
from tests.storage.test_migrations import ACCOUNT, an_order

ONE = Decimal(1)
KEEP = timedelta(days=30)
BEFORE = START - KEEP
OLD, NEW = BEFORE - timedelta(seconds=1), BEFORE + timedelta(seconds=1)


def queued(row_id: int, done_at: datetime | None, *, at: datetime = OLD, **more: Any) -> Any:
    row = {"id": row_id, "chat_id": 1, "payload": "", "created_at": at, "not_before": at}
    return {**row, "attempts": 1, "done_at": done_at, **more}


def update(row_id: int, done_at: datetime | None, **more: Any) -> InboxRow:
    return InboxRow(**queued(row_id, done_at, bot_id=1, update_id=row_id, **more))


def message(row_id: int, done_at: datetime | None, *, key: str = "", **more: Any) -> OutboxRow:
    return OutboxRow(
        **queued(row_id, done_at, kind="answer", dedupe_key=key or f"key-{row_id}", **more)
    )


def button(name: str, expires_at: datetime, used_at: datetime | None = None) -> ConfirmationRow:
    return ConfirmationRow(
        id=name,
        chat_id=ACCOUNT["chat_id"],
        user_id=1,
        kind="rebalance",
        payload="",
        created_at=OLD,
        expires_at=expires_at,
        used_at=used_at,
    )


def order(number: int, state: OrderState) -> OrderRow:
    return OrderRow(id=number, **an_order(number, state))


def paper(number: int, at: datetime = OLD) -> PaperOrderRow:
    return PaperOrderRow(
        id=number,
        account_id=1,
        client_order_id=f"order-{number}",
        symbol="MNTLUSDT",
        side=an_order(1, OrderState.FILLED)["side"],
        executed_base=ONE,
        executed_quote=ONE,
        fee_quote=ONE,
        complete=True,
        created_at=at,
    )


async def add(database: Database, *rows: Base) -> None:
    async with database.writing() as session:
        if await session.get(AccountRow, 1) is None:
            session.add(AccountRow(**ACCOUNT))
            await session.flush()
        session.add_all(rows)


async def prune(database: Database, kind: str, *, most: int = 100) -> int:
    async with database.writing() as session:
        return await pruning.prune(session, kind, before=BEFORE, now=START, most=most)


async def left(database: Database, column: Any) -> Sequence[Any]:
    async with database.reading() as session:
        return list(await session.scalars(select(column).order_by(column)))


async def test_handled_updates_go_a_batch_at_a_time_and_waiting_ones_stay(database: Database):
    await add(database, update(1, OLD), update(2, None), update(3, OLD), update(4, NEW))

    assert await prune(database, "handled updates", most=1) == 1
    assert await left(database, InboxRow.id) == [2, 3, 4]
    assert await prune(database, "handled updates") == 1
    assert await left(database, InboxRow.id) == [2, 4]
    assert await prune(database, "handled updates") == 0


async def test_messages_go_when_nothing_can_ask_for_them_again(database: Database):
    await add(
        database,
        order(1, OrderState.FILLED),
        order(2, OrderState.NEEDS_HUMAN),
        message(1, OLD),
        message(2, None),
        message(3, NEW),
        message(4, OLD, key="order:order-1:filled"),
        message(5, OLD, key="order:order-2:person"),
    )

    assert await prune(database, "sent messages") == 2
    assert await left(database, OutboxRow.id) == [2, 3, 5]


async def test_the_answers_to_an_update_stay_until_it_is_handled(database: Database):
    """It is handled again after the crash, and must not be answered twice."""
    crashed = OLD - timedelta(hours=1)
    await add(
        database,
        message(1, OLD, at=crashed - timedelta(seconds=1)),
        update(1, None, at=crashed),
        message(2, OLD, at=crashed + timedelta(seconds=1)),
    )

    assert await prune(database, "sent messages") == 1
    assert await left(database, OutboxRow.id) == [2]


async def test_buttons_go_but_the_tap_behind_a_trade_stays(database: Database):
    await add(
        database,
        order(1, OrderState.FILLED),
        button("run-1", OLD, OLD),
        button("tapped", OLD, OLD),
        button("tapped lately", OLD, NEW),
        button("expired", OLD),
        button("open", NEW),
    )

    assert await prune(database, "old buttons") == 2
    assert await left(database, ConfirmationRow.id) == ["open", "run-1", "tapped lately"]


async def test_a_question_goes_as_soon_as_nobody_can_answer_it(database: Database):
    def question(user_id: int, expires_at: datetime) -> ConversationRow:
        return ConversationRow(
            chat_id=1, user_id=user_id, kind="", payload="", expires_at=expires_at
        )

    await add(
        database,
        question(1, START - timedelta(seconds=1)),
        question(2, START + timedelta(seconds=1)),
    )

    assert await prune(database, "expired questions") == 1
    assert await left(database, ConversationRow.user_id) == [2]


async def test_codes_go_when_they_have_long_expired(database: Database):
    def code(name: str, expires_at: datetime) -> InvitationRow:
        return InvitationRow(
            code_hash=name,
            chat_id=1,
            role="trader",
            invited_by=1,
            created_at=OLD,
            expires_at=expires_at,
        )

    await add(database, code("old", OLD), code("new", NEW))

    assert await prune(database, "expired invitations") == 1
    assert await left(database, InvitationRow.code_hash) == ["new"]


async def test_of_the_decisions_each_account_keeps_its_last(database: Database):
    await add(database, *(DecisionRow(id=n, account_id=1, at=OLD, payload="") for n in (1, 2)))

    assert await prune(database, "old decisions") == 1
    assert await left(database, DecisionRow.id) == [2]


async def test_paper_orders_stay_while_they_may_be_asked_for(database: Database):
    await add(
        database,
        order(1, OrderState.UNKNOWN),
        order(2, OrderState.FILLED),
        paper(1),
        paper(2),
        paper(3, NEW),
    )

    assert await prune(database, "old paper orders") == 1
    assert await left(database, PaperOrderRow.id) == [1, 3]

    await add(database, order(3, OrderState.FILLED))

    assert await prune(database, "old paper orders") == 0


async def test_the_newest_paper_order_keeps_its_number_taken(database: Database):
    await add(database, paper(1), paper(2))

    assert await prune(database, "old paper orders") == 1
    assert await left(database, PaperOrderRow.id) == [2]


async def prune_prices(database: Database, *, most: int = 100) -> list[tuple[str, int]]:
    async with database.reading() as session:
        ends = await price_pruning.unneeded(session, before=BEFORE)
    async with database.writing() as session:
        return [
            (symbol, await price_pruning.prune(session, symbol, end=end, now=START, most=most))
            for symbol, end in sorted(ends.items())
        ]


async def test_prices_go_that_no_history_needs(database: Database):
    """An account's history begins with its first record, and has the pairs and fees of its orders,
    and the pairs that were set.
    """
    begun, day = START - timedelta(days=100), timedelta(days=1)
    hours = [begun - 50 * day, begun - 49 * day, begun - day, BEFORE, START - day]
    left_pair = an_order(1, OrderState.FILLED) | {"symbol": "LEFTUSDT", "fees": '{"MX": "0.01"}'}
    await add(
        database,
        OrderRow(id=1, **{**left_pair, "created_at": begun}),
        order(2, OrderState.FILLED),
        AuditRow(
            at=START,
            chat_id=ACCOUNT["chat_id"],
            user_id=1,
            action="settings",
            subject="pair",
            detail="SEENUSDT -> MNTLUSDT",
        ),
    )
    asked = {"ASKEDUSDT": START, "GONEUSDT": START - day}
    needed = ("LEFTUSDT", "MNTLUSDT", "MXUSDT", "SEENUSDT")
    for pair in (*asked, *needed, "OVERUSDT"):
        known = hours if pair != "OVERUSDT" else hours[:2]
        moments = {"since": known[0], "until": known[-1], "asked_at": asked.get(pair, BEFORE)}
        await add(
            database,
            CandleRangeRow(symbol=pair, **moments),
            *(CandleRow(symbol=pair, at=at, close=ONE) for at in known),
        )

    assert await prune_prices(database, most=1) == [
        ("ASKEDUSDT", 0),
        ("GONEUSDT", 1),
        *[(pair, 1) for pair in sorted([*needed, "OVERUSDT"])],
    ]
    assert await left(database, CandleRangeRow.since) == [hours[0]] + 6 * [hours[0] + HOUR]
    assert dict(await prune_prices(database))["OVERUSDT"] == 2  # with the range
    assert await prune_prices(database) == [("ASKEDUSDT", 0)]
    async with database.reading() as session:
        kept = [
            tuple(row) for row in await session.execute(select(CandleRow.symbol, CandleRow.at))
        ]
        ranges = await session.execute(select(CandleRangeRow.symbol, CandleRangeRow.since))
    for pair in needed:
        assert [at for symbol, at in kept if symbol == pair] == hours[2:]
    assert [at for symbol, at in kept if symbol == "GONEUSDT"] == hours[3:]
    assert {row.symbol: row.since for row in ranges} == {
        "ASKEDUSDT": hours[0],
        "GONEUSDT": BEFORE,
        **dict.fromkeys(needed, begun - day),
    }


async def test_only_what_was_named_is_ever_deleted(database: Database):
    await fill(database)
    before = await everything(database)

    for kind in pruning.KINDS:
        async with database.writing() as session:
            await pruning.prune(
                session,
                kind,
                before=START + timedelta(days=36500),
                now=START + timedelta(days=36500),
                most=100,
            )

    after = await everything(database)
    assert before.keys() - after.keys() <= {
        "inbox",
        "outbox",
        "confirmations",
        "dialogs",
        "invitations",
        "share_links",
    }
    assert all(after[table] == before[table] for table in after)


@pytest.mark.parametrize("hours", [23, 24])
async def test_one_process_a_day_gets_the_pruning(database: Database, hours: int):
    day = timedelta(days=1)

    async def claimed(now: datetime) -> bool:
        async with database.writing() as session:
            return await pruning.claim(
                session, counts_as=now - day + timedelta(hours=1), unless_after=now - day
            )

    assert await claimed(START)
    assert not await claimed(START)
    async with database.writing() as session:
        await pruning.done(session, at=START)

    assert await claimed(START + timedelta(hours=hours)) is (hours == 24)
