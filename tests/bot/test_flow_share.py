"""`/share`, `/leave` and the end of it: another person watches or helps with a real account."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.access.permissions import needed_for, needed_for_press
from bot.interaction.callback_data import (
    EnterValue,
    PanelPage,
    Report,
    SetAlert,
    SetPreset,
    Word,
)
from bot.views.help import COMMANDS
from engine.domain.accounts.members import Role
from engine.storage.models.accounts import AuditRow, ShareLinkRow, ShareRow
from engine.storage.models.trading import RunRequestRow
from tests.bot.harness import (
    FRIEND,
    GROUP,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    OWNER,
    Program,
    World,
)
from tests.fakes.telegram_messages import SentMessage

ANNA, BEN = 2001, 2002
DAY = timedelta(days=1)


def code_in(message: SentMessage) -> str:
    found = re.search(r"/start ([\w-]{11,})", message.text)
    assert found is not None, message.text
    assert f"https://t.me/ballast_bot?start={found[1]}" in message.text
    return found[1]


async def shared(
    bot: Program, role: str, whom: int = ANNA, *, by: int = OWNER
) -> list[SentMessage]:
    """*whom* opens a new link of *by*'s, whose key is connected; the answer."""
    code = code_in(await bot.ask(by, f"/share {role}"))
    return await bot.say(whom, f"/start {code}", name="Anna")


async def test_a_stranger_with_a_link_looks_at_that_account_and_changes_nothing(
    world: World, bot: Program
):
    await bot.connect()
    choice = await bot.ask(OWNER, "/share")
    [link] = await bot.tap(OWNER, "Viewer")
    code = code_in(link)
    [welcome] = await bot.say(ANNA, f"/start {code}", name="Anna")
    [told] = await bot.told(OWNER)
    [late] = await bot.say(BEN, f"/start {code}")
    [again] = await bot.say(BEN, "/status")
    status = await bot.ask(ANNA, "/status")
    refused = [await bot.ask(ANNA, text) for text in ("/pause", "/settarget 41", "/connect a b")]

    assert "/share trader" in choice.text
    assert "works once, until 23 Nov" in link.text
    assert "Your role: viewer. A viewer looks and changes nothing." in welcome.text
    assert "Anna (id 2001) sees your account now. Role: viewer." in told.text
    assert "used already" in late.text
    assert "only work for people I know" in again.text
    assert "target 40" in status.text
    assert "Only traders and the owner of this account" in refused[0].text
    assert "Only traders and the owner of this account" in refused[1].text
    assert "You may not add a key in this chat." in refused[2].text
    assert code not in "".join(await bot.scalar(select(ShareLinkRow.code_hash)))
    assert await bot.parts.access.own_role(chat_id=ANNA, user_id=ANNA) is None
    with pytest.raises(LookupError):
        await bot.account(ANNA)
    scopes = [str(params.get("scope")) for params in world.api.called("setMyCommands")]
    assert any(str(ANNA) in scope for scope in scopes)


async def test_a_trader_does_what_a_trader_may_and_the_owner_sees_who_did_it(
    world: World, bot: Program
):
    await bot.connect()
    await shared(bot, "viewer")
    await bot.ask(ANNA, "/status")
    [welcome] = await shared(bot, "trader")
    await bot.told(OWNER)
    changed = (await bot.ask(ANNA, "/settarget 41")).text
    await bot.tap(ANNA, "↩️ Undo")
    paused = await bot.ask(ANNA, "/pause")
    resumed = await bot.ask(ANNA, "/resume")
    await bot.ask(ANNA, "/rebalance")
    await bot.tap(ANNA, "Trade")
    await bot.checked()
    audit = await bot.ask(OWNER, "/audit")
    limits = await bot.ask(ANNA, "/limits")
    refused = {
        text: (await bot.ask(ANNA, text)).text
        for text in ("/dryrun on", "/limits day 5", "/export", "/logs", "/share viewer", "/buy 20")
    }

    assert "Your role: trader." in welcome.text
    assert "41.00 USDT" in changed
    assert paused.text.startswith("⏸ PAUSED")
    assert "LIVE" in resumed.text
    assert [order.side for order in world.mexc.orders] == ["BUY"]
    assert audit.text.count("Anna") >= 5
    assert limits.labels == ["/status", "/why"]
    assert "trade" in audit.text
    assert all("Only the owner of this account" in text for text in refused.values()), refused
    assert (await bot.account()).settings.fixed_goal.target == 40


