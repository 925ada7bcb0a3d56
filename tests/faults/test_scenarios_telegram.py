"""Scenarios 31 to 35: Telegram slows us down, breaks, has nobody there, moves a chat, repeats."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from engine.storage.models.queues import OutboxRow
from engine.storage.trading import balance_changes
from tests.fakes.http import Reply
from tests.fakes.telegram_faults import (
    DROPPED,
    HANG,
    LOST_ANSWER,
    Fault,
    refused,
    server_error,
    too_many_requests,
)
from tests.faults.bench import PEOPLE, Bench, Person
from tests.faults.invariants import broken_at_rest

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DRIFT = Decimal("17.10")
OFTEN = "/setinterval 10s"
REPEAT = "(repeat?)"
SUPERGROUP = -1001234567890


async def drift(bench: Bench, person: Person) -> None:
    """Money comes before the account is looked at for the first time: it is not told of itself."""
    async with bench.database.writing() as session:
        await balance_changes.forget_seen(session, (await bench.account(person)).id)
    bench.mexc.deposit(person.api_key, "USDT", DRIFT)


def told(bench: Bench, person: Person, words: str) -> int:
    return sum(words in text for text in bench.texts(person))


def sends(bench: Bench, person: Person, *, since: datetime) -> list[timedelta]:
    """When the bot tried to write to the chat, counted from *since*."""
    return [
        call.at - since
        for call in bench.telegram.calls
        if call.method == "sendMessage"
        and int(call.params["chat_id"]) == person.chat_id
        and call.at >= since
    ]


async def waiting(bench: Bench) -> list[OutboxRow]:
    return [row for row in await bench.outbox() if row.done_at is None and row.kind != "moved"]


# 31: Telegram answers 429


async def test_31_a_chat_told_to_wait_waits_and_hears_everything_in_order(sqlite_bench: Bench):
    """retry_after 45: not a word to Anna before, her alerts in order after, Bert hears his at once."""
    bench = sqlite_bench
    anna, bert = (bench.add_person(person) for person in PEOPLE[:2])
    async with bench.life():
        for person in (anna, bert):
            await bench.connect(person, OFTEN)
        await bench.pass_time(20 * SECOND)
        bench.telegram.fail("sendMessage", too_many_requests(45))
        await drift(bench, anna)
        while not await waiting(bench):
            await bench.pass_time(SECOND)
        slowed_at = bench.telegram.calls[-1].at
        await bench.pass_time(10 * SECOND)
        await drift(bench, bert)
        bench.mexc.ledger.accounts[anna.api_key].of("USDT").free = Decimal(20)
        await bench.pass_time(30 * SECOND)

        assert sends(bench, anna, since=slowed_at) == [timedelta()]
        assert (told(bench, anna, "Bought"), told(bench, bert, "Bought")) == (0, 1)
        assert len(await waiting(bench)) == 2

        await bench.pass_time(MINUTE)

        assert min(sends(bench, anna, since=slowed_at)[1:]) >= 45 * SECOND
        news = [text.partition(" · ")[2][:6] for text in bench.texts(anna)]
        assert [new for new in news if new in {"Bought", "Sold 1"}] == ["Bought", "Sold 1"]
        assert told(bench, anna, REPEAT) == 0
        assert await broken_at_rest(bench) == []


async def test_31_two_chats_told_to_wait_mean_that_everybody_waits(sqlite_bench: Bench):
    """The second 429 within the first one's time is the bot's own limit: silence for all alerts."""
    bench = sqlite_bench
    anna, bert, carl = (bench.add_person(person) for person in PEOPLE[:3])
    async with bench.life():
        for person in (anna, bert, carl):
            await bench.connect(person, OFTEN)
        await bench.pass_time(20 * SECOND)
        bench.telegram.fail("sendMessage", too_many_requests(40), times=2)
        await drift(bench, anna)
        await drift(bench, bert)
        while len(await waiting(bench)) < 2:
            await bench.pass_time(SECOND)
        slowed_at = bench.telegram.calls[-1].at
        await drift(bench, carl)
        await bench.pass_time(2 * MINUTE)

        assert min(sends(bench, carl, since=slowed_at)) >= 40 * SECOND
        assert [told(bench, person, "Bought") for person in (anna, bert, carl)] == [1, 1, 1]
        assert await broken_at_rest(bench) == []


async def test_31_an_answer_that_was_told_to_wait_waits_as_long_as_told(sqlite_bench: Bench):
    """A command's answer meets a 429: it is kept, and not tried again before its time."""
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna)
        await bench.pass_time(10 * SECOND)
        began = bench.clock.now()
        bench.telegram.fail("sendMessage", too_many_requests(45))
        await bench.say(anna, "/version")
        await bench.pass_time(2 * MINUTE)

        first, *later = sends(bench, anna, since=began)
        assert (first, len(later), told(bench, anna, "Up for")) == (timedelta(), 1, 1)
        assert min(later) >= 45 * SECOND


