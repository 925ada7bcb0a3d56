"""Orders in the database: every fact survives, every step is a compare-and-swap."""

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.execution.capability import UNKNOWN, Answer, Capability
from engine.domain.market.pairs import USDT, Asset, OrderType, Side
from engine.domain.orders.ledger import EndReason, TopOfBook
from engine.domain.orders.order import (
    UNRESOLVED,
    AccountId,
    Fees,
    Fill,
    Order,
    OrderState,
    PricedTerms,
    Trigger,
    fees_of,
)
from engine.domain.targets.target import FixedUsdt
from engine.errors import LeaseLost
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.models.trading import OrderRow
from engine.storage.trading import balance_changes, check_results, history, order_types, orders
from engine.storage.trading.order_fees import fills_from_json
from engine.storage.trading.orders import AlreadyIntended
from tests.builders import execution, intent, settings
from tests.fakes.clock import START

D = Decimal
ME, YOU = AccountId(1), AccountId(2)


async def _with_two_accounts(database: Database) -> Database:
    async with database.writing() as session:
        for chat_id in (ME, YOU):
            await accounts.get_or_create(session, chat_id=chat_id, settings=settings(), now=START)
    return database


@pytest.fixture
async def both(database: Database) -> Database:
    """SQLite, then PostgreSQL."""
    return await _with_two_accounts(database)


@pytest.fixture
async def lite(sqlite: Database) -> Database:
    return await _with_two_accounts(sqlite)


def numbered(run: int, **changes) -> Order:
    return intent(run_id=f"run-{run}", **changes)


async def put(database: Database, *intents: Order) -> None:
    async with database.writing() as session:
        for each in intents:
            await orders.add(session, each)


async def stored(session: AsyncSession, wanted: Order) -> Order | None:
    return await orders.get(session, wanted.client_order_id)


EVERYTHING = numbered(
    3,
    dry_run=True,
    trigger=Trigger.PERSON,
    account_version=17,
    state=OrderState.PARTIAL,
    sent_at=START + timedelta(milliseconds=7),
    exchange_order_id="C02__1",
    price="0.00205",
    move_bp=17,
    execution=execution(base="8142.5", quote="16.300000000000000001"),
    fees=Fees({USDT: D("0.0081500000000000000001"), Asset("MX"): D("0.1")}),
    quote_after="40.7918499999",
    base_after="108142.5",
    resolved_at=START + timedelta(seconds=2),
    misses=1,
    missed_at=START + timedelta(seconds=1),
    error="ReadTimeout",
    priced=PricedTerms(
        order_type=OrderType.IOC,
        price=D("0.00202"),
        base_quantity=D(8521),
        average=D("0.002006621"),
        widened=True,
        guard=D("0.01"),
        cost_bp=D("33.1234"),
    ),
    cancelling_since=START + timedelta(seconds=3),
    leg=2,
    top=TopOfBook(D("0.001998"), D("0.002002"), START - timedelta(seconds=1), D("34.2")),
    acknowledged_at=START + timedelta(milliseconds=60),
    end_reason=EndReason.NOT_HONOURED,
    final_mid=D("0.002001"),
    fee_price=D("2.31"),
    slice_number=3,
    slices=12,
)


async def test_every_fact_comes_back_as_it_was(both: Database):
    all_kinds = [numbered(1), numbered(2, side=Side.SELL), EVERYTHING]
    await put(both, *all_kinds)

    async with both.reading() as session:
        assert [await stored(session, each) for each in all_kinds] == all_kinds


async def test_the_fills_of_an_order_are_kept(lite: Database):
    fills = (
        Fill(
            trade_id="t1",
            at=START,
            price=D("0.002002"),
            quantity=D(3000),
            fee=D("0.003003"),
            fee_asset=USDT,
            is_maker=True,
        ),
        Fill(
            trade_id="t2",
            at=START + timedelta(milliseconds=1),
            price=D("0.00201"),
            quantity=D(40),
            fee=D("0.0000000000000000001"),
            fee_asset=Asset("MX"),
        ),
    )
    filled = replace(EVERYTHING, fees=fees_of([*fills, fills[0]], executed=D(3040)))
    async with lite.writing() as session:
        await orders.add(session, filled)
        # Whoever moves it on without its fills leaves them as they are.
        known = await stored(session, filled)
        assert known == filled
        await orders.move(session, known, known.state, misses=2)
        row = await session.scalar(select(OrderRow).options(undefer(OrderRow.fills)))

    assert row is not None
    assert row.fills is not None
    assert tuple(fills_from_json(row.fills)) == fills