async def test_a_removed_trader_is_told_once_and_what_they_asked_for_does_not_leave(
    world: World, bot: Program
):
    await bot.connect()
    await shared(bot, "trader")
    await bot.ask(ANNA, "/rebalance")
    await bot.tap(ANNA, "Trade")
    before = (await bot.account()).version
    panel = await bot.ask(OWNER, "/share list")
    listed = panel.text
    await bot.tap(OWNER, "Anna")
    asked = panel.text
    await bot.tap(OWNER, "Yes, remove")
    waiting = await bot.count(RunRequestRow)
    told = await bot.told(ANNA)
    refused = await bot.ask(ANNA, "/pause")

    assert world.mexc.orders == []
    assert waiting == 0
    assert (await bot.account()).version > before
    assert "trader, since" in listed
    assert "Remove Anna (id 2001)?" in asked
    assert "Anna does not see your account any more." in panel.text
    assert [m.text.splitlines()[1] for m in told] == ["Its owner removed this chat."]
    assert "only work for people I know" in refused.text
    assert not (await bot.account()).settings.paused
    assert await bot.count(ShareRow) == 0


async def test_the_shared_account_stands_in_place_of_ones_own_until_it_is_left(
    world: World, bot: Program
):
    await bot.connect()
    await bot.ask(FRIEND, "/dryrun on")
    await bot.ask(FRIEND, "/resume")
    question = await bot.ask(FRIEND, "/rebalance")
    [welcome] = await shared(bot, "trader", FRIEND)
    await bot.tap(FRIEND, "Trade", message=question)
    connect = await bot.ask(FRIEND, f"/connect {OTHER_KEY} {OTHER_SECRET}")
    seen = await bot.ask(FRIEND, "/balance")
    own = await bot.account(FRIEND)
    await bot.ask(FRIEND, "/leave")
    [left] = await bot.tap(FRIEND, "Leave")
    [told] = [m for m in await bot.told(OWNER) if "left" in m.text]
    mine = await bot.ask(FRIEND, "/balance")

    assert "Trading in this chat's own account is paused." in welcome.text
    assert await bot.count(RunRequestRow) == 0
    assert "You may not add a key in this chat." in connect.text
    assert "LIVE" in seen.text
    assert own.settings.paused
    assert own.settings.fixed_goal.target == 40
    assert "sees its own account again" in left.text
    assert "left your account" in told.text
    assert "dry run" in mine.text


async def test_a_link_is_refused_where_it_would_mix_two_accounts(world: World, bot: Program):
    await bot.connect()
    world.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="50")
    await bot.ask(FRIEND, f"/connect {OTHER_KEY} {OTHER_SECRET}")
    [own_key] = await shared(bot, "viewer", FRIEND)
    [runs_it] = await shared(bot, "viewer", OWNER, by=FRIEND)
    await shared(bot, "viewer")
    [other] = await shared(bot, "viewer", by=FRIEND)
    in_group = await bot.say(
        GROUP,
        f"/start {code_in(await bot.ask(OWNER, '/share viewer'))}",
        user_id=OWNER,
        chat_type="group",
    )

    assert "trades with a key of its own" in own_key.text
    assert "You run this bot" in runs_it.text
    assert "sees another account already" in other.text
    assert "I asked the owner of the account in private." in in_group[0].text


