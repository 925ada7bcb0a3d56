"""Chats that see another chat's account: their alerts and card, and groups that ask to be let in."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.rendering.image_process import ImageProcess
from bot.views.charts.theme import Theme, palette
from engine.accounts.overview import AccountOverview, AccountOverviews
from engine.domain.accounts.account import Account
from engine.domain.accounts.shares import SharedAlerts
from engine.storage.accounts import shares
from engine.storage.models.chat import StatusMessageRow
from tests.bot.harness import OWNER, STRANGER, Program, World
from tests.fakes.telegram_messages import SentMessage

MIA, CLUB, EVE = 2001, -6006, STRANGER
NAMES = {OWNER: "Olga", MIA: "Mia", EVE: "Eve"}
MINUTE = timedelta(minutes=1)


async def a_code(bot: Program, role: str = "trader") -> str:
    link = await bot.ask(OWNER, f"/share {role}")
    found = re.search(r"/start ([\w-]{11,})", link.text)
    assert found is not None, link.text
    return found[1]


async def a_shared_chat(bot: Program, role: str = "trader") -> None:
    """Mia's private chat sees the owner's account, which trades."""
    await bot.connect()
    await bot.ask(MIA, f"/start {await a_code(bot, role)}", name="Mia")
    await bot.told(OWNER)


async def in_club(bot: Program, user_id: int, text: str) -> list[SentMessage]:
    return await bot.say(CLUB, text, user_id=user_id, chat_type="group", name=NAMES[user_id])


async def a_club(bot: Program) -> None:
    """The owner has let a group see the account, as Mia asked."""
    await bot.connect()
    code = await a_code(bot)
    await in_club(bot, MIA, f"/start@ballast_bot {code}")
    await bot.told(OWNER)
    await bot.tap(OWNER, "Let it see")
    await bot.told(CLUB)


async def test_a_trade_is_told_in_every_chat_that_sees_the_account(world: World, bot: Program):
    await a_shared_chat(bot, "viewer")
    [own] = await bot.checked(OWNER)

    assert "Bought" in own.text
    assert world.api.texts(MIA)[-1] == own.text


async def test_a_shared_chat_has_a_card_until_it_is_removed(world: World, bot: Program):
    await a_shared_chat(bot)
    card = await bot.ask(MIA, "/status")
    await bot.checked(OWNER)
    world.clock.shift(MINUTE)
    await bot.parts.dispatcher.tick()
    await bot.parts.periodic_jobs.run_once()
    after_trade = card.text
    async with bot.database.writing() as session:
        await shares.remove(session, MIA)
    edits = len(card.edits)
    await bot.tap(MIA, "Refresh", message=card)
    world.clock.shift(20 * MINUTE)
    await bot.parts.dispatcher.tick()
    await bot.parts.periodic_jobs.run_once()

    assert "bought 8,142" in after_trade
    assert len(card.edits) == edits


async def test_a_card_that_is_drawn_while_its_chat_is_removed_is_not_shown_there(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    await a_shared_chat(bot)
    card = await bot.ask(MIA, "/status")
    await bot.checked(OWNER)
    read = AccountOverviews.of

    async def of(overviews: AccountOverviews, account: Account) -> AccountOverview:
        async with bot.database.writing() as session:
            await shares.remove(session, MIA)
        return await read(overviews, account)

    monkeypatch.setattr(AccountOverviews, "of", of)
    world.clock.shift(20 * MINUTE)
    await bot.parts.dispatcher.tick()
    await bot.parts.periodic_jobs.run_once()

    assert card.edits == []


async def test_what_a_trader_changes_is_told_to_the_owner_with_the_name(
    world: World, bot: Program
):
    await a_shared_chat(bot)
    card = await bot.ask(OWNER, "/status")
    await bot.ask(MIA, "/status")
    await bot.ask(MIA, "/pause")
    told = await bot.told(OWNER)
    world.clock.shift(timedelta(seconds=3))
    await bot.parts.dispatcher.tick()
    await bot.parts.periodic_jobs.run_once()
    await bot.ask(OWNER, "/settarget 41")
    await bot.told(OWNER)

    assert [message.text.splitlines()[1] for message in told] == ["Mia paused trading."]
    assert "PAUSED" in card.text
    assert "set the target to 41.00 USDT." in world.api.texts(MIA)[-1]


async def test_a_group_is_let_in_by_the_owners_tap_alone(world: World, bot: Program):
    await bot.connect()
    code = await a_code(bot)
    [asked] = await in_club(bot, MIA, f"/start@ballast_bot {code}")
    before = await in_club(bot, EVE, "/status")
    [copied] = await bot.say(EVE, f"/start {code}")  # everybody in the group has read it
    [card] = await bot.told(OWNER)
    question = card.text
    await bot.tap(OWNER, "Let it see", message=card)
    [told] = await bot.told(CLUB)
    [status] = await in_club(bot, EVE, "/status")
    [refused] = await in_club(bot, EVE, "/pause")
    [paused] = await in_club(bot, MIA, "/pause")

    assert "I asked the owner of the account in private." in asked.text
    assert not [answer for answer in before if "USDT" in answer.text]
    assert "This link was used already." in copied.text
    assert "The group: Group" in question
    assert "Mia (id 2001) sent your link there." in question
    assert "This group sees an account now" in told.text
    assert "Mia and the group's traders could also pause" in question
    assert "Mia and the group's traders may also trade" in told.text
    assert "USDT" in status.text
    assert "Nothing changed." in refused.text
    assert "paused" in paused.text.lower()
    assert (await bot.account(OWNER)).settings.paused


async def test_a_group_that_is_refused_hears_it_and_the_link_is_used_up(
    world: World, bot: Program
):
    await bot.connect()
    code = await a_code(bot)
    await in_club(bot, MIA, f"/start@ballast_bot {code}")
    await bot.told(OWNER)
    await bot.tap(OWNER, "No")
    [told] = await bot.told(CLUB)
    [again] = await in_club(bot, MIA, f"/start@ballast_bot {code}")
    await in_club(bot, MIA, f"/start@ballast_bot {await a_code(bot)}")
    [card] = await bot.told(OWNER)
    world.clock.shift(timedelta(hours=24, seconds=1))
    await bot.tap(OWNER, "Let it see")

    assert "This group does not see the account." in told.text
    assert "does not work any more" in again.text
    assert card.text.startswith("Nothing changed. This link does not work any more.")
    assert await bot.scalar(select(StatusMessageRow.chat_id)) is None


async def test_a_group_chooses_its_alerts_by_who_sent_the_link(world: World, bot: Program):
    await a_club(bot)
    [looked] = await in_club(bot, EVE, "/alerts off")
    [changed] = await in_club(bot, MIA, "/alerts troubles")
    await in_club(bot, MIA, "/alerts zone Asia/Tokyo")
    async with bot.database.reading() as session:
        share = await shares.of_chat(session, CLUB)
    known = len(world.api.sent(CLUB))
    await bot.checked(OWNER)

    assert "Who sent the link here chooses that." in looked.text
    assert "Only troubles come here" in changed.text
    assert share is not None
    assert (share.alerts, share.time_zone) == (SharedAlerts.TROUBLES, "Asia/Tokyo")
    assert world.api.sent(CLUB)[known:] == []  # of a purchase


async def test_profit_and_pictures_have_the_zone_and_theme_of_the_chat_that_asks(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    drawn: list[str] = []

    async def draw(_: ImageProcess, svg: str) -> bytes:
        drawn.append(svg)
        return b"\x89PNG"

    monkeypatch.setattr(ImageProcess, "draw", draw)
    await a_shared_chat(bot, "viewer")
    await bot.ask(OWNER, "/alerts pictures light")
    await bot.ask(MIA, "/alerts zone Asia/Tokyo")
    await bot.checked(OWNER)
    world.clock.shift(timedelta(hours=4))
    there = await bot.ask(MIA, "/profit 2026-11-23")  # began an hour ago in Tokyo
    here = await bot.ask(OWNER, "/profit 2026-11-23")
    for chat in (MIA, OWNER):
        await bot.say(chat, "/chart")

    assert "Since 23 Nov 00:00, Asia/Tokyo." in there.text
    assert "still to come" in here.text
    assert [palette(Theme.LIGHT).background in svg for svg in drawn] == [False, True]
