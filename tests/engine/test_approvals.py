"""A chat that is asked first, or only told: no order without a person, and never a flood."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.accounts.account_service import AccountService
from engine.accounts.trading_mode import TradingModes
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Refusal, RefusalReason
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import DriftNoticed, PlanOffered, RunDeclined, TradeSettled
from engine.domain.market.pairs import Side
from engine.domain.orders.order import OrderState, Trigger
from engine.domain.rebalancing.check_result import AwaitingApproval, NoTrade
from engine.domain.rebalancing.planner import OverLimit
from engine.domain.rebalancing.run_request import RunRequest
from engine.domain.targets.target import FixedUsdt
from engine.errors import BadCredentials, ClockRefused
from engine.storage.database import Database
from engine.storage.models.accounts import AuditRow
from engine.storage.models.chat import ConfirmationRow
from engine.storage.trading import orders
from tests import builders
from tests.engine.harness import CHAT, Crash, Engine, Fuse
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
ANYBODY, SOMEBODY_ELSE = 7, 8
INTERVAL = timedelta(seconds=120)


async def opened(engine: Engine, autonomy: TradingMode = TradingMode.ASK) -> Account:
    account = await engine.open_account()
    return await engine.change(account, autonomy=autonomy)


async def tap(
    engine: Engine, offered: PlanOffered, user_id: int = ANYBODY
) -> RunRequest | Refusal:
    """As the bot does it when somebody taps Trade."""
    people = AccountService.__new__(AccountService)
    people._database, people._clock = engine.database, engine.clock
    return await people.confirm_run(offered.confirmation_id, chat_id=CHAT, user_id=user_id)


def modes(engine: Engine) -> TradingModes:
    return TradingModes(database=engine.database, clock=engine.clock)


async def card(engine: Engine) -> PlanOffered:
    return (await engine.alerts_of(PlanOffered))[-1]


async def rows(engine: Engine, table: type) -> int:
    async with engine.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_a_drift_is_offered_and_not_traded(engine: Engine, exchange: FakeExchange):
    account = await opened(engine)

    checked = await engine.check(account)

    assert checked.look.verdict == AwaitingApproval(Side.BUY, D("16.292142"), TradingMode.ASK)
    assert exchange.calls["place"] == 0
    assert await engine.intents() == []
    [offered] = await engine.alerts()
    assert isinstance(offered, PlanOffered)
    assert offered.drift == DriftNoticed(
        asked_quote=D("17.10"),
        held_after=D("40.799711929"),
        dry_run=False,
        symbol=builders.MNTLUSDT,
        side=Side.BUY,
        expected_quote=D("16.292142"),
        expected_base=offered.drift.expected_base,
        held=D("57.10"),
        target=D(40),
        band=account.settings.fixed_goal.band,
    )


async def test_a_tap_of_anybody_who_may_trade_prices_it_anew_and_trades_it_once(
    engine: Engine, exchange: FakeExchange
):
    account = await opened(engine)
    await engine.check(account)
    offered = await card(engine)
    exchange.usdt = D("57.30")

    first = await tap(engine, offered)
    second = await tap(engine, offered, SOMEBODY_ELSE)
    await engine.check(account)
    await engine.wait(INTERVAL)
    await engine.check(account)

    assert isinstance(first, RunRequest)
    assert isinstance(second, Refusal)
    assert second.why is RefusalReason.USED
    assert exchange.calls["place"] == 1
    [intent] = await engine.intents()
    assert (intent.run_id, intent.trigger) == (offered.confirmation_id, Trigger.PERSON)
    assert intent.quote_amount == D("17.30")
    assert await engine.told() == ["PlanOffered", "BalanceChanged", "TradeSettled"]
    async with engine.database.reading() as session:
        [line] = (await session.scalars(select(AuditRow))).all()
    assert (line.user_id, line.action, line.detail) == (ANYBODY, "trade", "buy 17.1 USDT")


async def test_a_plan_that_moved_away_is_declined_and_offered_anew(
    engine: Engine, exchange: FakeExchange
):
    account = await opened(engine)
    await engine.check(account)
    await tap(engine, await card(engine))
    exchange.usdt = D(80)

    await engine.check(account)
    await engine.wait(INTERVAL)
    await engine.check(account)

    assert exchange.calls["place"] == 0
    assert await engine.told() == ["PlanOffered", "BalanceChanged", "RunDeclined", "PlanOffered"]
    assert (await card(engine)).drift.asked_quote == D(40)


async def test_the_same_drift_is_one_card_and_it_works_as_long_as_the_checks_go_on(
    engine: Engine, exchange: FakeExchange
):
    account = await opened(engine)
    for _ in range(20):
        await engine.check(account)
        await engine.wait(INTERVAL)

    assert await engine.told() == ["PlanOffered"]
    assert isinstance(await tap(engine, await card(engine)), RunRequest)


async def test_a_card_that_no_check_has_confirmed_is_too_old(engine: Engine):
    account = await opened(engine)
    await engine.check(account)
    await engine.wait(INTERVAL + timedelta(seconds=91))

    late = await tap(engine, await card(engine))
    await engine.check(account)

    assert isinstance(late, Refusal)
    assert late.why is RefusalReason.EXPIRED
    assert await engine.told() == ["PlanOffered", "PlanOffered"]


async def test_only_the_newest_card_works(engine: Engine, exchange: FakeExchange):
    account = await opened(engine)
    await engine.check(account)
    old = await card(engine)
    exchange.usdt = D(80)
    await engine.wait(INTERVAL)
    await engine.check(account)

    refused = await tap(engine, old)

    assert isinstance(refused, Refusal)
    assert refused.why is RefusalReason.EXPIRED
    assert isinstance(await tap(engine, await card(engine)), RunRequest)


async def test_a_change_of_the_account_makes_the_card_worthless(engine: Engine):
    account = await opened(engine)
    await engine.check(account)
    account = await engine.change(account, target=FixedUsdt(D(30)))

    refused = await tap(engine, await card(engine))

    assert isinstance(refused, Refusal)
    assert refused.why is RefusalReason.OUTDATED
    assert await engine.pending_taps() == []


async def test_back_in_its_band_the_drift_is_over_and_so_is_its_card(
    engine: Engine, exchange: FakeExchange
):
    account = await opened(engine)
    await engine.check(account)
    offered = await card(engine)
    exchange.usdt = D(40)
    await engine.check(account)
    calls, written = exchange.calls.copy(), await everything(engine)

    await engine.check(account)

    assert exchange.calls - calls == {"holdings": 1}
    assert await everything(engine) == written
    refused = await tap(engine, offered)
    assert isinstance(refused, Refusal)
    assert refused.why is RefusalReason.EXPIRED


async def everything(engine: Engine) -> str:
    """All rows that a check could write."""
    async with engine.database.reading() as session:
        found = []
        for table in ("notes", "looks", "orders", "outbox", "confirmations", "troubles"):
            rows = await session.execute(select(func.count()).select_from(_table(table)))
            content = await session.execute(select(_table(table)))
            found.append([table, rows.scalar(), [str(row) for row in content]])
    return json.dumps(found)


def _table(name: str):
    return ConfirmationRow.metadata.tables[name]


async def test_a_skipped_drift_is_not_offered_until_it_changes(
    engine: Engine, exchange: FakeExchange
):
    account = await opened(engine)
    await engine.check(account)
    assert (
        await modes(engine).skip((await card(engine)).confirmation_id, account, user_id=ANYBODY)
        is None
    )

    for _ in range(10):
        await engine.wait(INTERVAL)
        await engine.check(account)
    same = len(await engine.alerts())
    exchange.usdt = D(70)
    await engine.check(account)

    assert same == 1
    assert await engine.told() == ["PlanOffered", "BalanceChanged", "PlanOffered"]
    assert exchange.calls["place"] == 0


async def test_not_for_an_hour_is_an_hour_whatever_the_balance_does(
    engine: Engine, exchange: FakeExchange
):
    account = await opened(engine)
    await engine.check(account)
    offered = await card(engine)
    assert (
        await modes(engine).skip(
            offered.confirmation_id, account, user_id=ANYBODY, everything=True
        )
        is None
    )
    exchange.usdt = D(90)

    await engine.wait(timedelta(minutes=59))
    await engine.check(account)
    early = len(await engine.alerts_of(PlanOffered))
    await engine.wait(timedelta(minutes=1))
    await engine.check(account)

    assert (early, len(await engine.alerts_of(PlanOffered))) == (1, 2)
    again = await modes(engine).skip(
        offered.confirmation_id, account, user_id=ANYBODY, everything=True
    )
    assert isinstance(again, Refusal)
    assert again.why is RefusalReason.USED


async def test_choosing_the_mode_anew_asks_at_once(engine: Engine):
    account = await opened(engine)
    await engine.check(account)
    await modes(engine).skip(
        (await card(engine)).confirmation_id, account, user_id=ANYBODY, everything=True
    )

    await modes(engine).change(account, TradingMode.ASK, user_id=ANYBODY)
    await engine.check(await engine.account(account))

    assert await engine.told() == ["PlanOffered", "PlanOffered"]


async def test_one_who_is_only_told_is_told_once(engine: Engine, exchange: FakeExchange):
    account = await opened(engine, TradingMode.NOTIFY)
    for _ in range(10):
        await engine.check(account)
        await engine.wait(INTERVAL)

    assert await engine.told() == ["DriftNoticed"]
    assert exchange.calls["place"] == 0
    assert await rows(engine, ConfirmationRow) == 0


async def test_a_plan_over_a_limit_is_not_offered(engine: Engine, exchange: FakeExchange):
    exchange.usdt = D(5000)
    account = await opened(engine)

    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, NoTrade)
    assert isinstance(checked.look.verdict.reason, OverLimit)
    assert await engine.told() == ["IncidentAlert"]


async def test_nothing_is_offered_with_a_key_that_is_refused(
    engine: Engine, exchange: FakeExchange
):
    account = await opened(engine)
    exchange.go_wrong("holdings", BadCredentials(code=10072, message="no"))

    await engine.check(account)

    assert await engine.told() == ["IncidentAlert"]
    trouble = await engine.trouble(account)
    assert trouble is not None
    assert trouble.kind is IncidentKind.KEY_REFUSED


@pytest.mark.parametrize("wish", [{"paused": True}, {"autonomy": TradingMode.NOTIFY}])
async def test_what_a_person_does_while_the_plan_is_made_comes_first(
    engine: Engine, exchange: FakeExchange, wish: dict[str, Any]
):
    account = await opened(engine)

    async def meanwhile() -> None:
        await engine.change(account, **wish)

    exchange.meanwhile("book", meanwhile)
    checked = await engine.check(account)

    assert await engine.alerts() == []
    assert checked.again_in == timedelta(seconds=1)


async def test_a_tap_that_comes_while_the_next_check_plans_is_not_asked_about_again(
    engine: Engine, exchange: FakeExchange
):
    account = await opened(engine)
    await engine.check(account)
    offered = await card(engine)
    await engine.wait(INTERVAL)

    async def meanwhile() -> None:
        await tap(engine, offered)

    exchange.meanwhile("book", meanwhile)
    await engine.check(account)
    await engine.check(account)

    assert await engine.told() == ["PlanOffered", "TradeSettled"]


async def test_another_process_that_lost_the_account_offers_nothing(engine: Engine):
    account = await opened(engine)
    await engine.lease_runs_out()

    await engine.check(account)

    assert await engine.alerts() == []


@pytest.mark.parametrize("autonomy", [TradingMode.ASK, TradingMode.NOTIFY])
async def test_the_last_gate_itself_refuses_what_no_person_asked_for(
    engine_on_both: Engine, autonomy: TradingMode
):
    engine = engine_on_both
    account = await opened(engine, autonomy)
    fence = engine.fences[account.id]
    for trigger in Trigger:
        intent = builders.intent(
            account_id=account.id,
            fence=fence,
            trigger=trigger,
            run_id=f"run-{trigger.value}",
            client_order_id=f"bl-{trigger.value}",
            created_at=engine.clock.now(),
        )
        async with engine.database.writing() as session:
            await orders.add(session, intent)
            await orders.hold_account(session, account.id)
            sending = await orders.start_sending(
                session,
                intent,
                now=engine.database.now(),
                owner=engine.owner,
                margin=engine.timing.send_margin,
                account=account,
                sent_at=engine.clock.now(),
            )
        assert sending is None


async def test_an_order_planned_before_the_mode_was_changed_does_not_leave(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()

    async def meanwhile() -> None:
        await modes(engine).change(account, TradingMode.ASK, user_id=ANYBODY)

    exchange.meanwhile("book", meanwhile)
    await engine.check(account)

    assert exchange.calls["place"] == 0
    [intent] = await engine.intents()
    assert intent.state is OrderState.DROPPED


async def test_a_tap_is_sent_again_after_the_clock_was_set_right(
    engine: Engine, exchange: FakeExchange
):
    account = await opened(engine)
    await engine.check(account)
    await tap(engine, await card(engine))
    exchange.go_wrong("place", ClockRefused(code=700003, message="no"))

    await engine.check(account)

    assert [intent.state for intent in await engine.intents()] == [
        OrderState.DROPPED,
        OrderState.FILLED,
    ]
    assert len(await engine.alerts_of(TradeSettled)) == 1


STEPS = ("write begins 2", "commit 2", "committed 2")  # the first is of what is held


@pytest.mark.parametrize("dies_at", STEPS)
async def test_killed_around_the_offer_the_card_comes_once_and_two_taps_are_one_order(
    sqlite: Database, clock: FakeClock, dies_at: str
):
    fuse = Fuse(dies_at)
    exchange = FakeExchange(clock, usdt="57.10", on_step=fuse)
    first = Engine(sqlite, clock, exchange, on_step=fuse)
    account = await first.open_account(autonomy=TradingMode.ASK)
    with pytest.raises((Crash, BaseExceptionGroup)):
        await first.check(account)
    exchange.hear_steps()
    second = Engine(sqlite, clock, exchange, owner="next-life")
    await second.lease_runs_out()
    await second.claim()
    await second.check(account)

    [offered] = await second.alerts_of(PlanOffered)
    await tap(second, offered)
    await tap(second, offered)
    await second.check(account)

    assert len(exchange.ledger) == 1
    assert len(await second.alerts_of(TradeSettled)) == 1
    assert await second.alerts_of(RunDeclined) == []