def test_everything_really_is_everything():
    """A new field of Intent must be added to the round trip above."""
    same_as_default = {
        field.name
        for field in fields(Order)
        if getattr(EVERYTHING, field.name) == getattr(numbered(3), field.name)
    }

    assert same_as_default == {
        *("client_order_id", "account_id", "run_id", "attempt", "symbol", "side"),
        *("quote_amount", "base_quantity", "expected_quote", "fence", "target"),
        *("quote_before", "base_before", "created_at"),
    }


async def test_what_is_known_of_a_type_of_orders_is_of_one_key_and_one_pair(both: Database):
    async with both.writing() as session:
        before = await accounts.get(session, ME)
        mine = await accounts.store_key(
            session, before, sealed_key="s", key_tail="AAAA", key_print="p"
        )
        for answer in (Answer.YES, Answer.NO):
            await order_types.put(session, mine, OrderType.IOC, Capability(answer, START))
        other_key = await accounts.store_key(
            session, mine, sealed_key="s", key_tail="BBBB", key_print="q"
        )
        other_pair = await accounts.change(session, mine, symbol="MXUSDT")
        others = [other_key, other_pair, mine.with_money(dry_run=True)]

    async with both.reading() as session:
        known = await order_types.get(session, mine, OrderType.IOC)
        unknown = [await order_types.get(session, one, OrderType.IOC) for one in others]
        maker = await order_types.get(session, mine, OrderType.LIMIT_MAKER)
    assert known == Capability(Answer.NO, START)
    assert unknown == [UNKNOWN] * 3
    assert maker == UNKNOWN


async def test_the_wait_outside_the_band_begins_anew_with_another_wish(both: Database):
    async with both.writing() as session:
        account = await accounts.get(session, ME)
        await check_results.note_outside(session, account, START)
    async with both.writing() as session:
        noted = await accounts.get(session, ME)
        changed = await accounts.change(session, noted, target=FixedUsdt(D(50)))
        await check_results.note_outside(session, noted, START)  # by a check that began before

    assert (noted.outside_since, noted.version) == (START, account.version)
    assert changed.outside_since is None
    async with both.reading() as session:
        assert (await accounts.get(session, ME)).outside_since is None


async def test_an_order_nobody_wrote_down_is_not_there(lite: Database):
    async with lite.reading() as session:
        assert await stored(session, intent()) is None


async def test_the_same_decision_cannot_be_written_down_twice(both: Database):
    await put(both, intent())

    async with both.writing() as session:
        with pytest.raises(AlreadyIntended):
            await orders.add(session, replace(intent(), created_at=START + timedelta(hours=1)))
        await orders.add(session, intent(attempt=2))  # the transaction is still good


async def test_two_accounts_may_have_the_same_run(lite: Database):
    await put(lite, intent(), intent(account_id=YOU, client_order_id="bl-of-the-other"))

    async with lite.reading() as session:
        assert await orders.last_trade(session, ME) is None


async def test_the_database_itself_allows_one_unresolved_order_an_account(both: Database):
    for run, (first, second) in enumerate(product(UNRESOLVED, repeat=2)):
        one, two = numbered(2 * run, state=first), numbered(2 * run + 1, state=second)
        with pytest.raises(IntegrityError):
            async with both.writing() as session:
                session.add(OrderRow(**orders._columns(one)))
                await session.flush()
                session.add(OrderRow(**orders._columns(two)))
                await session.flush()


async def test_each_account_may_have_an_unresolved_order_beside_any_number_that_are_over(
    both: Database,
):
    over = [numbered(n, state=s) for n, s in enumerate(set(OrderState) - UNRESOLVED)]
    over_again = [numbered(n + 100, state=order.state) for n, order in enumerate(over)]
    mine, yours = numbered(200), numbered(201, account_id=YOU)
    await put(
        both,
        *over,
        *over_again,
        replace(mine, state=OrderState.UNKNOWN),
        replace(yours, state=OrderState.ACKED),
    )

    async with both.reading() as session:
        unresolved = await orders.unresolved_of(session, [ME, YOU])

    assert unresolved == {
        ME: replace(mine, state=OrderState.UNKNOWN),
        YOU: replace(yours, state=OrderState.ACKED),
    }


async def test_an_unresolved_order_is_found_without_reading_all_others(lite: Database):
    question = select(OrderRow.id).where(OrderRow.account_id == ME, orders.IS_UNRESOLVED)
    asked = question.compile(lite.engine.sync_engine, compile_kwargs={"literal_binds": True})

    async with lite.reading() as session:
        steps = await session.execute(text(f"EXPLAIN QUERY PLAN {asked}"))

    assert "uq_orders_one_unresolved" in str(steps.all())


async def test_a_step_records_what_was_learned(lite: Database):
    sending = intent(state=OrderState.SENDING, sent_at=START)
    await put(lite, sending)

    async with lite.writing() as session:
        acked = await orders.move(session, sending, OrderState.ACKED, exchange_order_id="C02__1")

    assert acked == replace(sending, state=OrderState.ACKED, exchange_order_id="C02__1")
    async with lite.reading() as session:
        assert await stored(session, acked) == acked


