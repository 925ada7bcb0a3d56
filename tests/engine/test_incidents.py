"""Trouble: told once, counted, told when it is over; and when it stops trading."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.views.alerts.alerts import alert_view
from engine.domain.accounts.incidents import PAUSING, Incident, IncidentKind
from engine.domain.alerts.alerts import IncidentAlert, IncidentResolved
from engine.domain.orders.order import OrderState, Trigger
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.targets.target import FixedUsdt
from engine.errors import (
    AccountRestricted,
    AddressRefused,
    BadCredentials,
    BadData,
    BelowMinimum,
    ClockRefused,
    DecryptionFailed,
    EngineError,
    InsufficientBalance,
    MissingPermission,
    NoCounterpart,
    OrderNotFound,
    OutcomeUnknown,
    PairUnavailable,
    PriceOutOfRange,
    RateLimited,
    Rejected,
    TooPowerful,
    Unavailable,
)
from engine.notifications import incidents
from tests import builders
from tests.engine.harness import Engine
from tests.fakes.clock import START
from tests.fakes.exchange import FakeExchange

D = Decimal
MINUTE = timedelta(minutes=1)


def rejected(leaf: type[Rejected]) -> Rejected:
    return leaf(code=1, message="no")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Unavailable("x"), IncidentKind.UNREACHABLE),
        (OrderNotFound("x"), IncidentKind.UNREACHABLE),
        (RateLimited("x", retry_after=1), IncidentKind.RATE_LIMITED),
        (BadData("x"), IncidentKind.BAD_DATA),
        (rejected(BadCredentials), IncidentKind.KEY_REFUSED),
        (rejected(AddressRefused), IncidentKind.ADDRESS_REFUSED),
        (rejected(MissingPermission), IncidentKind.MISSING_PERMISSION),
        (rejected(AccountRestricted), IncidentKind.ACCOUNT_RESTRICTED),
        (rejected(PairUnavailable), IncidentKind.PAIR_UNAVAILABLE),
        (rejected(ClockRefused), IncidentKind.CLOCK),
        (rejected(InsufficientBalance), IncidentKind.ORDER_REFUSED),
        (rejected(BelowMinimum), IncidentKind.ORDER_REFUSED),
        (rejected(NoCounterpart), IncidentKind.ORDER_REFUSED),
        (rejected(PriceOutOfRange), IncidentKind.ORDER_REFUSED),
        (rejected(TooPowerful), IncidentKind.ORDER_REFUSED),
        (rejected(Rejected), IncidentKind.ORDER_REFUSED),
        (DecryptionFailed("x"), IncidentKind.KEY_UNREADABLE),
        (OutcomeUnknown("x"), IncidentKind.INTERNAL),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, EngineError) else "",
)
def test_each_error_is_one_kind_of_trouble(error: EngineError, kind: IncidentKind):
    assert incidents.kind_of(error) is kind


@pytest.mark.parametrize(
    "leaf", [BadCredentials, AddressRefused, MissingPermission, AccountRestricted]
)
@pytest.mark.parametrize("call", ["holdings", "place"])
async def test_what_only_the_person_can_mend_pauses_trading_and_says_so(
    engine: Engine, exchange: FakeExchange, leaf: type[Rejected], call: str
):
    exchange.go_wrong(call, rejected(leaf))
    account = await engine.open_account()

    await engine.check(account)

    assert (await engine.account(account)).settings.paused
    [told] = await engine.alerts_of(IncidentAlert)
    assert told.kind in PAUSING
    assert (told.paused, told.detail) == (True, "no")


async def test_the_third_refusal_of_an_order_pauses(engine: Engine, exchange: FakeExchange):
    exchange.go_wrong("place", rejected(InsufficientBalance), times=9)
    account = await engine.open_account()
    paused = []
    for _ in range(3):
        await engine.check(account)
        paused.append((await engine.account(account)).settings.paused)
        await engine.wait(MINUTE)

    assert paused == [False, False, True]
    first, last = await engine.alerts_of(IncidentAlert)
    assert (first.paused, first.count) == (False, 1)
    assert (last.paused, last.count) == (True, 3)
    assert set(exchange.posts.values()) == {1}


async def test_refusals_with_a_fill_in_between_do_not_add_up(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    for _ in range(4):
        exchange.go_wrong("place", rejected(InsufficientBalance), times=2)
        exchange.usdt += 20
        await engine.until_quiet(account)

    assert not (await engine.account(account)).settings.paused


async def test_one_refusal_after_a_long_outage_does_not_pause(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("holdings", Unavailable("away"), times=10)
    account = await engine.open_account()
    for _ in range(10):
        await engine.check(account)
        await engine.wait(MINUTE)
    exchange.go_wrong("place", rejected(InsufficientBalance))

    await engine.check(account)

    trouble = await engine.trouble(account)
    assert trouble is not None
    assert (trouble.kind, trouble.count) == (IncidentKind.ORDER_REFUSED, 11)
    assert not (await engine.account(account)).settings.paused


async def test_a_pause_by_the_engine_leaves_what_the_person_has_set_meanwhile(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()

    async def a_new_target() -> None:
        await engine.change(account, target=FixedUsdt(D(60)), interval=timedelta(seconds=300))

    exchange.meanwhile("holdings", a_new_target)
    exchange.go_wrong("holdings", rejected(BadCredentials))

    await engine.check(account)

    settings = (await engine.account(account)).settings
    assert settings == replace(
        account.settings, target=FixedUsdt(D(60)), interval=timedelta(seconds=300), paused=True
    )


async def test_an_hour_of_outage_with_all_its_faces_is_four_messages_at_most(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    faces = [Unavailable("timeout"), BadData("html"), RateLimited("429", retry_after=60)]
    for minute in range(61):
        exchange.go_wrong("holdings", faces[minute % 3])
        await engine.check(account)
        await engine.wait(MINUTE)

    await engine.until_quiet(account)
    await engine.wait(timedelta(minutes=5))
    await engine.check(account)

    told = [alert for alert in await engine.alerts() if isinstance(alert, IncidentAlert)]
    [over] = await engine.alerts_of(IncidentResolved)
    assert [alert.count for alert in told] == [1, 16, 61]
    assert over.count == 61
    assert over.since == told[0].since == START


async def test_a_blocked_drift_that_comes_and_goes_is_one_episode(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    for _ in range(6):
        exchange.paper_market.asks = []
        exchange.usdt = D("57.10")
        await engine.check(account)
        exchange.usdt = D(40)
        await engine.wait(MINUTE)
        await engine.check(account)
        await engine.wait(MINUTE)

    assert len(await engine.alerts_of(IncidentAlert)) == 1

    await engine.wait(timedelta(hours=6))
    await engine.check(account)

    assert await engine.trouble(account) is None
    assert len(await engine.alerts_of(IncidentAlert)) == 1
    assert await engine.alerts_of(IncidentResolved) == []  # the quiet says it


async def test_an_order_nobody_takes_is_told_once_and_its_end_is_the_trade(
    engine: Engine, exchange: FakeExchange
):
    exchange.fills = D(0)
    account = await engine.open_account()
    for _ in range(3):
        await engine.check(account)
        await engine.wait(MINUTE)
    exchange.fills = D(1)

    await engine.check(account)

    assert await engine.told() == ["IncidentAlert", "TradeSettled"]
    assert await engine.trouble(account) is None


async def test_a_person_hears_of_every_order_of_theirs_that_found_nobody(
    engine: Engine, exchange: FakeExchange
):
    exchange.fills = D(0)
    account = await engine.open_account()
    await engine.check(account)
    await engine.wait(MINUTE)
    await engine.tap(account, expected_quote="17.10")

    await engine.check(account)

    assert [i.trigger for i in await engine.intents()] == [Trigger.INTERVAL, Trigger.PERSON]
    assert {i.state for i in await engine.intents()} == {OrderState.UNFILLED}
    assert await engine.told() == ["IncidentAlert", "IncidentAlert"]


async def test_a_trouble_and_its_message_are_stored_together(engine_on_both: Engine):
    engine = engine_on_both
    account = await engine.open_account()

    with pytest.raises(ZeroDivisionError):
        async with engine.database.writing() as session:
            await incidents.record(
                session, account, kind=IncidentKind.KEY_REFUSED, detail="", now=START
            )
            raise ZeroDivisionError

    assert await engine.trouble(account) is None
    assert await engine.alerts() == []
    assert not (await engine.account(account)).settings.paused


async def test_there_is_nothing_to_end_where_there_was_no_trouble(engine: Engine):
    account = await engine.open_account()

    async with engine.database.writing() as session:
        await incidents.resolve(session, account, None, now=START, calm=MINUTE)

    assert await engine.alerts() == []


async def test_an_account_that_is_paused_already_is_not_paused_again(engine: Engine):
    account = await engine.open_account(paused=True)

    async with engine.database.writing() as session:
        await incidents.record(
            session, account, kind=IncidentKind.KEY_REFUSED, detail="", now=START
        )

    assert (await engine.account(account)).version == account.version
    [told] = await engine.alerts_of(IncidentAlert)
    assert told.paused is True


async def test_the_numbers_of_a_reason_reach_the_message(engine: Engine):
    account = await engine.open_account()

    async with engine.database.writing() as session:
        await incidents.record(
            session,
            account,
            kind=IncidentKind.BLOCKED,
            detail="InsideBand",
            now=START,
            reason=InsideBand(),
        )

    assert await engine.alerts() == [
        IncidentAlert(
            dry_run=False,
            kind=IncidentKind.BLOCKED,
            detail="InsideBand",
            count=1,
            since=START,
            at=START,
            symbol=builders.MNTLUSDT,
            reason=InsideBand(),
        )
    ]


@pytest.mark.parametrize(
    ("kind", "age", "lingers"),
    [
        (IncidentKind.BLOCKED, timedelta(hours=6) - MINUTE, True),
        (IncidentKind.BLOCKED, timedelta(hours=6), False),
        (IncidentKind.UNREACHABLE, timedelta(minutes=5) - timedelta(seconds=1), True),
        (IncidentKind.UNREACHABLE, timedelta(minutes=5), False),
        (IncidentKind.NOT_FILLED, timedelta(), False),
    ],
)
def test_what_comes_and_goes_lingers(kind: IncidentKind, age: timedelta, lingers: bool):
    trouble = Incident(kind=kind, detail="", since=START, last_at=START)

    assert incidents.lingers(trouble, now=START + age, calm=5 * MINUTE) is lingers


async def test_a_trouble_is_told_with_its_own_count_not_with_that_of_the_whole_episode(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    exchange.go_wrong("holdings", Unavailable("no answer"), times=3)
    for _ in range(3):
        await engine.check(account)
        await engine.wait(timedelta(minutes=1))
    exchange.go_wrong("holdings", BadCredentials(code=10072, message="Api key info invalid"))
    await engine.check(account)

    told = (await engine.alerts_of(IncidentAlert))[-1]
    trouble = await engine.trouble(account)

    assert (told.kind, told.count) == (IncidentKind.KEY_REFUSED, 1)
    assert "So far" not in alert_view(told).text
    assert trouble is not None
    assert trouble.times(IncidentKind.UNREACHABLE).count == 3
