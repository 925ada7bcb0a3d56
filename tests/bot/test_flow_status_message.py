"""The live card: one per chat, true, edited only when something happened, by one process."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from bot.views.general import waiting_view
from engine.domain.accounts.members import Role
from engine.domain.targets.target import FixedUsdt
from engine.storage.accounts import accounts, members
from engine.storage.models.chat import StatusMessageRow
from tests.bot.harness import FRIEND, GROUP, KEY, OWNER, STRANGER, SUPERGROUP, Program, World
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault
from tests.fakes.telegram_faults import FORBIDDEN, refused, server_error, too_many_requests

MINUTE = timedelta(minutes=1)
GONE = refused(400, "Bad Request: message to edit not found")
TOO_OLD = refused(400, "Bad Request: message can't be edited")
ACCOUNT = ("GET", "/api/v3/account")


def edits(world: World) -> int:
    """Without those of a busy machine, on which an answer says first that it is looking."""
    sent = world.api.sent(OWNER) + world.api.sent(GROUP)
    looking = sum(message.edits[:1] == [waiting_view().text] for message in sent)
    return len(world.api.called("editMessageText")) - looking


def toast(world: World) -> str:
    """What the newest tap was answered with."""
    return str(list(world.api.answers.values())[-1].get("text", ""))


async def shown(bot: Program) -> list[tuple[str, datetime]]:
    async with bot.database.reading() as session:
        rows = await session.scalars(select(StatusMessageRow).order_by(StatusMessageRow.chat_id))
        return [(row.shown, row.next_edit_at) for row in rows]


async def look_round(bot: Program, *, after: timedelta = MINUTE) -> None:
    bot.world.clock.shift(after)
    await bot.parts.dispatcher.tick()  # holds the lease, as the heart does
    await bot.parts.periodic_jobs.run_once()


async def test_the_card_is_left_alone_while_nothing_happens(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    card = await bot.ask(OWNER, "/status")
    await look_round(bot)
    before, said = edits(world), card.text
    for _ in range(5):
        await bot.live_for(MINUTE)
        await bot.parts.periodic_jobs.run_once()

    assert (edits(world), card.edits) == (before, [])
    assert card.text == said


async def test_a_quiet_card_is_renewed_every_15_min_without_a_row_or_a_request(
    world: World, bot: Program
):
    await bot.connect()
    await bot.checked()
    await bot.ask(FRIEND, "/dryrun on")
    await bot.ask(FRIEND, "/resume")
    await bot.checked(FRIEND)
    cards = [await bot.ask(chat_id, "/status") for chat_id in (OWNER, FRIEND)]
    world.clock.shift(13 * MINUTE)
    await bot.live_for(MINUTE)
    await bot.parts.status_renewal.run_once()
    before = edits(world)
    await bot.live_for(MINUTE)
    asked_by_checks = len(world.mexc.requests)

    stored, renewed = await shown(bot), []
    for _ in range(3):
        await bot.parts.status_renewal.run_once()
        renewed.append(edits(world) - before)

    assert renewed == [1, 2, 2]  # one a second
    assert await shown(bot) == stored
    assert len(world.mexc.requests) == asked_by_checks
    assert before == 0
    for card in cards:
        assert re.search(
            r"Checked  22 Nov 12:1[345] (✓ in band|order sent)\nNext     12:1", card.text
        )


async def test_a_card_on_which_nothing_is_checked_is_not_renewed(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    await bot.ask(OWNER, "/pause")
    await bot.ask(OWNER, "/status")
    await look_round(bot)
    before = edits(world)

    await look_round(bot, after=16 * MINUTE)
    await bot.parts.status_renewal.run_once()

    assert edits(world) == before


async def test_the_card_tells_of_a_trade_within_a_minute_and_once(world: World, bot: Program):
    world.clock.shift(MINUTE / 2)  # no hour ends meanwhile
    await bot.connect()
    card = await bot.ask(OWNER, "/status")
    assert "USDT     57.10" in card.text
    await bot.check()

    await bot.parts.periodic_jobs.run_once()
    asked = world.mexc.requests.copy()
    assert "bought" not in card.text  # a card is edited once a minute at most
    world.clock.shift(MINUTE)
    await bot.parts.periodic_jobs.run_once()
    await bot.parts.periodic_jobs.run_once()

    assert "USDT     40.79" in card.text
    assert "Last     bought 8,142  12:00" in card.text
    assert "Checked  22 Nov 12:00 order sent" in card.text
    assert edits(world) == 1
    assert world.mexc.requests == asked


async def test_a_price_that_wanders_is_no_news_but_a_deposit_is(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    await bot.ask(OWNER, "/status")
    world.mexc.ledger.pairs["MNTLUSDT"].move(Decimal("1.02"))
    await bot.live_for(3 * MINUTE)
    await bot.parts.periodic_jobs.run_once()
    assert edits(world) == 0

    world.mexc.deposit(KEY, "USDT", Decimal("0.50"))
    await bot.live_for(3 * MINUTE)
    await bot.parts.periodic_jobs.run_once()

    assert edits(world) == 1
    assert "USDT     41.29" in world.api.sent(OWNER)[-1].text


async def test_a_new_status_closes_the_card_before(world: World, bot: Program):
    first = await bot.ask(OWNER, "/status")
    second = await bot.ask(OWNER, "/status")

    assert first.text == "A newer card is below. /status sends another one."
    assert first.labels == []
    assert second.labels
    assert await bot.count(StatusMessageRow) == 1


@pytest.mark.parametrize("fault", [GONE, TOO_OLD], ids=["deleted", "older than 48 h"])
async def test_an_old_card_that_cannot_be_edited_is_given_up_quietly(
    world: World, bot: Program, fault, caplog: pytest.LogCaptureFixture
):
    await bot.ask(OWNER, "/status")
    world.api.fail("editMessageText", fault)

    answers = await bot.say(OWNER, "/status")

    assert len(answers) == 1
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_refresh_reads_the_balances_and_edits_in_place(world: World, bot: Program):
    await bot.connect()
    card = await bot.ask(OWNER, "/status")
    world.mexc.deposit(KEY, "USDT", Decimal(10))
    world.clock.shift(timedelta(seconds=5))

    new = await bot.tap(OWNER, "Refresh")

    assert new == []
    assert "USDT     67.10" in card.text
    assert toast(world) == "Up to date"
    assert bot.world.api.called("answerCallbackQuery")


async def test_refreshing_twice_edits_once(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/status")
    world.clock.shift(MINUTE)
    await bot.tap(OWNER, "Refresh")
    before = edits(world)
    await bot.tap(OWNER, "Refresh")

    assert before == 1
    assert edits(world) == before
    assert toast(world) == "Up to date"


async def test_a_refreshed_balance_is_not_unlearned(world: World):
    """Not by the next round, nor by a restart, though no check has seen it."""
    async with world.program() as first:
        await first.connect()
        await first.checked()
        await first.ask(OWNER, "/pause")
        card = await first.ask(OWNER, "/status")
        world.mexc.deposit(KEY, "USDT", Decimal(10))
        world.clock.shift(timedelta(seconds=5))
        await first.tap(OWNER, "Refresh")
        await look_round(first)
        assert "USDT     50.79" in card.text
    async with world.program() as second:
        await look_round(second)
        await second.ask(OWNER, "/settarget 50")
        await look_round(second)

    assert "USDT     50.79" in card.text
    assert "target 50" in card.text
    assert "MNTL     100,000 ≈ 200.00 USDT" in card.text


async def test_refresh_says_so_when_mexc_does_not_answer(world: World, bot: Program):
    await bot.connect()
    card = await bot.ask(OWNER, "/status")
    world.mexc.inject(Fault(*ACCOUNT, reply=BAD_GATEWAY, times=None))
    world.clock.shift(MINUTE)

    await bot.tap(OWNER, "Refresh")

    assert toast(world).startswith("MEXC does not answer. The card shows what I saw 22 Nov 12:00")
    assert "USDT     57.10" in card.text


async def test_refresh_ends_the_spinner_within_a_second_while_mexc_hangs(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.rebalancing.preview._PATIENCE_S", 1.5)
    await bot.connect()
    await bot.ask(OWNER, "/status")
    world.mexc.inject(Fault(*ACCOUNT, hang=True, times=None))

    update_id = world.api.tap(OWNER, "Refresh")
    await world.api.wait_until(lambda: str(update_id) in world.api.answers, timeout=1.4)

    assert toast(world) == "⏳ One moment…"
    await bot.handled(update_id)
    assert len(world.api.sent(OWNER)) == 3  # nothing was sent but /connect, /resume, /status


async def test_typing_is_shown_while_mexc_is_asked(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.rebalancing.preview._PATIENCE_S", 1.0)
    await bot.connect()
    world.mexc.inject(Fault(*ACCOUNT, hang=True, times=None))
    update_id = world.api.say(OWNER, "/balance")
    await world.api.wait_for(OWNER, "One moment")
    methods = [call.method for call in world.api.calls if call.method != "getUpdates"]
    await bot.handled(update_id)

    assert methods[-2:] == ["sendChatAction", "sendMessage"]
    assert world.api.called("sendChatAction")[-1]["action"] == "typing"


async def test_pause_on_the_card_pauses_and_the_card_follows_at_once(world: World, bot: Program):
    await bot.connect()
    card = await bot.ask(OWNER, "/status")
    world.clock.shift(timedelta(seconds=10))

    (answer,) = await bot.tap(OWNER, "Pause", message=card)

    assert "Trading is paused" in answer.text
    assert card.text.startswith("⏸ PAUSED")
    assert "Resume" in card.labels


async def test_hasty_taps_edit_the_card_only_every_few_seconds(world: World, bot: Program):
    await bot.connect()
    card = await bot.ask(OWNER, "/status")
    world.clock.shift(timedelta(seconds=10))
    await bot.tap(OWNER, "Pause", message=card)
    await bot.say(OWNER, "/resume")
    assert edits(world) == 1

    await look_round(bot, after=timedelta(seconds=3))

    assert edits(world) == 2
    assert card.text.startswith("🟢 LIVE")


async def test_pin_and_unpin_are_silent_and_twice_is_once(world: World, bot: Program):
    card = await bot.ask(OWNER, "/status")
    await bot.tap(OWNER, "Pin")
    pinned = card.pinned
    assert toast(world) == "Pinned: the card stays on top."
    assert "Unpin" in card.labels

    await bot.tap(OWNER, "card:pin", forged=True)
    await bot.tap(OWNER, "Unpin")

    assert (pinned, card.pinned) == (True, False)
    assert "Pin" in card.labels
    assert {call["disable_notification"] for call in world.api.called("pinChatMessage")} == {
        "true"
    }


async def test_who_may_only_look_refreshes_but_does_not_pin(world: World, bot: Program):
    group = {"chat_type": "group"}
    await bot.say(GROUP, "/dryrun on", user_id=OWNER, **group)
    (card,) = await bot.say(GROUP, "/status", user_id=OWNER, **group)
    async with bot.database.writing() as session:
        now = world.clock.now()
        await members.admit(session, chat_id=GROUP, user_id=FRIEND, role=Role.VIEWER, now=now)
    world.clock.shift(MINUTE)

    await bot.tap(GROUP, "Pin", user_id=FRIEND)
    await bot.tap(GROUP, "Refresh", user_id=FRIEND)

    assert not card.pinned
    assert "Seen     22 Nov 12:01" in card.text
    assert "Pin" in card.labels  # the others keep their buttons


async def test_the_card_of_who_may_only_look_has_no_button_that_refuses(
    world: World, bot: Program
):
    group = {"chat_type": "group"}
    async with bot.database.writing() as session:
        now = world.clock.now()
        await members.admit(session, chat_id=GROUP, user_id=FRIEND, role=Role.VIEWER, now=now)
    (card,) = await bot.say(GROUP, "/status", user_id=FRIEND, **group)
    at_first = card.labels
    world.clock.shift(MINUTE)
    await bot.say(GROUP, "/settarget 50", user_id=OWNER, **group)
    changed, after_a_change = card.text, card.labels
    await bot.tap(GROUP, "Refresh", user_id=OWNER)

    assert at_first == after_a_change == ["Refresh", "Why", "History"]
    assert "target 50" in changed
    assert "Pause" in card.labels or "Resume" in card.labels


async def test_a_stranger_taps_the_card_in_vain(world: World, bot: Program):
    await bot.say(GROUP, "/dryrun on", user_id=OWNER, chat_type="group")
    (card,) = await bot.say(GROUP, "/status", user_id=OWNER, chat_type="group")
    world.clock.shift(MINUTE)

    await bot.tap(GROUP, "Refresh", user_id=STRANGER)
    await bot.tap(GROUP, "Pin", user_id=STRANGER)

    assert not card.pinned
    assert "Seen     22 Nov 12:00" in card.text


async def test_the_pin_moves_along_to_the_next_card(world: World, bot: Program):
    first = await bot.ask(OWNER, "/status")
    await bot.tap(OWNER, "Pin")
    second = await bot.ask(OWNER, "/status")

    assert (first.pinned, second.pinned) == (False, True)
    assert "Unpin" in second.labels


async def test_where_the_bot_may_not_pin_it_says_what_it_needs(world: World, bot: Program):
    card = await bot.ask(OWNER, "/status")
    words = "Bad Request: not enough rights to manage pinned messages in the chat"
    world.api.fail("pinChatMessage", refused(400, words))

    await bot.tap(OWNER, "Pin")

    assert "make me an admin who may pin messages" in toast(world)
    assert "Pin" in card.labels


async def test_a_made_up_tap_does_not_turn_another_message_into_the_card(
    world: World, bot: Program
):
    card = await bot.ask(OWNER, "/status")
    other = await bot.ask(OWNER, "/version")
    said = other.text

    await bot.tap(OWNER, "card:refresh", message=other, forged=True)
    await bot.tap(OWNER, "card:pin", message=other, forged=True)

    assert (other.text, other.pinned) == (said, False)
    assert "Refresh" in card.labels


async def test_a_tap_on_an_older_card_changes_nothing_but_closes_it(world: World, bot: Program):
    world.api.fail("editMessageText", server_error())
    first = await bot.ask(OWNER, "/status")
    second = await bot.ask(OWNER, "/status")
    assert first.labels  # Telegram was away, the buttons are still there

    await bot.tap(OWNER, "Pin", message=first)

    assert toast(world).startswith("A newer card is below")
    assert first.labels == []
    assert not first.pinned
    assert second.labels


async def test_a_card_whose_message_is_gone_is_forgotten(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/status")
    await bot.check()
    world.api.fail("editMessageText", GONE)
    await look_round(bot)
    assert await bot.count(StatusMessageRow) == 0

    await look_round(bot)
    assert edits(world) == 1


async def test_a_chat_that_blocked_the_bot_has_no_card(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/status")
    await bot.check()
    world.api.fail("editMessageText", FORBIDDEN)
    await look_round(bot)

    assert await bot.count(StatusMessageRow) == 0


async def test_a_forgotten_card_that_is_tapped_is_kept_again(world: World, bot: Program):
    await bot.ask(OWNER, "/dryrun on")
    card = await bot.ask(OWNER, "/status")
    async with bot.database.writing() as session:
        await session.delete(await session.get_one(StatusMessageRow, OWNER))
    world.clock.shift(MINUTE)

    await bot.tap(OWNER, "Refresh")

    assert "Seen     22 Nov 12:01" in card.text
    assert await bot.count(StatusMessageRow) == 1


async def test_when_telegram_is_flooded_all_cards_wait(world: World, bot: Program):
    for chat_id in (OWNER, FRIEND):
        await bot.ask(chat_id, "/status")
        await bot.ask(chat_id, "/settarget 50")
    before = edits(world)
    world.api.fail("editMessageText", too_many_requests(90))
    await look_round(bot)
    await look_round(bot)
    assert edits(world) == before + 1

    await look_round(bot)

    cards = [world.api.sent(chat_id)[0].text for chat_id in (OWNER, FRIEND)]
    assert all("target 50" in text for text in cards)
    assert edits(world) == before + 3


async def test_a_card_is_gone_on_with_after_a_restart(world: World):
    async with world.program() as first:
        card = await first.ask(OWNER, "/status")
        await first.ask(OWNER, "/settarget 50")
    async with world.program() as second:
        await look_round(second)
        await second.tap(OWNER, "Refresh")

    assert "target 50" in card.text
    assert len(world.api.sent(OWNER)) == 2


async def test_of_several_processes_one_edits_the_card(world: World, postgres_url: str):
    world = replace(world, url=postgres_url)  # which processes share
    env = {"ENCRYPTION_KEYS": Fernet.generate_key().decode()}
    async with world.program(env) as first:
        card = await first.ask(OWNER, "/status")
        async with world.program(env) as second:
            for program in (first, second):
                await program.parts.dispatcher.tick()
            async with first.database.writing() as session:
                await accounts.change(
                    session, await first.account(), target=FixedUsdt(Decimal(50))
                )
            world.clock.shift(MINUTE)
            before = edits(world)
            for program in (second, first, second, first):
                await program.parts.periodic_jobs.run_once()

    assert "target 50" in card.text
    assert edits(world) == before + 1


async def test_the_card_goes_along_into_the_supergroup(world: World, bot: Program):
    group = {"chat_type": "group", "user_id": OWNER}
    (card,) = await bot.say(GROUP, "/status", **group)
    await bot.tap(GROUP, "Pin", user_id=OWNER)
    await bot.say(GROUP, "/settarget 50", **group)
    world.api.migrate(GROUP, SUPERGROUP)

    await look_round(bot)  # hears of it
    await look_round(bot, after=timedelta(seconds=5))

    (anew,) = world.api.sent(SUPERGROUP)
    assert "target 50" in anew.text
    assert anew.pinned
    assert anew.silent
    assert card.message_id != anew.message_id
    await look_round(bot)
    assert len(world.api.sent(SUPERGROUP)) == 1
