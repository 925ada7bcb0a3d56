"""`/invite` and `/members` through the whole program: in, up, down, out, and nobody in between."""

import hmac
import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from engine.domain.accounts.members import Role
from engine.storage.accounts import members
from engine.storage.models.accounts import MemberRow
from tests.bot.harness import FRIEND, GROUP, OWNER, STRANGER, SUPERGROUP, Program, World
from tests.fakes.telegram_messages import SentMessage

ANNA, BEN = 2001, 2002


async def say(bot: Program, user_id: int, typed: str, *, chat: int = GROUP) -> list[SentMessage]:
    return await bot.say(chat, typed, user_id=user_id, chat_type="group", name=NAMES[user_id])


NAMES = {OWNER: "Olga", FRIEND: "Fred", ANNA: "Anna <b>", BEN: "Ben", STRANGER: "Eve"}


async def asked(bot: Program, user_id: int, typed: str, *, chat: int = GROUP) -> SentMessage:
    [answer] = await say(bot, user_id, typed, chat=chat)
    return answer


async def tap(bot: Program, user_id: int, label: str, **how: object) -> list[SentMessage]:
    return await bot.tap(GROUP, label, user_id=user_id, **how)


def code_in(message: SentMessage) -> str:
    found = re.search(r"/start ([\w-]{11,})", message.text)
    assert found is not None, message.text
    assert f"https://t.me/ballast_bot?start={found[1]}" in message.text
    return found[1]


async def code_for(bot: Program, what: str = "trader", *, chat: int = GROUP) -> str:
    """It is sent to the owner in private, wherever it is made."""
    bot.world.api.open_chat(OWNER)
    await say(bot, OWNER, f"/invite {what}", chat=chat)
    return code_in(bot.world.api.sent(OWNER)[-1])


async def let_in(bot: Program, user_id: int, role: Role = Role.TRADER) -> None:
    bot.world.api.names[user_id] = NAMES[user_id]
    async with bot.database.writing() as session:
        await members.admit(
            session,
            chat_id=GROUP,
            user_id=user_id,
            role=role,
            name=NAMES[user_id],
            now=bot.world.clock.now(),
        )


async def role(bot: Program, user_id: int, *, chat: int = GROUP) -> Role | None:
    return await bot.parts.access.role(chat_id=chat, user_id=user_id)


async def make(bot: Program, by: int, name: str, option: str, *, sure: str) -> SentMessage:
    """From the list to the last question, and yes; the message as it is then."""
    panel = await asked(bot, by, "/members")
    await tap(bot, by, name, message=panel)
    await tap(bot, by, option, message=panel)
    await tap(bot, by, sure, message=panel)
    return panel


async def test_a_code_made_in_a_group_admits_whoever_sends_it_there_once(
    world: World, bot: Program
):
    choice = await asked(bot, OWNER, "/invite")
    world.api.open_chat(OWNER)
    [told] = await tap(bot, OWNER, "Trader")
    [offer] = world.api.sent(OWNER)
    code = code_in(offer)
    welcome = await asked(bot, ANNA, f"/start {code}")
    status = await asked(bot, ANNA, "/settarget 41")
    [late] = await say(bot, BEN, f"/start {code}")

    assert code not in "".join(world.api.texts(GROUP))
    assert "I sent you a code for a new trader in our private chat." in told.text
    assert choice.labels == ["Viewer", "Trader"]
    assert "/invite trader" in choice.text
    assert "works once, until 23 Nov" in offer.text
    assert "Welcome! Your role in this chat: trader." in welcome.text
    assert "41.00 USDT" in status.text
    assert "used already" in late.text
    assert await bot.told(GROUP) == []  # who saw it is not told
    assert await role(bot, BEN) is None
    assert await role(bot, ANNA) is Role.TRADER
    assert await role(bot, ANNA, chat=ANNA) is None