async def test_a_step_that_somebody_else_has_taken_is_not_taken_again(both: Database):
    sending = intent(state=OrderState.SENDING, sent_at=START)
    await put(both, sending)
    async with both.writing() as session:
        unknown = await orders.move(session, sending, OrderState.UNKNOWN, error="first")

    async with both.writing() as session:
        with pytest.raises(LeaseLost):
            await orders.move(session, sending, OrderState.ACKED, exchange_order_id="C02__1")

    async with both.reading() as session:
        assert await stored(session, sending) == unknown


NONSENSE = [
    (OrderState.PLANNED, OrderState.ACKED),
    (OrderState.UNKNOWN, OrderState.SENDING),
    (OrderState.FILLED, OrderState.UNKNOWN),
    (OrderState.ACKED, OrderState.NOT_EXECUTED),
    (OrderState.DROPPED, OrderState.SENDING),
]


async def test_an_order_takes_no_step_that_makes_no_sense(lite: Database):
    for before, after in NONSENSE:
        async with lite.writing() as session:
            with pytest.raises(ValueError, match="cannot go from"):
                await orders.move(session, intent(state=before), after)


async def test_learning_more_is_no_step(lite: Database):
    unknown = intent(state=OrderState.UNKNOWN, sent_at=START)
    await put(lite, unknown)

    async with lite.writing() as session:
        await orders.move(session, unknown, OrderState.UNKNOWN, misses=1, missed_at=START)

    async with lite.reading() as session:
        assert await stored(session, unknown) == replace(unknown, misses=1, missed_at=START)


async def test_only_what_was_never_sent_is_dropped(lite: Database):
    await put(
        lite,
        numbered(1),
        numbered(2, state=OrderState.SENDING),
        numbered(3, account_id=YOU),
    )

    async with lite.writing() as session:
        await orders.drop_planned(session, [ME], now=START)

    async with lite.reading() as session:
        dropped = await stored(session, numbered(1))
        assert dropped == numbered(1, state=OrderState.DROPPED, resolved_at=START)
        assert await stored(session, numbered(2)) == numbered(2, state=OrderState.SENDING)
        assert await stored(session, numbered(3)) == numbered(3, account_id=YOU)


async def test_the_last_fill_is_the_newest_order_with_one(both: Database):
    await put(
        both,
        numbered(1, state=OrderState.FILLED, execution=execution()),
        numbered(2, state=OrderState.PARTIAL, execution=execution()),
        numbered(3, state=OrderState.UNFILLED),
        numbered(4, state=OrderState.REJECTED),
        numbered(5, account_id=YOU, state=OrderState.UNFILLED),
    )

    async with both.reading() as session:
        fills = await orders.last_fills_of(session, [ME, YOU])

    assert {whose: fill.run_id for whose, fill in fills.items()} == {(ME, False): "run-2"}


async def test_the_history_is_newest_first_and_has_movements_between_the_trades(both: Database):
    moved = BalanceChange(
        at=START + timedelta(minutes=2, seconds=1),
        dry_run=False,
        asset=USDT,
        before=Decimal(40),
        after=Decimal(140),
    )
    filled = {"state": OrderState.FILLED, "execution": execution()}
    await put(
        both,
        *(numbered(n, created_at=START + timedelta(minutes=n), **filled) for n in range(4)),
        numbered(5, created_at=START + timedelta(minutes=9), state=OrderState.UNFILLED),
        numbered(6, account_id=YOU, created_at=START + timedelta(minutes=9), **filled),
    )
    async with both.writing() as session:
        await balance_changes.add(session, ME, moved)
        await balance_changes.add(session, YOU, moved)

    async with both.reading() as session:
        pages = [await history.page(session, ME, most=2, skip=skip) for skip in (0, 2, 4, 6)]

    told = [[e if isinstance(e, BalanceChange) else e.run_id for e in page] for page in pages]
    assert told == [["run-3", moved], ["run-2", "run-1"], ["run-0"], []]


async def test_refusals_are_counted_from_a_moment_on(lite: Database):
    refused = {"state": OrderState.REJECTED}
    await put(
        lite,
        numbered(1, resolved_at=START - timedelta(milliseconds=1), **refused),
        numbered(2, resolved_at=START, **refused),
        numbered(3, resolved_at=START + timedelta(hours=1), **refused),
        numbered(4, resolved_at=START, state=OrderState.UNFILLED),
        numbered(5, resolved_at=START, account_id=YOU, **refused),
    )

    async with lite.reading() as session:
        assert await orders.count_refused(session, ME, since=START) == 2