# 32: Telegram breaks while a message is sent


@pytest.mark.parametrize(
    ("fault", "copies"),
    [
        (server_error(500), 1),
        (server_error(502), 1),
        (HANG, 1),
        (DROPPED, 1),
        (LOST_ANSWER, 4),
        (Fault(Reply(body=b'{"ok":tr', cut_at=4), took_effect=True), 4),
    ],
    ids=["500", "502", "hangs", "dropped", "answer lost", "answer cut off"],
)
async def test_32_an_alert_is_sent_until_it_arrived_and_a_possible_copy_says_so(
    sqlite_bench: Bench, fault: Fault, copies: int
):
    """At least once, with growing pauses; what may be there twice is marked."""
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna, OFTEN)
        await bench.pass_time(20 * SECOND)
        bench.telegram.fail("sendMessage", fault, times=3)
        began = bench.clock.now()
        await drift(bench, anna)
        await bench.pass_time(15 * SECOND)
        await bench.until_quiet()

        tries = sends(bench, anna, since=began)
        pauses = [later - earlier for earlier, later in pairwise(tries)]
        assert len(tries) == 4
        assert all(pause >= 2**n * SECOND for n, pause in enumerate(pauses))
        assert told(bench, anna, "Bought") == copies
        assert REPEAT in bench.texts(anna)[-1]
        assert await broken_at_rest(bench) == []


async def test_32_a_time_without_telegram_stops_no_trade_and_loses_no_alert(sqlite_bench: Bench):
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna)
        bench.telegram.fail("sendMessage", server_error(), times=10**6)
        for usdt in ("57.10", "22.90"):
            bench.mexc.ledger.accounts[anna.api_key].of("USDT").free = Decimal(usdt)
            await bench.pass_time(5 * MINUTE)

        assert len(bench.mexc.orders) == 2
        assert (told(bench, anna, "Bought"), told(bench, anna, "Sold")) == (0, 0)

        bench.telegram._faults.clear()
        await bench.until_quiet()

        traded = [("Bought" in text, "Sold" in text) for text in bench.texts(anna)]
        assert [one for one in traded if any(one)] == [(True, False), (False, True)]
        assert await broken_at_rest(bench) == []


# 33: nobody is there to read