async def test_where_no_private_chat_is_open_no_code_is_made(world: World, bot: Program):
    told = await asked(bot, OWNER, "/invite trader")
    tried = "".join(str(params) for params in world.api.called("sendMessage"))
    codes = re.findall(r"<code>/start ([\w-]{11,})", tried)
    [refused] = await say(bot, ANNA, f"/start {codes[0]}")

    assert "Open a private chat with me and send /start there" in told.text
    assert codes[0] not in told.text
    assert "does not work any more" in refused.text
    assert await role(bot, ANNA) is None


async def test_a_viewer_looks_and_changes_nothing(bot: Program):
    code = await code_for(bot, "viewer")
    await say(bot, ANNA, f"/start {code}")

    status = await asked(bot, ANNA, "/status")
    refused = await asked(bot, ANNA, "/pause")
    invites = await asked(bot, ANNA, "/invite viewer")

    assert "target 40" in status.text
    assert "Your role here: viewer." in refused.text
    assert "Only owners of this chat" in invites.text


async def test_a_groups_code_sent_in_private_admits_to_the_group_and_says_so(bot: Program):
    code = await code_for(bot)

    told = await bot.ask(ANNA, f"/start {code}")
    private = await bot.ask(ANNA, "/status")

    assert "Your role in the group of this code: trader." in told.text
    assert "In this chat nothing changed" in told.text
    [alert] = await bot.told(GROUP)
    assert f"User {ANNA} (id {ANNA}) joined with a code of this chat. Role: trader." in alert.text
    assert "only work for people I know" in private.text
    assert await role(bot, ANNA) is Role.TRADER


async def test_the_bots_owner_invites_from_his_private_chat_to_an_account_of_ones_own(
    world: World, bot: Program
):
    await bot.ask(OWNER, "/status")
    choice = await bot.ask(OWNER, "/invite")
    [offer] = await bot.tap(OWNER, "Make a code")
    welcome = await bot.ask(ANNA, f"/start {code_in(offer)}")
    await bot.ask(ANNA, "/settarget 77")
    group = await asked(bot, ANNA, "/status")

    assert "with a key of their own" in choice.text
    [alert] = await bot.told(OWNER)
    assert "used your code. They have a private chat with me now." in alert.text
    assert "This chat may use me now" in welcome.text
    assert (await bot.account(ANNA)).settings.fixed_goal.target == 77
    assert (await bot.account(OWNER)).settings.fixed_goal.target == 40
    # Their own chat is all they were invited to.
    assert "only work for people I know" in group.text


async def test_a_private_chats_code_sent_in_a_group_leaves_the_group_as_it_is(bot: Program):
    code = code_in(await bot.ask(OWNER, "/invite private"))

    told = await asked(bot, ANNA, f"/start {code}")

    assert "You may use me in a private chat now" in told.text
    assert await role(bot, ANNA) is None
    assert await role(bot, ANNA, chat=ANNA) is Role.OWNER


async def test_others_cannot_invite_from_a_private_chat(bot: Program):
    refused = await bot.ask(FRIEND, "/invite trader")
    alone = await bot.ask(FRIEND, "/members")

    assert "only my owner can invite" in refused.text
    assert "Nobody else sees your account." in alone.text
    assert refused.labels == []
    assert alone.labels == ["Share"]


async def test_a_word_that_is_no_role_invites_nobody(bot: Program):
    answer = await asked(bot, OWNER, "/invite owner")

    assert "I made no code" in answer.text
    assert "/invite viewer" in answer.text


async def test_a_code_is_good_for_24_hours_also_after_a_restart(world: World):
    async with world.program() as first:
        good, late = await code_for(first), await code_for(first)
    world.clock.shift(timedelta(hours=23, minutes=59))
    async with world.program() as second:
        welcome = await asked(second, ANNA, f"/start {good}")
        world.clock.shift(timedelta(minutes=2))
        expired = await asked(second, BEN, f"/start {late}")

        assert "Welcome!" in welcome.text
        assert "does not work any more" in expired.text
        assert await role(second, BEN) is None