async def test_a_link_ends_with_its_day_its_button_and_the_key(world: World, bot: Program):
    await bot.connect()
    link = await bot.ask(OWNER, "/share viewer")
    code = code_in(link)
    await bot.tap(OWNER, "Withdraw the link", message=link)
    [withdrawn] = await bot.say(ANNA, f"/start {code}")
    old = code_in(await bot.ask(OWNER, "/share viewer"))
    world.clock.shift(DAY + timedelta(seconds=1))
    [expired] = await bot.say(ANNA, f"/start {old}")
    kept = code_in(await bot.ask(OWNER, "/share viewer"))
    await shared(bot, "viewer", BEN)
    await bot.told(BEN)
    await bot.ask(OWNER, "/disconnect")
    await bot.tap(OWNER, "Forget the key")
    [told] = await bot.told(BEN)
    [gone] = await bot.say(ANNA, f"/start {kept}")

    assert code not in link.text
    assert "does not work any more" in withdrawn.text
    assert "does not work any more" in expired.text
    assert "took out the key" in told.text
    assert "does not work any more" in gone.text
    assert await bot.count(ShareRow) == 0
    actions = await bot.scalar(select(AuditRow.action).where(AuditRow.action == "unshare"))
    assert actions == "unshare"


async def test_the_bots_owner_sees_beside_the_people_who_sees_the_account(bot: Program):
    await bot.connect()
    await shared(bot, "viewer")
    members = await bot.ask(OWNER, "/members")
    await bot.tap(OWNER, "Who sees my account")

    assert "These see your account too: Anna." in members.text
    assert "viewer, since" in bot.world.api.sent(OWNER)[-1].text


async def test_what_mexc_says_of_the_key_is_for_its_owner_alone(world: World, bot: Program):
    await bot.connect()
    await shared(bot, "viewer")
    world.mexc.ledger.accounts[KEY].addresses = ("203.0.113.7",)
    await bot.checked()
    await bot.told(ANNA)
    for command in ("/why", "/status", "/balance", "/history", "/doctor", "/settings", "/alerts"):
        await bot.ask(ANNA, command)
        world.clock.shift(timedelta(seconds=30))  # viewers are answered five times a minute
    said = "\n".join(world.api.texts(ANNA))

    assert "/why" in said
    assert all(secret not in said for secret in ("203.0.113.7", "BWC5", KEY))


async def test_a_key_that_is_sent_where_none_is_taken_is_deleted_all_the_same(
    world: World, bot: Program
):
    await bot.connect()
    await shared(bot, "viewer")
    known = len(world.api.called("deleteMessage"))
    sent = f"/connect {OTHER_KEY} {OTHER_SECRET}"
    answers = [await bot.ask(ANNA, text) for text in (sent, OTHER_KEY)]
    answers += await bot.say(GROUP, sent, user_id=FRIEND, chat_type="group")

    assert len(world.api.called("deleteMessage")) - known == len(answers) == 3
    assert all("You may not add a key in this chat." in answer.text for answer in answers)


async def test_a_chat_is_shown_no_button_and_no_command_that_it_may_not_use(bot: Program):
    await bot.connect()
    for whom, role in ((ANNA, "viewer"), (BEN, "trader")):
        await shared(bot, role, whom)
    helped, *shown = [await bot.ask(ANNA, text) for text in ("/help", "/settings", "/mode")]
    panel = await bot.ask(BEN, "/settings")
    offered = panel.labels
    await bot.tap(BEN, "🎯 Target", message=panel)
    asked = [(await bot.ask(BEN, text)).labels for text in ("/deposits", "/shar")]

    assert "/settarget" not in helped.text
    assert "/leave – Stop seeing another's account" in helped.text
    looks = ["Status", "Why", "Balance", "History", "Profit", "Chart"]
    assert helped.labels == [*looks, "Alerts", "Leave"]
    pages = ["🤖 Mode", "🔔 Alerts", "↔️ Bands", "↪️ Destination", "🛡 Protect", "🗓 Schedule"]
    pages += ["⏳ Cooldown", "📉 Guard"]
    assert [answer.labels for answer in shown] == [pages, []]
    assert offered == ["🎯 Target", "📏 Threshold", *pages]
    assert "✏️ Other…" in panel.labels
    assert asked == [[], ["Help"]]


