"""Two keys of one account at MEXC: one balance is never traded by two chats against each other."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from engine.storage.accounts import accounts
from engine.storage.chat import undeliverable
from engine.storage.models.accounts import AccountRow, ExchangeAccountRow
from tests.bot.harness import (
    FRIEND,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    OWNER,
    Program,
    World,
)
from tests.fakes.http import Reply
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault, json_reply, refusal
from tests.sampling import sampled

DAY = timedelta(days=1)
UID = ("GET", "/api/v3/uid")
SAME = "209302839"


@pytest.fixture(autouse=True)
def _two_keys_of_one_account(world: World) -> None:
    accounts = world.mexc.ledger.accounts
    world.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="57.10", MNTL="91858")
    accounts[KEY].uid = accounts[OTHER_KEY].uid = SAME


async def connect_other(bot: Program) -> str:
    return (await bot.ask(FRIEND, f"/connect {OTHER_KEY} {OTHER_SECRET}")).text


async def as_0_4_0_left_them(bot: Program) -> None:
    """Both are connected and trade, and nobody has asked whose money it is."""
    accounts = bot.world.mexc.ledger.accounts
    accounts[OTHER_KEY].uid = "another1"  # no number: it is not read
    await bot.connect()
    bot.world.clock.shift(timedelta(hours=1))
    await connect_other(bot)
    await bot.ask(FRIEND, "/resume")
    accounts[OTHER_KEY].uid = SAME
    async with bot.database.writing() as session:
        await session.execute(delete(ExchangeAccountRow))


async def a_day_passes(bot: Program) -> None:
    bot.world.clock.shift(DAY)
    for _ in range(2):
        await bot.parts.periodic_jobs.run_once()


async def test_a_second_key_of_the_same_account_is_refused(bot: Program):
    await bot.connect()

    answer = await connect_other(bot)
    resumed = await bot.ask(FRIEND, "/resume")

    assert "Another chat has a key of the same MEXC account." in answer
    assert "Your message is deleted." in answer
    assert str(OWNER) not in answer
    assert KEY[-4:] not in answer
    assert (await bot.account(FRIEND)).sealed_key is None
    assert (await bot.account(FRIEND)).settings.paused
    assert "I need a MEXC key" in resumed.text
    assert not (await bot.account(OWNER)).settings.paused


async def test_after_a_disconnect_the_other_chat_may_have_the_account(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/disconnect")
    await bot.tap(OWNER, "Forget the key")

    assert "Key connected" in await connect_other(bot)


async def test_another_key_of_the_same_account_replaces_a_chats_own(bot: Program):
    await bot.connect()

    answer = await bot.ask(OWNER, f"/connect {OTHER_KEY} {OTHER_SECRET}")

    assert "It replaces the one ending in BWC5." in answer.text


@pytest.mark.parametrize(
    "answer",
    sampled(
        [
            Reply(status=404, body=b"<html>404</html>", content_type="text/html"),
            BAD_GATEWAY,
            DROPPED,
            refusal(700007, "No permission to access the endpoint."),
            json_reply({"uid": 209302839.5}),
            json_reply({"uid": None}),
            json_reply({"uid": ""}),
            json_reply({"uid": "0"}),
            json_reply({"uid": "00000000"}),
            json_reply({"uid": "null"}),
            json_reply({"code": 0}),
            json_reply([]),
            json_reply("209302839"),
        ],
        every=4,
    ),
    ids=range(13),
)
async def test_a_number_that_cannot_be_read_refuses_nothing_and_is_asked_again(
    world: World, bot: Program, answer: Reply
):
    fault = world.mexc.inject(Fault(*UID, reply=answer, times=None))
    await bot.connect()
    both = await connect_other(bot)
    world.mexc.remove(fault)

    world.clock.shift(timedelta(hours=1, minutes=1))
    for _ in range(2):
        await bot.parts.periodic_jobs.run_once()
    [told] = await bot.told(FRIEND)

    assert "Key connected" in both
    assert "This account is traded twice" in told.text
    assert await bot.told(OWNER) == []


async def test_of_two_that_trade_already_the_later_one_is_paused_and_told(bot: Program):
    await as_0_4_0_left_them(bot)

    await a_day_passes(bot)
    [told] = await bot.told(FRIEND)

    assert told.text.startswith("⚠️ PAUSED · This account is traded twice")
    assert "Trading is paused for this chat." in told.text
    assert str(OWNER) not in told.text
    assert [(await bot.account(chat)).settings.paused for chat in (OWNER, FRIEND)] == [False, True]
    assert await bot.told(OWNER) == []


async def test_the_later_one_stays_paused_until_the_other_is_disconnected(bot: Program):
    await as_0_4_0_left_them(bot)
    await a_day_passes(bot)

    refused = await bot.ask(FRIEND, "/resume")
    await a_day_passes(bot)
    quiet = await bot.told(FRIEND)
    await bot.ask(OWNER, "/disconnect")
    await bot.tap(OWNER, "Forget the key")
    await bot.ask(FRIEND, "/resume")

    assert "Another chat has a key of the same MEXC account." in refused.text
    assert "traded twice" not in "".join(message.text for message in quiet[1:])
    assert not (await bot.account(FRIEND)).settings.paused


async def test_who_was_asked_about_first_does_not_matter(bot: Program):
    """The earlier one is learned of last; the later one is paused all the same."""
    await as_0_4_0_left_them(bot)
    async with bot.database.writing() as session:
        row = await session.scalar(select(AccountRow).where(AccountRow.chat_id == FRIEND))
        assert row is not None
        row.key_checked_at = None
    await bot.parts.periodic_jobs.run_once()
    first = [(await bot.account(chat)).settings.paused for chat in (OWNER, FRIEND)]

    await a_day_passes(bot)

    assert first == [False, False]
    assert [(await bot.account(chat)).settings.paused for chat in (OWNER, FRIEND)] == [False, True]


async def test_on_paper_a_second_chat_disturbs_nobody(bot: Program):
    await as_0_4_0_left_them(bot)
    await bot.ask(FRIEND, "/dryrun on")
    await bot.ask(FRIEND, "/resume")

    await a_day_passes(bot)
    on_paper = (await bot.account(FRIEND)).settings.paused
    await bot.ask(FRIEND, "/dryrun off")
    await bot.tap(FRIEND, "Trade for real")
    live = await bot.ask(FRIEND, "/resume")

    assert not on_paper
    assert "Another chat has a key of the same MEXC account." in live.text


async def test_the_number_is_kept_as_a_hash_and_asked_for_once(world: World, bot: Program):
    await bot.connect()
    for _ in range(3):
        await a_day_passes(bot)

    async with bot.database.reading() as session:
        [kept] = (await session.scalars(select(ExchangeAccountRow))).all()
    assert SAME not in kept.account_print
    assert len(kept.account_print) == 64
    assert world.mexc.requests[UID] == 1


async def test_a_pause_of_a_silent_chat_is_not_lifted_where_another_chat_trades_its_money(
    bot: Program,
):
    await as_0_4_0_left_them(bot)
    account = await bot.account(FRIEND)
    async with bot.database.writing() as session:
        await accounts.change(session, account, paused=True)
        await undeliverable.mark_paused(session, account.id)

    await a_day_passes(bot)

    async with bot.database.reading() as session:
        assert not await undeliverable.is_paused(session, account.id)
    assert (await bot.account(FRIEND)).settings.paused
