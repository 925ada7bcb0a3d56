"""A person answers for an order that stays unclear, and is believed as far as the balances go."""

import asyncio
import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from engine.domain.accounts.account import Account
from engine.domain.market.pairs import Side
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import NEEDS_HUMAN_AFTER, Order, OrderState
from engine.domain.orders.settlement import Trace, trace
from engine.errors import BadCredentials, DecryptionFailed, OutcomeUnknown, Unavailable
from engine.exchanges.interface import Exchange
from engine.execution.manual_resolution import (
    AlreadyClear,
    KnownNow,
    LookupFailure,
    ManualResolution,
    ReportAccepted,
    ReportContradicted,
    StillUnclear,
)
from engine.storage.models.accounts import AuditRow
from engine.storage.models.coordination import LeaseRow
from engine.storage.trading import orders
from tests import builders
from tests.engine.harness import CHAT, Engine
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange
from tests.fakes.tasks import a_moment

D = Decimal
PERSON, OTHER_CHAT = 4242, 2002
REFUSED = BadCredentials(code=10072, message="Api key info invalid")
FOREVER = 10_000


async def after_a_quarter_of_an_hour(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, *, executes: bool
) -> Account:
    """An order left, no answer came, and for 15 minutes MEXC told nobody what became of it."""
    exchange.go_wrong("place", OutcomeUnknown("ReadTimeout"), executes=executes)
    account = await engine.open_account()
    await engine.check(account)
    exchange.hidden_lookups = exchange.hidden_in_history = FOREVER
    exchange.go_wrong("order", Unavailable("away"))
    clock.shift(NEEDS_HUMAN_AFTER)
    await engine.check(account)
    await sleep_on(engine)
    return account


async def sleep_on(engine: Engine) -> None:
    """Nobody has called for the account's owner."""
    async with engine.database.writing() as session:
        await session.execute(
            update(LeaseRow).values(woken=False).execution_options(synchronize_session=False)
        )


async def is_woken(engine: Engine) -> bool:
    async with engine.database.reading() as session:
        return bool(await session.scalar(select(LeaseRow.woken)))


def a_clarifier(engine: Engine) -> ManualResolution:
    return ManualResolution(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda account: engine.exchanges[account.chat_id],
    )


async def the_order(engine: Engine) -> Order:
    [order] = await engine.intents()
    return order


async def claim(engine: Engine, *, filled: bool, chat_id: int = CHAT):
    order = (await engine.intents())[0]
    return await a_clarifier(engine).claim(chat_id, PERSON, order.client_order_id, filled=filled)


async def look_again(engine: Engine):
    order = await the_order(engine)
    return await a_clarifier(engine).look_again(CHAT, order.client_order_id)


async def audit(engine: Engine) -> list[AuditRow]:
    async with engine.database.reading() as session:
        return list(await session.scalars(select(AuditRow).order_by(AuditRow.id)))


async def test_a_fill_that_the_balances_show_is_believed_and_trading_goes_on(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)

    answer = await claim(engine, filled=True)

    assert isinstance(answer, ReportAccepted)
    assert (answer.filled, answer.account.settings.paused) == (True, False)
    order = await the_order(engine)
    assert (order.state, order.resolved_at) == (OrderState.SET_ASIDE, clock.now())
    assert order.execution.base_quantity == 0  # nobody knows the amounts
    assert await is_woken(engine)
    await engine.until_quiet(account)
    assert exchange.calls["place"] == 1  # the balance was on target already