@pytest.mark.parametrize("gone", ["blocked", "not found"])
async def test_33_who_cannot_be_told_is_not_traded_for_and_hears_all_of_it_on_return(
    sqlite_bench: Bench, gone: str
):
    """Trading pauses with the first undeliverable alert; it is kept, tried every six hours at
    most, and delivered with /start.
    """
    bench = sqlite_bench
    anna, bert = (bench.add_person(person) for person in PEOPLE[:2])
    async with bench.life():
        for person in (anna, bert):
            await bench.connect(person)
        await bench.pass_time(10 * SECOND)
        if gone == "blocked":
            bench.telegram.block(anna.chat_id)
        else:
            bench.telegram.fail("sendMessage", refused(400, "Bad Request: chat not found"))
        began = bench.clock.now()
        await drift(bench, anna)
        await bench.pass_time(5 * MINUTE)
        await drift(bench, anna)
        await drift(bench, bert)
        await bench.pass_time(20 * MINUTE)

        (kept,) = await waiting(bench)
        assert (kept.chat_id, kept.attempts) == (anna.chat_id, 1)
        assert len(sends(bench, anna, since=began)) == 1
        assert (await bench.account(anna)).settings.paused
        assert [order.api_key for order in bench.mexc.orders] == [anna.api_key, bert.api_key]

        if gone == "blocked":
            bench.telegram.unblock(anna.chat_id)
        await bench.say(anna, "/start")
        await bench.until_quiet()

        assert told(bench, anna, "Bought") == 1
        assert told(bench, anna, "PAUSED") == 2  # connected, and come back
        assert await broken_at_rest(bench) == []


async def test_33_two_days_of_wrong_refusals_lose_no_alert_and_no_order(sqlite_bench: Bench):
    """As on 2023-10-31: Telegram says to many bots that they may not write, and it is not true. No
    other chat can be told, so trading goes on; then everything arrives in order.
    """
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna, "/setinterval 30m")
        await bench.pass_time(10 * SECOND)
        bench.longest_step = 10 * MINUTE
        bench.telegram.mute(anna.chat_id)
        known = len(bench.texts(anna))
        for usdt in ("57.10", "22.90", "57.10", "22.90"):
            bench.mexc.ledger.accounts[anna.api_key].of("USDT").free = Decimal(usdt)
            await bench.pass_time(3 * MINUTE)
            bench.clock.shift(12 * HOUR)
            await bench.turn()

        kept = await waiting(bench)
        assert [row.done_at for row in kept] == [None] * 6  # two deposits, and four trades
        assert len(bench.mexc.orders) == 4
        assert bench.texts(anna)[known:] == []

        bench.telegram.unmute(anna.chat_id)
        await bench.pass_time(30 * MINUTE)

        news = [text.partition(" · ")[2].split()[0] for text in bench.texts(anna)[known:]]
        assert [new for new in news if new in {"Bought", "Sold"}] == ["Bought", "Sold"] * 2
        assert told(bench, anna, REPEAT) == 0
        assert await broken_at_rest(bench) == []


# 34: the chat moves


async def test_34_a_group_that_became_a_supergroup_keeps_its_account_its_key_and_its_news(
    bench: Bench,
):
    """The alert follows to the new id, the key still decrypts there, trading goes on.

    Keys are taken in private only; one that a group has got there some other way moves along.
    """
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna, OFTEN)
        bench.telegram.migrate(anna.chat_id, SUPERGROUP)
        await drift(bench, anna)
        await bench.pass_time(MINUTE)
        moved = Person(SUPERGROUP, anna.api_key, anna.api_secret)

        assert told(bench, moved, "Bought") == 1
        with pytest.raises(LookupError):
            await bench.account(anna)
        account = await bench.account(moved)
        key = bench.vault.open_credentials(
            account.sealed_key or "", account_uuid=account.uuid, chat_id=SUPERGROUP
        )
        assert (key.api_key, key.api_secret) == (anna.api_key, anna.api_secret)

        await drift(bench, moved)
        await bench.pass_time(MINUTE)

        assert (len(bench.mexc.orders), told(bench, moved, "Bought")) == (2, 2)
        assert await broken_at_rest(bench) == []


# 35: updates come twice, late and out of order


async def replay(bench: Bench, updates: Sequence[dict[str, Any]]) -> None:
    """Telegram sends once more what it had sent before."""
    for update in updates:
        bench.telegram.push_raw(update)
    await bench.turn()