async def test_wrong_codes_cost_a_strangers_tries_and_nobody_elses(world: World, bot: Program):
    code = await code_for(bot)

    wrong = [await bot.say(STRANGER, f"/start guess{n}") for n in range(5)]
    unheard = await bot.say(STRANGER, f"/start {code}")
    silent = await bot.say(STRANGER, f"/start {code}")
    in_group = await say(bot, STRANGER, f"/start {code}")
    welcome = await asked(bot, ANNA, f"/start {code}")

    assert ["left today" in answer.text for [answer] in wrong[:4]] == [True] * 4
    assert "You have 1 try left today." in wrong[3][0].text
    assert "no tries left today" in wrong[4][0].text
    assert "only work for people I know" in unheard[0].text
    assert silent == in_group == []
    assert await role(bot, STRANGER) is None
    assert "Welcome!" in welcome.text

    world.clock.shift(timedelta(hours=24, minutes=1))
    again = await code_for(bot)
    assert "Welcome!" in (await asked(bot, STRANGER, f"/start {again}")).text


async def test_codes_are_kept_as_hashes_and_compared_in_constant_time(
    bot: Program, monkeypatch: pytest.MonkeyPatch
):
    codes = [await code_for(bot) for _ in range(3)]
    compared: list[int] = []
    in_constant_time = hmac.compare_digest

    def compare(expected: str, given: str) -> bool:
        compared.append(len(given))
        return in_constant_time(expected, given)

    async with bot.database.engine.connect() as connection:
        kept = str((await connection.execute(text("select * from invitations"))).all())
        kept += str((await connection.execute(text("select * from audit"))).all())
    monkeypatch.setattr(hmac, "compare_digest", compare)
    await bot.ask(STRANGER, f"/start {codes[0]}")

    assert all(code not in kept for code in codes)
    assert all(len(code) * 6 >= 64 for code in codes)
    assert len(compared) % 3 == 0  # whichever fits, each is looked at
    assert set(compared) == {64}


async def test_a_code_below_what_somebody_is_already_takes_nothing_and_stays_good(bot: Program):
    code = await code_for(bot, "viewer")

    listed = await asked(bot, FRIEND, f"/start {code}")
    owner = await asked(bot, OWNER, f"/start {code}")
    welcome = await asked(bot, ANNA, f"/start {code}")

    assert "You need no code" in listed.text
    assert "You need no code" in owner.text
    assert await role(bot, FRIEND) is Role.TRADER
    assert await role(bot, OWNER) is Role.OWNER
    assert "Your role in this chat: viewer." in welcome.text


async def test_a_code_above_it_raises_somebody(bot: Program):
    await let_in(bot, ANNA, Role.VIEWER)
    code = await code_for(bot, "trader")

    await say(bot, ANNA, f"/start {code}")

    assert await role(bot, ANNA) is Role.TRADER


async def test_the_same_code_from_its_bearer_again_is_no_harm(bot: Program):
    code = await code_for(bot)
    await say(bot, ANNA, f"/start {code}")

    again = await asked(bot, ANNA, f"/start {code}")

    assert "You need no code" in again.text


async def test_members_are_listed_by_the_name_they_have_now(bot: Program):
    await let_in(bot, ANNA)
    await bot.say(GROUP, "/status", user_id=ANNA, chat_type="group", name="Anna <i>Two")

    listed = await asked(bot, OWNER, "/members")

    assert "Anna <i>Two\n  trader, since 22 Nov" in listed.text
    assert f"User {FRIEND}\n  trader, by AUTHORIZED_CHATS" in listed.text
    assert "No one else in the group may use me." in listed.text
    assert listed.labels == ["Olga", f"User {FRIEND}", "Anna <i>Two", "Let all look"]


