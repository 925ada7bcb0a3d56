"""Scenarios 16 to 24: MEXC refuses, wants silence, is away, or disagrees about the time.

Anna and Ben each hold 57.10 USDT and want 40: about 17.10 USDT of MNTL are bought.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from engine.clock import to_millis
from engine.domain.market.pairs import Side
from engine.domain.orders.order import OrderState
from engine.domain.rebalancing.balance_confirmation import SECOND_SIGHT
from tests.fakes.http import Reply
from tests.fakes.mexc_books import ALL_NEEDED, Account, Refused
from tests.fakes.mexc_faults import DROPPED, Fault, json_reply, refusal
from tests.faults.bench import BALANCES, BOOK, ORDER, PEOPLE, Bench, Person
from tests.faults.invariants import broken_at_rest
from tests.sampling import long, sampled

TIME, RULES = "/api/v3/time", "/api/v3/exchangeInfo"
SYMBOL = "MNTLUSDT"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
BAND = (Decimal(38), Decimal(42))
HELD = {"USDT": "57.10", "MNTL": "100000"}


def _silence(status: int, seconds: str | None) -> Reply:
    """As from the firewall in front of MEXC: not in JSON."""
    headers = {} if seconds is None else {"Retry-After": seconds}
    return Reply(status=status, body=b"<html></html>", content_type="text/html", headers=headers)


@pytest.fixture
def bench(sqlite_bench: Bench) -> Bench:
    """The database has no part in any of this."""
    return sqlite_bench


@pytest.fixture
def anna(bench: Bench) -> Person:
    return bench.add_person(PEOPLE[0], **HELD)


@pytest.fixture
def ben(bench: Bench) -> Person:
    return bench.add_person(PEOPLE[1], **HELD)


async def test_16_an_order_that_a_withdrawal_overtook_is_refused_once_and_planned_afresh(
    bench: Bench, anna: Person
):
    """30004 is definite: nothing is looked up, nothing repeated; the next check reads again."""

    def withdraw() -> None:
        _account(bench, anna).of("USDT").free = Decimal(10)

    bench.meanwhile = withdraw
    async with bench.life():
        await bench.connect(anna)
        await bench.turn()

        assert await bench.told(anna) == ["order_refused"]
        assert "Nothing was traded" in bench.texts(anna)[-1]
        assert "Insufficient position" in bench.texts(anna)[-1]

        await bench.pass_time(10 * MINUTE)

    refused, sold = await bench.intents()

    assert (refused.state, sold.state) == (OrderState.REJECTED, OrderState.FILLED)
    assert (sold.side, sold.quote_before) == (Side.SELL, Decimal(10))
    assert sold.created_at - refused.created_at == MINUTE + SECOND_SIGHT
    assert bench.mexc.requests["GET", ORDER] == 1  # the sale's own
    await _are_on_target(bench, anna)


@pytest.mark.parametrize("code", sampled([10101, 30004, 30005], every=2))
async def test_16_orders_that_are_refused_again_and_again_stop_after_the_third(
    bench: Bench, anna: Person, code: int
):
    bench.mexc.inject(Fault("POST", ORDER, reply=refusal(code), times=None))
    async with bench.life():
        await bench.connect(anna)
        await bench.pass_time(15 * MINUTE)

    tries = [intent.created_at for intent in await bench.intents()]

    assert bench.order_posts == 3
    assert all(later - before >= MINUTE for before, later in pairwise(tries))
    assert await bench.told(anna) == ["order_refused", "order_refused"]
    assert "Trading is paused" in bench.texts(anna)[-1]
    assert (await bench.account(anna)).settings.paused
    assert await broken_at_rest(bench) == []


@pytest.mark.parametrize("seconds", sampled([-3600, -10, 10, 29, 3600], every=2))
async def test_17_a_skewed_clock_is_measured_again_and_the_order_is_a_new_attempt(
    bench: Bench, anna: Person, seconds: int
):
    async with bench.life():
        await bench.connect(anna)
        bench.mexc.clock_offset = timedelta(seconds=seconds)
        await bench.pass_time(5 * MINUTE)

    *refused, filled = await bench.intents()

    # A read may be half a minute old, an order five seconds: some skews only an order shows.
    assert [(i.state, i.attempt) for i in refused] in ([], [(OrderState.DROPPED, 1)])
    assert (filled.state, filled.attempt) == (OrderState.FILLED, len(refused) + 1)
    assert bench.order_posts == len(refused) + 1
    assert await bench.told(anna) == ["filled"]
    await _are_on_target(bench, anna)


async def test_17_a_time_stamp_that_is_refused_whatever_is_measured_is_tried_twice_a_check(
    bench: Bench, anna: Person
):
    bench.mexc.inject(Fault("POST", ORDER, reply=refusal(700003), times=None))
    async with bench.life():
        await bench.connect(anna)
        await bench.pass_time(10 * MINUTE)

    attempts = [intent.attempt for intent in await bench.intents()]

    assert attempts == [1, 2] * (len(attempts) // 2)
    assert len(attempts) <= 2 * 10
    assert bench.order_posts == len(attempts)
    assert await bench.told(anna) == ["clock"]
    assert bench.mexc.orders == []
    assert await broken_at_rest(bench) == []


async def test_17_a_measurement_may_be_wrong_by_half_of_a_short_way_and_no_more(
    bench: Bench, anna: Person
):
    """The way there takes all of it, the way back nothing: as wrong as it can be."""
    bench.delays[TIME] = timedelta(seconds=1.9)
    async with bench.life():
        await bench.connect(anna)
        await bench.turn()

        assert bench.order_posts == len(bench.mexc.orders) == 1

        bench.delays[TIME] = timedelta(seconds=2.1)
        bench.mexc.clock_offset = timedelta(minutes=5)
        bench.mexc.deposit(anna.api_key, "USDT", Decimal(20))
        await bench.pass_time(10 * MINUTE)

        assert bench.order_posts == 1
        assert await bench.told(anna) == ["filled", "unreachable"]

        del bench.delays[TIME]
        await bench.pass_time(10 * MINUTE)

    assert await bench.told(anna) == ["filled", "unreachable", "filled", "over"]
    await _are_on_target(bench, anna)


async def test_18_nothing_is_sent_while_the_exchange_s_clock_jumps_about(
    bench: Bench, anna: Person
):
    async with bench.life():
        await bench.connect(anna)
        bench.mexc.clock_offset = 10 * SECOND
        faults = _clock_shows(bench, *(timedelta(hours=(-1) ** n) for n in range(40)))
        await bench.pass_time(10 * MINUTE)

        # One attempt found out; since then nobody's time is known for sure.
        assert bench.order_posts <= 1
        assert bench.mexc.orders == []
        assert len(await bench.told(anna)) == 1
        assert "Nothing was traded" in bench.texts(anna)[-1]

        for fault in faults:
            if fault.times:
                bench.mexc.remove(fault)
        await bench.pass_time(10 * MINUTE)

    assert (await bench.told(anna))[1:] == ["filled", "over"]
    await _are_on_target(bench, anna)


async def test_18_a_clock_that_is_wildly_wrong_is_told_and_nothing_is_traded(
    bench: Bench, anna: Person
):
    """It shows the same wrong day each time, and goes by the right one itself."""
    async with bench.life():
        await bench.connect(anna)
        _clock_shows(bench, *[timedelta(days=1)] * 100)
        bench.mexc.inject(Fault("GET", BALANCES, reply=refusal(700003)))
        await bench.pass_time(10 * MINUTE)

    assert bench.mexc.orders == []
    assert await bench.told(anna) == ["clock"]
    assert "The clocks disagree" in bench.texts(anna)[-1]
    assert await broken_at_rest(bench) == []


async def test_18_what_is_told_of_a_clock_that_jumps_about_is_about_the_clock(
    bench: Bench, anna: Person
):
    async with bench.life():
        await bench.connect(anna)
        bench.mexc.clock_offset = 10 * SECOND
        _clock_shows(bench, HOUR, -HOUR)
        await bench.turn()

    assert await bench.told(anna) == ["clock"]


@pytest.mark.parametrize("path", sampled([BALANCES, BOOK], every=2))
@pytest.mark.parametrize(
    ("asked", "seconds"), [("90", 90), long("0", 1), long(None, 60), long("soon", 60)]
)
async def test_19_after_a_429_no_account_asks_for_anything_before_the_time_is_over(
    bench: Bench, anna: Person, ben: Person, path: str, asked: str | None, seconds: int
):
    async with bench.life():
        await _drift_after_a_trade(bench, anna, ben)
        bench.mexc.inject(Fault("GET", path, reply=_silence(429, asked)))
        await bench.pass_time(15 * MINUTE)

    asked_at, first_after = _around_the_silence(bench, 429)

    assert first_after - asked_at >= timedelta(seconds=seconds)
    for person in (anna, ben):
        assert (await bench.told(person)).count("rate_limited") <= 1
    await _are_on_target(bench, anna, ben)


async def test_19_an_order_answered_with_429_is_looked_up_when_the_time_is_over(
    bench: Bench, anna: Person
):
    bench.mexc.inject(Fault("POST", ORDER, reply=_silence(429, "120")))
    async with bench.life():
        await bench.connect(anna)
        await bench.pass_time(15 * MINUTE)

    asked_at, first_after = _around_the_silence(bench, 429)

    assert first_after - asked_at >= 2 * MINUTE
    assert await bench.told(anna) == ["unclear", "never", "filled"]
    assert bench.order_posts == 2
    await _are_on_target(bench, anna)


@pytest.mark.parametrize(
    ("status", "asked", "silent_for", "told_as"),
    [
        (418, "600", 10 * MINUTE, "rate_limited"),
        long(418, None, 2 * MINUTE, "rate_limited"),
        long(403, None, 5 * MINUTE, "host_refused"),
    ],
)
async def test_20_a_ban_of_our_address_silences_every_account_and_each_chat_is_told_once(
    bench: Bench,
    anna: Person,
    ben: Person,
    status: int,
    asked: str | None,
    silent_for: timedelta,
    told_as: str,
):
    async with bench.life():
        await _drift_after_a_trade(bench, anna, ben)
        bench.mexc.inject(Fault("GET", BALANCES, reply=_silence(status, asked)))
        await bench.pass_time(20 * MINUTE)

    banned_at, first_after = _around_the_silence(bench, status)

    assert first_after - banned_at >= silent_for
    for person in (anna, ben):
        assert await bench.told(person) == ["filled", told_as, "filled", "over"]
    await _are_on_target(bench, anna, ben)


async def test_20_a_403_that_names_one_key_is_no_ban_of_our_address(
    bench: Bench, anna: Person, ben: Person
):
    async with bench.life():
        await _drift_after_a_trade(bench, anna, ben)
        _account(bench, anna).refused = Refused(700006, "IP [1.2.3.4] not in the list", status=403)
        await bench.pass_time(5 * MINUTE)

    assert await bench.told(anna) == ["filled", "address_refused"]
    assert await bench.told(ben) == ["filled", "filled"]


async def test_21_maintenance_is_told_at_its_start_and_at_its_end(bench: Bench, anna: Person):
    away = Reply(status=503, body=b"<html>maintenance</html>", content_type="text/html")
    async with bench.life():
        await bench.connect(anna)
        faults = [
            bench.mexc.inject(Fault("GET", path, reply=away, times=None))
            for path in (BALANCES, BOOK, RULES, TIME)
        ]
        began = bench.clock.now()
        await bench.pass_time(14 * MINUTE)
        asked = [exchange.at for exchange in bench.exchanges if exchange.at > began]

        # Once a minute and no more: the end is noticed within one.
        assert all(b - a >= MINUTE for a, b in pairwise(asked))
        assert await bench.told(anna) == ["unreachable"]

        for fault in faults:
            bench.mexc.remove(fault)
        await bench.pass_time(10 * MINUTE)

    assert await bench.told(anna) == ["unreachable", "filled", "over"]
    assert "14 failed tries" in bench.texts(anna)[-1]
    await _are_on_target(bench, anna)


@pytest.mark.parametrize(
    "faces",
    [[DROPPED], [_silence(429, "60"), DROPPED, Reply(status=503, body=b"<html>")]],
    ids=["silent", "many faces"],
)
async def test_21_an_hour_without_mexc_is_told_four_times_at_most(
    sqlite_bench: Bench, faces: list[Reply], record_property: Callable[[str, object], None]
):
    bench = sqlite_bench
    anna = bench.add_person(USDT="57.10", MNTL="100000")
    async with bench.life():
        await bench.connect(anna)
        await bench.pass_time(5 * MINUTE)
        before = len(await bench.told(anna))
        fault = bench.mexc.inject(Fault("GET", BALANCES, times=None))
        for minute in range(60):
            fault.reply = faces[minute % len(faces)]
            await bench.pass_time(MINUTE)
        told = len(await bench.told(anna)) - before

    record_property("alerts in an hour's outage", told)

    assert 1 <= told <= 4


async def test_21_a_pair_that_is_closed_for_a_while_is_told_at_its_start_and_at_its_end(
    bench: Bench, anna: Person
):
    async with bench.life():
        await bench.connect(anna)
        bench.mexc.ledger.pairs[SYMBOL].status = "2"
        await bench.pass_time(14 * MINUTE)

        assert len(await bench.told(anna)) == 1
        assert bench.mexc.orders == []

        bench.mexc.ledger.pairs[SYMBOL].status = "1"
        await bench.pass_time(20 * MINUTE)

    assert [news for news in await bench.told(anna) if news != "filled"][1:] in ([], ["over"])
    await _are_on_target(bench, anna)


async def test_21_a_pair_that_stays_closed_is_not_asked_for_every_minute_nor_called_open(
    bench: Bench, anna: Person
):
    async with bench.life():
        await bench.connect(anna)
        bench.mexc.ledger.pairs[SYMBOL].status = "2"
        await bench.pass_time(70 * MINUTE)

    assert "over" not in await bench.told(anna)
    assert len(await bench.told(anna)) <= 4
    assert bench.order_posts <= 12


REVOKED: dict[str, tuple[str, Callable[[Account], None]]] = {
    "10072": ("key_refused", lambda account: _refuse(account, 10072, "Api key info invalid")),
    "700001": ("key_refused", lambda account: _refuse(account, 700001, "API-key format invalid")),
    "700002": ("key_refused", lambda account: setattr(account, "api_secret", "another")),
    "700006": ("address_refused", lambda account: setattr(account, "addresses", ("192.0.2.1",))),
    "700007": ("missing_permission", lambda account: setattr(account, "permissions", frozenset())),
    "700007 for orders": (
        "missing_permission",
        lambda account: setattr(account, "permissions", ALL_NEEDED - {"SPOT_DEAL_WRITE"}),
    ),
}


@pytest.mark.parametrize("code", sampled(list(REVOKED), every=3))
async def test_22_a_key_that_is_no_longer_taken_pauses_its_account_and_no_other(
    bench: Bench, anna: Person, ben: Person, code: str
):
    told, revoke = REVOKED[code]
    async with bench.life():
        await _drift_after_a_trade(bench, anna, ben)
        revoke(_account(bench, anna))
        await bench.pass_time(20 * MINUTE)

        assert await bench.told(anna) == ["filled", told]
        assert "Trading is paused" in bench.texts(anna)[-1]
        assert set(await bench.told(ben)) == {"filled"}
        assert (await bench.account(anna)).settings.paused
        assert not (await bench.account(ben)).settings.paused
        assert len([o for o in bench.mexc.orders if o.api_key == anna.api_key]) == 1

        _mend(_account(bench, anna), anna)
        await bench.say(anna, "/resume")
        await bench.pass_time(10 * MINUTE)

    await _are_on_target(bench, anna, ben)


@pytest.mark.parametrize(
    ("permissions", "because"),
    [
        (ALL_NEEDED | {"SPOT_WITHDRAW_WRITE"}, "can move money out"),
        (ALL_NEEDED | {"SPOT_TRANSFER_WRITE"}, "can move money out"),
        (ALL_NEEDED | {"NOBODY_KNOWS_THIS"}, "can move money out"),
        (ALL_NEEDED - {"SPOT_DEAL_WRITE"}, "lacks a permission"),
        (ALL_NEEDED - {"SPOT_DEAL_READ"}, "lacks a permission"),
        (frozenset[str](), "lacks a permission"),
    ],
    ids=["withdraws", "transfers", "unknown", "cannot trade", "cannot look up", "nothing"],
)
async def test_23_a_key_that_may_too_much_or_too_little_is_not_stored_and_nothing_starts(
    bench: Bench, anna: Person, permissions: frozenset[str], because: str
):
    _account(bench, anna).permissions = permissions
    async with bench.life():
        (answer,) = await bench.say(anna, f"/connect {anna.api_key} {anna.api_secret}")
        await bench.say(anna, "/resume")
        await bench.pass_time(10 * MINUTE)

    assert "Key not stored" in answer.text
    assert because in answer.text
    assert (await bench.account(anna)).sealed_key is None
    assert bench.telegram.deleted
    assert bench.order_posts == 0


@pytest.mark.parametrize(
    "code",
    sampled([30000, 30014, 30016, 30018, 30019, 30020, 30021, 10007, -1121], every=8),
)
async def test_24_a_pair_that_takes_no_orders_moves_no_money_and_goes_on_when_it_does(
    bench: Bench, anna: Person, code: int
):
    """One pair, one order: there is no sale that waits for a purchase."""
    fault = bench.mexc.inject(Fault("POST", ORDER, reply=refusal(code, "closed"), times=None))
    async with bench.life():
        await bench.connect(anna)
        await bench.pass_time(3 * MINUTE)

        assert bench.mexc.orders == []
        assert bench.usdt(anna) == Decimal("57.10")
        assert {intent.state for intent in await bench.intents()} == {OrderState.REJECTED}
        assert await bench.told(anna) == ["pair_unavailable"]
        assert "MNTL/USDT is closed" in bench.texts(anna)[-1]

        bench.mexc.remove(fault)
        await bench.pass_time(10 * MINUTE)

    assert await bench.told(anna) == ["pair_unavailable", "filled", "over"]
    await _are_on_target(bench, anna)


@pytest.mark.parametrize("how", sampled(["suspended", "closed to API keys", "delisted"], every=3))
async def test_24_a_pair_that_is_seen_to_be_closed_is_sent_no_order_at_all(
    bench: Bench, anna: Person, how: str
):
    async with bench.life():
        await bench.connect(anna)
    pair = bench.mexc.ledger.pairs[SYMBOL]
    pair.status = "2" if how == "suspended" else "1"
    pair.api_allowed = how != "closed to API keys"
    pair.hidden = how == "delisted"
    async with bench.life("second"):
        await bench.pass_time(10 * MINUTE)

    assert bench.order_posts == 0
    assert await bench.told(anna) == ["pair_unavailable" if how == "delisted" else "blocked"]
    assert any(
        words in bench.texts(anna)[-1] for words in ("No order was sent", "Nothing was traded")
    )
    assert "/setpair" in bench.texts(anna)[-1]
    assert await broken_at_rest(bench) == []


def _account(bench: Bench, person: Person) -> Account:
    return bench.mexc.ledger.accounts[person.api_key]


def _refuse(account: Account, code: int, message: str) -> None:
    account.refused = Refused(code, message)


def _mend(account: Account, person: Person) -> None:
    account.api_secret, account.refused = person.api_secret, None
    account.permissions, account.addresses = ALL_NEEDED, ()


def _clock_shows(bench: Bench, *offsets: timedelta) -> list[Fault]:
    """The next samples of the exchange's time, each as far from ours as that."""
    now = bench.clock.now()
    replies = (json_reply({"serverTime": to_millis(now + offset)}) for offset in offsets)
    return [bench.mexc.inject(Fault("GET", TIME, reply=reply)) for reply in replies]


async def _drift_after_a_trade(bench: Bench, *people: Person) -> None:
    """Each has traded once, and holds 20 USDT too much again."""
    for person in people:
        await bench.connect(person)
    await bench.pass_time(MINUTE)
    for person in people:
        bench.mexc.deposit(person.api_key, "USDT", Decimal(20))


def _around_the_silence(bench: Bench, status: int) -> tuple[datetime, datetime]:
    """When the exchange asked for it, and when the next request came."""
    asked_at = next(e.at for e in bench.exchanges if e.reply.status == status)
    return asked_at, min(e.at for e in bench.exchanges if e.at > asked_at)


async def _are_on_target(bench: Bench, *people: Person) -> None:
    least, most = BAND

    assert all(least <= bench.usdt(person) <= most for person in people)
    assert await broken_at_rest(bench) == []