async def test_an_order_that_left_no_trace_is_believed_not_to_be_filled_and_is_planned_anew(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_quarter_of_an_hour(engine, exchange, clock, executes=False)

    answer = await claim(engine, filled=False)

    assert isinstance(answer, ReportAccepted)
    assert (await the_order(engine)).state is OrderState.NOT_EXECUTED
    assert await is_woken(engine)
    exchange.hidden_lookups = 0
    await engine.lease_runs_out(within=engine.timing.lease)
    await engine.until_quiet(account)
    assert [o.state for o in await engine.intents()] == [
        OrderState.NOT_EXECUTED,
        OrderState.FILLED,
    ]


async def test_an_order_the_exchange_once_took_did_arrive_and_filled_nothing(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=False)
    async with engine.database.writing() as session:
        order = await the_order(engine)
        await orders.move(session, order, order.state, exchange_order_id="E1")

    await claim(engine, filled=False)

    order = await the_order(engine)
    assert (order.state, order.end_reason) == (OrderState.UNFILLED, EndReason.ELSEWHERE)


@pytest.mark.parametrize(("filled", "executes"), [(True, False), (False, True)])
async def test_a_claim_that_the_balances_contradict_changes_nothing(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, filled: bool, executes: bool
):
    account = await after_a_quarter_of_an_hour(engine, exchange, clock, executes=executes)

    answer = await claim(engine, filled=filled)

    assert isinstance(answer, ReportContradicted)
    assert (answer.filled, answer.silence) == (filled, LookupFailure.NOT_KNOWN)
    assert answer.seen is not None
    assert trace(answer.seen, answer.order) is (Trace.NONE if filled else Trace.FILLED)
    assert (await the_order(engine)).state is OrderState.NEEDS_HUMAN
    assert not await is_woken(engine)
    assert (await engine.account(account)) == account


@pytest.mark.parametrize("filled", [True, False])
@pytest.mark.parametrize("error", [Unavailable("away"), REFUSED])
async def test_balances_that_cannot_be_read_bear_out_nothing(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, filled: bool, error: Exception
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=filled)
    exchange.go_wrong("holdings", error)

    answer = await claim(engine, filled=filled)

    assert isinstance(answer, ReportContradicted)
    assert answer.seen is None
    assert (await the_order(engine)).state is OrderState.NEEDS_HUMAN


@pytest.mark.parametrize("filled", [True, False])
async def test_what_the_exchange_knows_counts_whatever_the_person_says(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, filled: bool
):
    account = await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    exchange.hidden_in_history = 0

    answer = await claim(engine, filled=filled)

    assert isinstance(answer, KnownNow)
    assert answer.is_final
    assert (await the_order(engine)).state is OrderState.NEEDS_HUMAN  # its owner books it
    assert await is_woken(engine)
    exchange.hidden_lookups = 0
    await engine.check(account)
    assert (await the_order(engine)).state is OrderState.FILLED


async def test_an_order_still_open_at_the_exchange_is_left_to_it(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    exchange.hidden_lookups, exchange.open_lookups = 0, 1

    answer = await look_again(engine)

    assert isinstance(answer, KnownNow)
    assert not answer.is_final


@pytest.mark.parametrize(
    ("error", "silence"),
    [
        (None, LookupFailure.NOT_KNOWN),
        (Unavailable("away"), LookupFailure.NO_ANSWER),
        (REFUSED, LookupFailure.NOT_ALLOWED),
    ],
)
async def test_another_look_tells_why_there_is_no_news(
    engine: Engine,
    exchange: FakeExchange,
    clock: FakeClock,
    error: Exception | None,
    silence: LookupFailure,
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    if error is not None:
        exchange.go_wrong("order", error)

    answer = await look_again(engine)

    assert answer == StillUnclear(await the_order(engine), silence)
    assert not await is_woken(engine)
    assert await audit(engine) == []


async def test_another_look_that_finds_the_order_calls_for_the_accounts_owner(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    exchange.hidden_lookups = 0

    answer = await look_again(engine)

    assert isinstance(answer, KnownNow)
    assert await is_woken(engine)


async def test_a_silent_exchange_is_not_waited_for_longer_than_a_person_waits(
    engine: Engine,
    exchange: FakeExchange,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("engine.execution.manual_resolution._PATIENCE_S", 0.01)
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    never = asyncio.Event()
    for call in ("order", "holdings"):
        exchange.meanwhile(call, lambda: wait_for(never))

    answer = await claim(engine, filled=True)

    assert isinstance(answer, ReportContradicted)
    assert (answer.silence, answer.seen) == (LookupFailure.NO_ANSWER, None)


async def wait_for(event: asyncio.Event) -> None:
    await event.wait()


async def test_a_key_that_cannot_be_opened_asks_nobody_and_says_so(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    order = await the_order(engine)
    asked = exchange.calls.total()

    def sealed_shut(_: Account) -> Exchange:
        raise DecryptionFailed("none of our keys opens it")

    clarifier = ManualResolution(database=engine.database, clock=clock, exchange_for=sealed_shut)
    looked = await clarifier.look_again(CHAT, order.client_order_id)
    claimed = await clarifier.claim(CHAT, PERSON, order.client_order_id, filled=True)

    assert looked == StillUnclear(order, LookupFailure.NOT_ALLOWED)
    assert claimed == ReportContradicted(
        order, filled=True, silence=LookupFailure.NOT_ALLOWED, seen=None
    )
    assert exchange.calls.total() == asked


async def test_the_order_is_looked_for_where_it_went_even_if_the_account_is_on_paper_by_now(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    await engine.change(account, dry_run=True)
    asked: list[bool] = []

    def exchange_for(account: Account) -> Exchange:
        asked.append(account.settings.dry_run)
        return exchange

    clarifier = ManualResolution(database=engine.database, clock=clock, exchange_for=exchange_for)
    await clarifier.look_again(CHAT, (await the_order(engine)).client_order_id)

    assert asked == [False]


async def test_a_second_tap_finds_the_order_closed_and_asks_nobody(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    await claim(engine, filled=True)
    asked = exchange.calls.total()

    again = await claim(engine, filled=False)

    assert again == AlreadyClear(await the_order(engine))
    assert await look_again(engine) == again
    assert (await the_order(engine)).state is OrderState.SET_ASIDE
    assert exchange.calls.total() == asked
    assert len(await audit(engine)) == 1


async def test_an_order_of_another_chat_is_none_of_this_chats_business(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    nobody = await claim(engine, filled=True, chat_id=OTHER_CHAT)
    await engine.open_account(OTHER_CHAT)

    stranger = await claim(engine, filled=True, chat_id=OTHER_CHAT)

    assert nobody == stranger == AlreadyClear(None)
    assert await a_clarifier(engine).look_again(CHAT, "bl-unknown") == AlreadyClear(None)
    assert (await the_order(engine)).state is OrderState.NEEDS_HUMAN
    assert await audit(engine) == []


async def test_an_order_resolved_while_the_person_was_being_checked_stays_as_it_was_resolved(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)

    async def owner_finds_it() -> None:
        exchange.hidden_lookups = 0
        await engine.check(account)
        exchange.hidden_lookups = FOREVER

    exchange.meanwhile("holdings", owner_finds_it)
    answer = await claim(engine, filled=True)

    order = await the_order(engine)
    assert order.state is OrderState.FILLED
    assert answer == AlreadyClear(order)
    assert await audit(engine) == []


async def test_what_was_learned_meanwhile_is_kept(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=False)

    async def owner_hears_of_it() -> None:
        async with engine.database.writing() as session:
            order = await the_order(engine)
            await orders.move(session, order, order.state, exchange_order_id="E1")

    exchange.meanwhile("holdings", owner_hears_of_it)
    await claim(engine, filled=False)

    order = await the_order(engine)
    assert (order.state, order.exchange_order_id) == (OrderState.UNFILLED, "E1")


async def test_of_two_claims_at_once_only_one_closes_the_order(
    engine_on_both: Engine, exchange: FakeExchange, clock: FakeClock
):
    engine = engine_on_both
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    both_read = asyncio.Barrier(2)

    async def together() -> None:
        await both_read.wait()

    for _ in range(2):
        exchange.meanwhile("holdings", together)
    async with asyncio.TaskGroup() as people:
        claims = [people.create_task(claim(engine, filled=True)) for _ in range(2)]

    kinds = sorted(type(claim.result()).__name__ for claim in claims)
    assert kinds == ["AlreadyClear", "ReportAccepted"]
    assert len(await audit(engine)) == 1


async def test_a_claim_waits_for_the_owners_step_and_then_leaves_the_order_alone(
    engine_on_both: Engine, exchange: FakeExchange, clock: FakeClock
):
    """On PostgreSQL both transactions run at once, and the row decides."""
    engine = engine_on_both
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=False)
    order = await the_order(engine)
    async with asyncio.TaskGroup() as race:
        async with engine.database.writing() as session:
            await orders.move(session, order, OrderState.NOT_EXECUTED, resolved_at=clock.now())
            claiming = race.create_task(claim(engine, filled=False))
            while not exchange.calls["holdings"]:
                await a_moment()
            await a_moment()
        result = await claiming

    assert isinstance(result, AlreadyClear)
    assert result.order is not None
    assert result.order.state is OrderState.NOT_EXECUTED
    assert await audit(engine) == []


async def test_a_person_who_insists_puts_the_order_aside_and_trading_is_paused(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=False)
    order = await the_order(engine)

    account = await a_clarifier(engine).set_aside(CHAT, PERSON, order.client_order_id)

    assert isinstance(account, Account)
    assert account.settings.paused
    assert (await the_order(engine)).state is OrderState.SET_ASIDE
    again = await a_clarifier(engine).set_aside(CHAT, PERSON, order.client_order_id)
    assert again == AlreadyClear(await the_order(engine))


async def test_every_answer_that_counts_or_is_doubted_stands_in_the_audit(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    order = await the_order(engine)
    await claim(engine, filled=False)
    exchange.go_wrong("holdings", Unavailable("away"))
    await claim(engine, filled=True)
    await claim(engine, filled=True)

    trail = await audit(engine)
    assert {(row.chat_id, row.user_id, row.action, row.subject) for row in trail} == {
        (CHAT, PERSON, "order_claimed", order.client_order_id)
    }
    numbers = "MNTL: 100000 -> 108550; USDT: 57.1 -> 39.99145"
    assert [row.detail for row in trail] == [
        f"said: not filled; exchange: not known; {numbers}; did: nothing",
        "said: filled; exchange: not known; balances: not read; did: nothing",
        f"said: filled; exchange: not known; {numbers}; did: set_aside",
    ]
    assert [row.at for row in trail] == [clock.now()] * 3
    told = [r for r in caplog.records if r.name == "engine.execution.manual_resolution"]
    assert [record.message for record in told] == ["order_claimed"] * 3


async def test_insisting_and_the_exchanges_own_word_stand_in_the_audit_too(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=True)
    order = await the_order(engine)
    exchange.hidden_in_history = 0
    await claim(engine, filled=False)
    await a_clarifier(engine).set_aside(CHAT, PERSON, order.client_order_id)

    known, insisted = await audit(engine)
    assert known.detail.startswith("said: not filled; exchange: known; ")
    assert known.detail.endswith("did: left to it")
    assert (insisted.action, insisted.user_id) == ("order_set_aside", PERSON)
    assert insisted.detail.endswith("did: set_aside, paused")


@pytest.mark.parametrize(("filled", "state"), [(True, "SET_ASIDE"), (False, "NOT_EXECUTED")])
async def test_a_sell_is_judged_the_other_way_round(
    sqlite, clock: FakeClock, filled: bool, state: str
):
    exchange = FakeExchange(clock, usdt="22.90", mntl=100_000)
    engine = Engine(sqlite, clock, exchange)
    await after_a_quarter_of_an_hour(engine, exchange, clock, executes=filled)

    answer = await claim(engine, filled=filled)

    assert isinstance(answer, ReportAccepted)
    assert answer.order.side is Side.SELL
    assert answer.order.state is OrderState[state]


async def test_an_order_that_needs_nobody_yet_is_not_closed_by_a_person(
    engine: Engine, exchange: FakeExchange
):
    await engine.open_account()
    async with engine.database.writing() as session:
        await orders.add(session, builders.intent(state=OrderState.UNKNOWN))

    answer = await claim(engine, filled=True)

    assert answer == AlreadyClear(await the_order(engine))
    assert not exchange.calls


async def test_a_claim_about_an_order_under_an_unknown_status_is_compared_with_the_balances(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    exchange.odd_status, exchange.late_fills = "EXPIRED", FOREVER
    account = await engine.open_account()
    for _ in range(12):
        await engine.check(account)
        clock.shift(NEEDS_HUMAN_AFTER / 100)
    [intent] = await engine.intents()
    clarifier = ManualResolution(
        database=engine.database, clock=clock, exchange_for=lambda _: exchange
    )

    again = await clarifier.look_again(CHAT, intent.client_order_id)
    doubted = await clarifier.claim(CHAT, PERSON, intent.client_order_id, filled=False)
    believed = await clarifier.claim(CHAT, PERSON, intent.client_order_id, filled=True)

    assert again == StillUnclear(intent, LookupFailure.UNKNOWN_STATUS)
    assert isinstance(doubted, ReportContradicted)
    assert isinstance(believed, ReportAccepted)


async def test_a_token_that_may_still_lag_bears_out_nothing_whatever_the_hosts_clock_says(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    exchange.odd_status, exchange.late_fills = "EXPIRED", FOREVER
    exchange.offset = -timedelta(hours=1)
    account = await engine.open_account()
    for _ in range(12):
        await engine.check(account)
        clock.shift(NEEDS_HUMAN_AFTER / 100)
    [intent] = await engine.intents()
    exchange.mntl = intent.base_before
    clarifier = ManualResolution(
        database=engine.database, clock=clock, exchange_for=lambda _: exchange
    )

    answered = await clarifier.claim(CHAT, PERSON, intent.client_order_id, filled=False)

    assert intent.state is OrderState.NEEDS_HUMAN
    assert isinstance(answered, ReportContradicted)