async def test_a_role_is_changed_after_two_questions_and_holds_at_once(world: World, bot: Program):
    await let_in(bot, ANNA)
    listed = await asked(bot, OWNER, "/members")
    await tap(bot, OWNER, "Anna <b>")
    panel = listed.text
    await tap(bot, OWNER, "Make viewer")
    asked_again, before = listed.text, await role(bot, ANNA)
    await tap(bot, OWNER, "Yes, viewer")

    assert "Anna <b> (id 2001)\nRole: trader." in panel
    assert "Change the role of Anna <b> to viewer?" in asked_again
    assert "Nothing changed yet" in asked_again
    assert before is Role.TRADER
    assert "Anna <b> is viewer now" in listed.text
    assert listed.labels == ["Members"]
    assert "Your role here: viewer." in (await asked(bot, ANNA, "/pause")).text


async def test_back_leads_back_and_changes_nothing(bot: Program):
    await let_in(bot, ANNA)
    listed = await asked(bot, OWNER, "/members")
    before = listed.text

    await tap(bot, OWNER, "Anna <b>")
    await tap(bot, OWNER, "« Everybody")

    assert listed.text == before


async def test_whoever_is_removed_may_do_nothing_any_more(world: World, bot: Program):
    await let_in(bot, ANNA)
    card = await asked(bot, ANNA, "/status")
    plan = await asked(bot, ANNA, "/invite")  # refused, but a word from the bot

    done = await make(bot, OWNER, "Anna <b>", "Remove", sure="Yes, remove")
    typed = await asked(bot, ANNA, "/status")
    update = world.api.tap(GROUP, "Target", user_id=ANNA, message=card)
    await bot.handled(update)

    assert "Anna <b> is removed." in done.text
    assert "Only owners" in plan.text
    assert "only work for people I know" in typed.text
    assert "text" not in world.api.answers[str(update)]


async def test_a_button_of_members_is_for_the_owner_who_asked(world: World, bot: Program):
    await let_in(bot, ANNA, Role.OWNER)
    await let_in(bot, BEN)
    listed = await asked(bot, OWNER, "/members")
    before = listed.text

    taps = [
        world.api.tap(GROUP, "Ben", user_id=user, message=listed) for user in (ANNA, BEN, STRANGER)
    ]
    for update in taps:
        await bot.handled(update)

    assert listed.text == before
    assert "Ben" in listed.labels
    assert "text" in world.api.answers[str(taps[0])]
    assert "text" not in world.api.answers[str(taps[2])]


async def test_a_second_tap_changes_nothing_more(world: World, bot: Program):
    await let_in(bot, ANNA)
    listed = await asked(bot, OWNER, "/members")
    await tap(bot, OWNER, "Anna <b>")
    await tap(bot, OWNER, "Make owner")
    yes = listed.button("Yes, owner")
    assert yes is not None
    assert yes.data is not None
    first = world.api.tap(GROUP, yes.data, user_id=OWNER, message=listed)
    second = world.api.tap(GROUP, yes.data, user_id=OWNER, message=listed)
    for update in (first, second):
        await bot.handled(update)

    trail = await asked(bot, OWNER, "/audit")

    assert await role(bot, ANNA) is Role.OWNER
    assert trail.text.count("role of Anna <b>: trader →") == 1


@pytest.mark.parametrize("after", ["demoted", "removed"])
async def test_the_last_tap_of_somebody_who_is_no_owner_any_more_does_nothing(
    world: World, bot: Program, after: str
):
    await let_in(bot, ANNA, Role.OWNER)
    await let_in(bot, BEN)
    panel = await asked(bot, ANNA, "/members")
    await tap(bot, ANNA, "Ben", message=panel)
    await tap(bot, ANNA, "Make owner", message=panel)
    option, sure = {
        "demoted": ("Make trader", "Yes, trader"),
        "removed": ("Remove", "Yes, remove"),
    }[after]
    await make(bot, OWNER, "Anna <b>", option, sure=sure)

    await tap(bot, ANNA, "Yes, owner", message=panel)

    assert await role(bot, BEN) is Role.TRADER
    if after == "demoted":
        assert "Only owners may change that" in panel.text


async def test_a_demoted_owner_opens_no_panel_with_an_old_list(bot: Program):
    await let_in(bot, ANNA, Role.OWNER)
    await let_in(bot, BEN)
    panel = await asked(bot, ANNA, "/members")
    await make(bot, OWNER, "Anna <b>", "Make trader", sure="Yes, trader")

    await tap(bot, ANNA, "Ben", message=panel)

    assert "Only owners of this chat may do that" in panel.text