async def test_wrong_codes_count_for_links_too(bot: Program):
    await bot.connect()
    code = code_in(await bot.ask(OWNER, "/share viewer"))
    answers = [
        (await bot.say(ANNA, f"/start {n}cef-3mne-xa4r-wyct"))[0].text for n in (3, 4, 6, 7)
    ]
    await bot.say(ANNA, "/start hcef-3mne-xa4r-wyct")
    late = await bot.say(ANNA, f"/start {code}")

    assert "You have 1 try left today." in answers[-1]
    assert all("You see" not in one.text and "sees the account" not in one.text for one in late)
    assert await bot.count(ShareRow) == 0


async def test_only_the_owner_of_a_key_makes_a_link_and_in_its_private_chat(bot: Program):
    no_key = await bot.ask(FRIEND, "/share viewer")
    [group] = await bot.say(GROUP, "/share viewer", user_id=OWNER, chat_type="group")

    assert "There is no MEXC key here." in no_key.text
    assert "A group has no key of its own." in group.text
    assert await bot.count(ShareLinkRow) == 0


async def test_a_share_that_ends_while_a_command_is_carried_out_changes_nothing(
    bot: Program, monkeypatch: pytest.MonkeyPatch
):
    await bot.connect()
    await shared(bot, "trader")
    accounts = bot.parts.access  # any step between the check of the role and the change will do
    parse = accounts.visit

    async def visit(**who: object) -> object:
        found = await parse(**who)  # type: ignore[arg-type]
        if who["chat_id"] == ANNA:
            async with bot.database.writing() as session:
                await session.execute(update(ShareRow).values(role=Role.VIEWER))
        return found

    monkeypatch.setattr(accounts, "visit", visit)
    answers = await bot.say(ANNA, "/settarget 41")

    assert [answer.text.splitlines()[0] for answer in answers] == [
        "This chat does not see that account any more."
    ]
    assert (await bot.account()).settings.fixed_goal.target == 40


async def test_the_pause_of_a_trader_overtakes_as_everybodys_and_a_viewers_does_not(
    bot: Program,
):
    await bot.connect()
    for whom, role in ((ANNA, "trader"), (BEN, "viewer")):
        await shared(bot, role, whom)
    access = bot.parts.access

    async with bot.database.reading() as session:
        may = [await access.may_trade(session, chat_id=one, user_id=one) for one in (ANNA, BEN)]
        known = await access.known_chats(session, {ANNA, BEN, 6666})

    assert may == [True, False]
    assert known == {ANNA, BEN}


def test_with_anothers_account_everything_but_a_trader_s_part_is_its_owners():
    allowed = {
        name for name, _ in COMMANDS if Role.TRADER.covers(needed_for(name, "x", is_shared=True))
    }
    page, value = PanelPage.INTERVAL, "60"

    assert allowed == {
        *("status", "why", "history", "balance", "chart", "profit", "version", "help"),
        *("start", "leave"),
        *("pause", "stop", "resume", "rebalance", "settarget", "setthreshold"),
        "alerts",  # of the chat that sees the account, and of nobody else's
    }
    assert needed_for("pause", "", is_shared=True) is Role.TRADER
    for press in (
        SetPreset(page, value),
        EnterValue(PanelPage.LIMITS),
        Report(Word.FILLED, "order-1"),
        SetAlert("trade", "off"),
    ):
        assert needed_for_press(press, is_shared=True) is Role.OWNER
    assert needed_for_press(SetPreset(PanelPage.TARGET, "40"), is_shared=True) is Role.TRADER