async def test_35_an_update_that_comes_twice_is_obeyed_once(bench: Bench):
    """The inbox knows an update by its id, also after a crash between storing and confirming."""
    anna = bench.add_person()
    async with bench.life("first"):
        await bench.connect(anna)
        bench.telegram.say(anna.chat_id, "/settarget 30")
        stored = list(bench.telegram._updates)
        await bench.turn()
        await bench.say(anna, "/settarget 25")
        await replay(bench, stored)

        assert (await bench.account(anna)).settings.fixed_goal.target == Decimal(25)

    async with bench.life("second"):
        await replay(bench, stored)

        assert (await bench.account(anna)).settings.fixed_goal.target == Decimal(25)
        assert sum("Target set to 30.00 USDT" in text for text in bench.texts(anna)) == 1


async def test_35_updates_out_of_order_are_each_obeyed_once(bench: Bench):
    anna = bench.add_person()
    async with bench.life():
        await bench.connect(anna)
        for text in ("/settarget 30", "/setinterval 60s", "/setthreshold 8%"):
            bench.telegram.say(anna.chat_id, text)
        bench.telegram._updates.reverse()
        await bench.turn()
        settings = (await bench.account(anna)).settings

        assert (settings.fixed_goal.target, settings.interval) == (Decimal(30), MINUTE)
        assert settings.threshold.relative == Decimal("0.08")
        assert bench.telegram.unconfirmed == []


async def test_35_a_second_tap_on_trade_is_told_that_it_was_used(bench: Bench):
    """One tap, one order: the second, and the first one replayed after a crash, do nothing."""
    anna = bench.add_person(USDT="41.90", MNTL="100000")
    async with bench.life("first") as life:
        await bench.connect(anna)
        (plan,) = await bench.say(anna, "/rebalance")
        bench.telegram.tap(anna.chat_id, "Trade", message=plan)
        taps = list(bench.telegram._updates)
        bench.telegram.tap(anna.chat_id, "Trade", message=plan)
        await bench.turn()
        await bench.pass_time(30 * SECOND)
        notices = [answer.get("text") for answer in bench.telegram.answers.values()]

        assert notices[-1] == (
            "Nothing more happened: this button works once and was used already."
        )
        assert bench.order_posts == 1
        await life.kill()
    async with bench.life("second"):
        await replay(bench, taps)
        await bench.pass_time(30 * SECOND)

        assert bench.order_posts == 1
        assert told(bench, anna, "Bought") == 1
        assert await broken_at_rest(bench) == []


async def test_35_a_tap_after_the_time_is_refused_and_says_how_old_the_plan_is(bench: Bench):
    anna = bench.add_person(USDT="41.90", MNTL="100000")
    async with bench.life():
        await bench.connect(anna)
        (plan,) = await bench.say(anna, "/rebalance")
        await bench.pass_time(100 * SECOND)
        await bench.tap(anna, "Trade", message=plan)
        await bench.pass_time(30 * SECOND)

        assert bench.order_posts == 0
        assert "too old to trade." in plan.text


@pytest.mark.parametrize("command", ["/resume", "/rebalance"])
async def test_35_what_would_start_trading_is_not_done_ten_minutes_late(
    sqlite_bench: Bench, command: str
):
    """Sent while the bot was off: a pause is obeyed all the same, a resume must be sent again."""
    bench = sqlite_bench
    anna = bench.add_person(USDT="57.10", MNTL="100000")
    async with bench.life("first"):
        await bench.connect(anna)
        await bench.say(anna, "/pause")
    posts = bench.order_posts
    bench.telegram.say(anna.chat_id, command)
    bench.telegram.say(anna.chat_id, "/settarget 30")
    bench.clock.shift(11 * MINUTE)
    async with bench.life("second"):
        await bench.pass_time(5 * SECOND)
        account = await bench.account(anna)

        assert (account.settings.paused, account.settings.fixed_goal.target) == (True, Decimal(30))
        assert told(bench, anna, "I was off then") == 1
        assert bench.order_posts == posts