async def test_the_codes_of_an_owner_who_is_none_any_more_are_worthless(bot: Program):
    await let_in(bot, ANNA, Role.OWNER)
    bot.world.api.open_chat(ANNA)
    await asked(bot, ANNA, "/invite trader")
    code = code_in(bot.world.api.sent(ANNA)[-1])
    await make(bot, OWNER, "Anna <b>", "Make viewer", sure="Yes, viewer")

    answer = await asked(bot, BEN, f"/start {code}")

    assert "does not work any more" in answer.text
    assert await role(bot, BEN) is None


async def test_two_owners_who_remove_each_other_at_once_leave_one(world: World, bot: Program):
    await let_in(bot, ANNA, Role.OWNER)
    await let_in(bot, BEN, Role.OWNER)
    panels = {}
    for by, whom in ((ANNA, "Ben"), (BEN, "Anna <b>")):
        panels[by] = await asked(bot, by, "/members")
        await tap(bot, by, whom, message=panels[by])
        await tap(bot, by, "Remove", message=panels[by])

    taps = [
        world.api.tap(GROUP, "Yes, remove", user_id=by, message=panel)
        for by, panel in panels.items()
    ]
    for update in taps:
        await bot.handled(update)

    assert [await role(bot, one) for one in (ANNA, BEN)] == [Role.OWNER, None]


async def test_what_two_owners_wish_of_the_same_person_is_done_once(bot: Program):
    await let_in(bot, ANNA, Role.OWNER)
    await let_in(bot, BEN)
    panels = {}
    for by in (ANNA, OWNER):
        panels[by] = await asked(bot, by, "/members")
        await tap(bot, by, "Ben", message=panels[by])
        option = "Make viewer" if by == ANNA else "Make owner"
        await tap(bot, by, option, message=panels[by])

    await tap(bot, ANNA, "Yes, viewer", message=panels[ANNA])
    await tap(bot, OWNER, "Yes, owner", message=panels[OWNER])

    assert "Another owner changed Ben after you looked." in panels[OWNER].text
    assert await role(bot, BEN) is Role.VIEWER


async def test_a_tap_after_a_restart_counts(world: World):
    async with world.program() as first:
        await let_in(first, ANNA)
        listed = await asked(first, OWNER, "/members")
        await tap(first, OWNER, "Anna <b>")
    async with world.program() as second:
        await tap(second, OWNER, "Make viewer", message=listed)
        await tap(second, OWNER, "Yes, viewer", message=listed)

        assert await role(second, ANNA) is Role.VIEWER


async def test_the_bots_owner_stays_one_and_listed_people_are_only_made_less(bot: Program):
    await let_in(bot, ANNA, Role.OWNER)

    owner = await make(bot, ANNA, f"User {OWNER}", "Make viewer", sure="Yes, viewer")
    listed = await make(bot, ANNA, f"User {FRIEND}", "Remove", sure="Yes, remove")
    less = await make(bot, ANNA, f"User {FRIEND}", "Make viewer", sure="Yes, viewer")

    assert "runs this bot and stays an owner" in owner.text
    assert "AUTHORIZED_CHATS lets User 1002 in." in listed.text
    assert "is viewer now" in less.text
    assert await role(bot, OWNER) is Role.OWNER
    assert await role(bot, FRIEND) is Role.VIEWER


async def test_more_people_than_fit_are_paged(bot: Program):
    for extra in range(5):
        NAMES[3000 + extra] = f"P{extra}"
        await let_in(bot, 3000 + extra)
    listed = await asked(bot, OWNER, "/members")
    first = listed.labels
    await tap(bot, OWNER, "More people")
    second = listed.labels
    await tap(bot, OWNER, "Back to the first")

    assert first[-2:] == ["More people", "Let all look"]
    assert second == ["P4", "Back to the first", "Let all look"]
    assert listed.labels == first


async def test_all_may_look_when_an_owner_says_so_and_not_any_more_afterwards(
    world: World, bot: Program
):
    await asked(bot, OWNER, "/members")
    await tap(bot, OWNER, "Let all look")
    version = (await bot.account(GROUP)).version
    await tap(bot, OWNER, "Yes")
    looked = await asked(bot, STRANGER, "/status")
    changed = await asked(bot, STRANGER, "/pause")
    elsewhere = await bot.ask(STRANGER, "/status")
    listed = await asked(bot, OWNER, "/members")
    await tap(bot, OWNER, "Members only")
    await tap(bot, OWNER, "Yes")
    shut = await say(bot, STRANGER, "/status")

    assert "target 40" in looked.text
    assert "Your role here: viewer." in changed.text
    assert "only work for people I know" in elsewhere.text
    assert "Everybody else in the group may look" in listed.edits[0]
    assert shut == []
    assert (await bot.account(GROUP)).version == version


async def test_whoever_only_looks_in_may_bring_a_code(bot: Program):
    await asked(bot, OWNER, "/members")
    await tap(bot, OWNER, "Let all look")
    await tap(bot, OWNER, "Yes")
    code = await code_for(bot)

    await say(bot, ANNA, f"/start {code}")

    assert await role(bot, ANNA) is Role.TRADER


async def test_the_bots_owner_takes_back_a_private_chat_and_its_trading_stops(
    world: World, bot: Program
):
    code = code_in(await bot.ask(OWNER, "/invite private"))
    await bot.say(ANNA, f"/start {code}", name="Anna")
    await bot.ask(ANNA, "/dryrun on")
    await bot.ask(ANNA, "/resume")
    listed = await bot.ask(OWNER, "/members")
    shown = listed.text
    await bot.tap(OWNER, "Anna")
    await bot.tap(OWNER, "Remove")
    await bot.tap(OWNER, "Yes, remove and pause")

    assert "People with a private chat" in shown
    assert "Trading in the account of Anna is paused" in listed.text
    assert (await bot.account(ANNA)).settings.paused
    assert "only work for people I know" in (await bot.ask(ANNA, "/status")).text


async def test_a_group_that_becomes_a_supergroup_keeps_its_people_and_what_they_said(
    world: World, bot: Program
):
    await let_in(bot, ANNA, Role.OWNER)
    await let_in(bot, BEN, Role.VIEWER)
    await bot.say(GROUP, "/start", user_id=ANNA, chat_type="group", topic_id=7)
    await asked(bot, OWNER, "/members")
    await tap(bot, OWNER, "Let all look")
    await tap(bot, OWNER, "Yes")
    code = await code_for(bot)

    for update in world.api.announce_migration(GROUP, SUPERGROUP):
        await bot.handled(update)
    account = await bot.account(SUPERGROUP)
    trail = await asked(bot, ANNA, "/audit", chat=SUPERGROUP)
    await say(bot, STRANGER, f"/start {code}", chat=SUPERGROUP)

    assert (account.all_may_look, account.topic_id) == (True, 7)
    roles = {
        one: await role(bot, one, chat=SUPERGROUP) for one in (OWNER, FRIEND, ANNA, BEN, STRANGER)
    }
    assert roles == {
        OWNER: Role.OWNER,
        FRIEND: Role.TRADER,
        ANNA: Role.OWNER,
        BEN: Role.VIEWER,
        STRANGER: Role.TRADER,
    }
    assert "everybody may look" in trail.text
    assert await bot.count(MemberRow) == 3


async def test_a_group_without_an_account_takes_its_people_along_as_well(
    world: World, bot: Program
):
    world.api.open_chat(GROUP, chat_type="group")
    await let_in(bot, ANNA, Role.VIEWER)

    for update in world.api.announce_migration(GROUP, SUPERGROUP):
        await bot.handled(update)

    assert await role(bot, ANNA, chat=SUPERGROUP) is Role.VIEWER
    assert await role(bot, ANNA) is None
