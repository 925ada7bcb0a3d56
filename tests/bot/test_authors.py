"""Who writes, in which kind of message: persons alone command, and silence never means "done"."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.access.authorization import Access
from bot.access.start_links import StartLinks
from engine.storage.models.accounts import MemberRow
from tests.bot.harness import FRIEND, GROUP, KEY, OWNER, SECRET, STRANGER, Program, World
from tests.fakes.telegram_messages import SentMessage

CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
TELEGRAM = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
A_BOT = {"id": 4711, "is_bot": True, "first_name": "Other", "username": "other_bot"}
PERSON = {"id": FRIEND, "is_bot": False, "first_name": "Anna"}

MINE, ANOTHERS = (
    {"id": -1009000000001 - n, "type": "channel", "title": title}
    for n, title in enumerate(("Mine", "A stranger's"))
)
HERE = {"id": GROUP, "type": "supergroup", "title": "Group"}
WITHOUT_AUTHOR: dict[str, dict[str, Any]] = {
    "a channel": {"from": CHANNEL_BOT, "sender_chat": MINE},
    "another channel": {"from": CHANNEL_BOT, "sender_chat": ANOTHERS},
    "an anonymous administrator": {"from": ANONYMOUS, "sender_chat": HERE},
    "a person's channel": {"from": PERSON, "sender_chat": MINE},
    "the linked channel": {
        "from": TELEGRAM,
        "sender_chat": MINE,
        "is_automatic_forward": True,
        "forward_from_chat": MINE,
        "forward_origin": {
            "type": "channel",
            "chat": MINE,
            "message_id": 1,
            "date": 1_795_000_000,
        },
    },
    "telegram": {"from": TELEGRAM},
    "a bot": {"from": A_BOT},
    "only the shared id": {"from": CHANNEL_BOT},
}
FORWARDED: dict[str, dict[str, Any]] = {
    "from a user": {
        "forward_origin": {"type": "user", "sender_user": PERSON, "date": 1_795_000_000}
    },
    "from a hidden user": {
        "forward_origin": {
            "type": "hidden_user",
            "sender_user_name": "Anna",
            "date": 1_795_000_000,
        }
    },
    "as older servers say it": {"forward_from": PERSON, "forward_date": 1_795_000_000},
    "of a hidden user, older": {"forward_sender_name": "Anna", "forward_date": 1_795_000_000},
    "by an inline bot": {"via_bot": A_BOT},
}


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def in_group(bot: Program, text: str, also: dict[str, Any], chat: int = GROUP) -> Any:
    return await bot.say(chat, text, chat_type="supergroup", also=also)


async def owner_says(bot: Program, text: str) -> list[SentMessage]:
    return await bot.say(GROUP, text, user_id=OWNER, chat_type="supergroup")


def code_in(messages: list[SentMessage]) -> str:
    [code] = re.findall(r"/start (\S{19})", "\n".join(message.text for message in messages))
    return str(code)


@pytest.mark.parametrize("who", WITHOUT_AUTHOR)
async def test_who_is_no_person_commands_nothing_and_is_told_once(bot: Program, who: str):
    await owner_says(bot, "/status")
    before = await bot.account(GROUP)

    answers = [
        await in_group(bot, text, WITHOUT_AUTHOR[who]) for text in ("/resume", "/settarget 77")
    ]

    assert [len(answer) for answer in answers] == [1, 0]
    [told] = answers[0]
    assert "Then send it again." in told.text
    assert "AUTHORIZED_CHATS" not in told.text
    assert await bot.account(GROUP) == before


@pytest.mark.parametrize("who", WITHOUT_AUTHOR)
async def test_who_is_no_person_redeems_no_code(world: World, bot: Program, who: str):
    world.api.open_chat(OWNER)
    said = await owner_says(bot, "/invite trader")
    code = code_in([*said, *world.api.sent(OWNER)])

    await in_group(bot, f"/start {code}", WITHOUT_AUTHOR[who])
    (welcome,) = await bot.say(GROUP, f"/start {code}", user_id=STRANGER, chat_type="supergroup")

    assert "Welcome!" in welcome.text  # it was not used up
    async with bot.database.reading() as session:
        ids = set(await session.scalars(select(MemberRow.user_id)))
    assert ids == {STRANGER}


async def test_who_is_no_person_does_not_become_the_owner(
    world: World, caplog: pytest.LogCaptureFixture
):
    async with world.program({"AUTHORIZED_CHATS": ""}) as bot:
        code = re.findall(r"/start (\S+)", caplog.text)[-1]

        await in_group(bot, f"/start {code}", WITHOUT_AUTHOR["a channel"])
        members = await bot.count(MemberRow)
        welcome = await bot.ask(OWNER, f"/start {code}")

    assert members == 0
    assert "Welcome!" in welcome.text


async def test_who_is_told_to_write_as_oneself_is_told_again_the_next_day(
    world: World, bot: Program
):
    """Silence would be taken for a pause that never was."""
    hidden = WITHOUT_AUTHOR["an anonymous administrator"]
    first = await in_group(bot, "/pause", hidden)
    world.clock.shift(timedelta(hours=25))
    later = await in_group(bot, "/pause", hidden)

    assert [len(first), len(later)] == [1, 1]
    assert "anonymous administrator" in first[0].text


async def test_what_a_channel_says_is_answered_only_where_it_is_a_command(bot: Program):
    channel = WITHOUT_AUTHOR["a channel"]

    assert await in_group(bot, "good morning", channel) == []
    assert await in_group(bot, "/pause@other_bot", channel) == []


async def test_in_a_group_that_nobody_listed_no_channel_is_told_its_id(bot: Program):
    (told,) = await in_group(bot, "/status", WITHOUT_AUTHOR["a channel"], chat=-77)

    assert "The id of this chat is -77." in told.text
    assert "136817688" not in told.text


async def test_a_listed_shared_id_is_nobodys(world: World, bot: Program):
    access = Access(
        database=bot.database,
        clock=world.clock,
        authorized_chats=(OWNER, GROUP, 136817688),
        links=StartLinks(lambda: "ballast_bot"),
    )

    assert await access.role(chat_id=GROUP, user_id=136817688) is None
    assert set((await access.circle(GROUP)).standing) == {OWNER}


async def test_a_tap_carries_the_person_whatever_they_write_as(world: World, bot: Program):
    await owner_says(bot, "/dryrun on")
    await in_group(bot, "/resume", WITHOUT_AUTHOR["an anonymous administrator"])
    await bot.tap(GROUP, "do:resume:", user_id=OWNER, forged=True)

    assert not (await bot.account(GROUP)).settings.paused


@pytest.mark.parametrize("how", FORWARDED)
async def test_a_command_that_is_anothers_words_is_not_carried_out(bot: Program, how: str):
    await bot.ask(OWNER, "/status")
    before = await bot.account()

    (alone,) = await bot.say(OWNER, "/settarget 77", also=FORWARDED[how])
    (in_chat,) = await bot.say(
        GROUP, "/settarget 77", user_id=OWNER, chat_type="supergroup", also=FORWARDED[how]
    )
    talk = await bot.say(
        GROUP, "look at this", user_id=OWNER, chat_type="supergroup", also=FORWARDED[how]
    )

    assert "Nothing changed. I obey only what you type yourself." in alone.text
    assert in_chat.text == alone.text
    assert talk == []
    assert await bot.account() == before


async def test_a_forwarded_code_lets_nobody_in(world: World, bot: Program):
    world.api.open_chat(OWNER)
    said = await owner_says(bot, "/invite trader")
    code = code_in([*said, *world.api.sent(OWNER)])

    (told,) = await bot.say(STRANGER, f"/start {code}", also=FORWARDED["from a user"])
    typed = await bot.ask(STRANGER, f"/start {code}")

    assert "Type it yourself" in told.text
    assert "Welcome!" in typed.text


async def test_a_forwarded_key_is_deleted_and_not_taken(world: World, bot: Program):
    (told,) = await bot.say(OWNER, f"/connect {KEY} {SECRET}", also=FORWARDED["from a user"])
    await bot.ask(OWNER, "/connect")
    (step,) = await bot.say(OWNER, KEY, also=FORWARDED["from a user"])

    assert "I kept nothing of it." in told.text
    assert "only as text" in step.text
    assert "Your message is deleted." in told.text
    assert "Your message is deleted." in step.text
    assert world.mexc.requests.total() == 0


PHOTO = {"photo": [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]}
FILE = {"document": {"file_id": "f", "file_unique_id": "u"}}
VIDEO = {"video": {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "duration": 1}}


@pytest.mark.parametrize("media", [PHOTO, FILE, VIDEO])
async def test_a_command_in_a_caption_is_a_command(bot: Program, media: dict[str, Any]):
    await bot.connect()

    (paused,) = await bot.say(OWNER, "/pause", also=media)
    (target,) = await bot.say(OWNER, "\u200b/settarget 50", also=media)

    assert "PAUSED" in paused.text
    assert "50.00" in target.text
    assert (await bot.account()).settings.paused


async def test_a_caption_in_a_group_is_heard_too(bot: Program):
    (paused,) = await bot.say(
        GROUP, "/pause@ballast_bot", user_id=OWNER, chat_type="supergroup", also=PHOTO
    )
    talk = await bot.say(GROUP, "nice", user_id=OWNER, chat_type="supergroup", also=PHOTO)
    silent = await bot.say(GROUP, "", user_id=OWNER, chat_type="supergroup", also=PHOTO)

    assert "aused" in paused.text
    assert talk == silent == []


async def test_a_key_in_a_caption_is_refused_and_deleted(world: World, bot: Program):
    answers = [
        await bot.say(OWNER, f"/connect {KEY} {SECRET}", also=PHOTO),
        await bot.say(OWNER, "/connect", also=PHOTO),
    ]
    await bot.ask(OWNER, "/connect")
    answers += [await bot.say(OWNER, KEY, also=PHOTO), await bot.say(OWNER, "", also=PHOTO)]

    for [answer] in answers:
        assert "I take a key only as text" in answer.text
        assert "Your message is deleted." in answer.text
    assert world.mexc.requests.total() == 0
    assert "Step 2 of 2" in (await bot.ask(OWNER, KEY)).text


async def test_a_command_beside_something_unreadable_counts_all_the_same(bot: Program):
    await bot.connect()
    odd = {"reply_to_message": {"message_id": 1, "poll": {"id": 5}}, "poll": {"new": True}}

    (paused,) = await bot.say(OWNER, "/pause", also=odd)
    (forwarded,) = await bot.say(
        OWNER, "/resume", also={**odd, "forward_origin": {"type": "user", "who": 1}}
    )

    assert "PAUSED" in paused.text
    assert "I obey only what you type yourself" in forwarded.text
    assert (await bot.account()).settings.paused


THINGS: dict[str, dict[str, Any]] = {
    "voice": {"voice": {"file_id": "f", "file_unique_id": "u", "duration": 1}},
    "sticker": {
        "sticker": {
            "file_id": "f",
            "file_unique_id": "u",
            "width": 1,
            "height": 1,
            "is_animated": False,
            "is_video": False,
            "type": "regular",
        }
    },
    "file": FILE,
    "photo": PHOTO,
    "location": {"location": {"latitude": 1.0, "longitude": 1.0}},
    "contact": {"contact": {"phone_number": "1", "first_name": "A"}},
    "dice": {"dice": {"value": 1, "emoji": "🎲"}},
    "game": {"game": {"title": "G", "description": "", "photo": []}},
    "poll": {
        "poll": {
            "id": "1",
            "question": "?",
            "options": [],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
        }
    },
    "what nobody knows yet": {"hologram": {"depth": 3}},
}


@pytest.mark.parametrize("what", THINGS)
async def test_what_is_no_text_gets_the_hint_in_private_and_none_in_a_group(
    bot: Program, what: str
):
    (hint,) = await bot.say(OWNER, "", also={"text": None, **THINGS[what]})
    in_chat = await bot.say(
        GROUP, "", user_id=OWNER, chat_type="supergroup", also={"text": None, **THINGS[what]}
    )

    assert "Nothing changed. I can only read text." in hint.text
    assert hint.labels == ["Status", "Help"]
    assert in_chat == []


async def test_an_album_is_answered_once_and_a_pin_never(bot: Program):
    album = {**PHOTO, "media_group_id": "77"}
    pin = {
        "text": None,
        "pinned_message": {"message_id": 1, "date": 0, "chat": {"id": OWNER, "type": "private"}},
    }

    answers = [await bot.say(OWNER, "", also=album) for _ in range(3)]

    assert [len(answer) for answer in answers] == [1, 0, 0]
    assert await bot.say(OWNER, "", also=pin) == []
    assert len(await bot.say(OWNER, "/pause", also=album)) == 1


async def test_an_edited_command_is_answered_and_a_key_in_it_deleted(world: World, bot: Program):
    await bot.say(OWNER, "/puase")

    (mended,) = await bot.push(OWNER, lambda: world.api.edit(OWNER, "\u200b/pause"))
    (key,) = await bot.push(OWNER, lambda: world.api.edit(OWNER, "/connect some words"))

    assert "Nothing changed. I do not follow edits." in mended.text
    assert "Your message is deleted." in key.text


async def test_a_private_command_with_another_bots_name_is_not_passed_over(bot: Program):
    (told,) = await bot.say(OWNER, "/pause@other_bot")

    assert "Nothing changed. This command names another bot." in told.text


@pytest.mark.parametrize(
    "kind",
    ["channel_post", "edited_channel_post", "business_message", "edited_business_message"],
)
async def test_posts_of_channels_and_messages_of_businesses_are_none_to_the_bot(
    world: World, bot: Program, kind: str
):
    calls = len(world.api.calls)
    message = {
        "message_id": 1,
        "date": 1_795_000_000,
        "chat": {"id": OWNER, "type": "private"},
        "from": PERSON | {"id": OWNER},
        "business_connection_id": "b",
        "text": "/resume",
    }

    await bot.handled(world.push(kind, message))
    await bot.handled(world.push(kind, message | {"from": PERSON | {"id": STRANGER}}))

    assert {call.method for call in world.api.calls[calls:]} <= {"getUpdates"}


async def test_a_strangers_talk_in_a_group_is_not_answered(bot: Program):
    async def says(user_id: int, text: str) -> int:
        return len(await bot.say(GROUP, text, user_id=user_id, chat_type="supergroup"))

    talk = [await says(3000 + n, "good morning, nice weather") for n in range(5)]
    others = await says(3000, "/start@other_bot")
    commands = [await says(3000, "/status"), await says(3000, "/status")]
    another = await says(3001, "/status@ballast_bot")

    assert talk == [0] * 5
    assert others == 0
    assert commands == [1, 0]
    assert another == 1


async def test_a_group_that_is_not_listed_gets_one_answer_to_who_added_the_bot(
    world: World, bot: Program
):
    world.api.open_chat(-77, chat_type="supergroup")
    me = {"user": {"id": world.api.bot_id, "is_bot": True, "first_name": "Ballast"}}
    change = {
        "chat": {"id": -77, "type": "supergroup", "title": "Elsewhere"},
        "from": PERSON | {"id": STRANGER},
        "date": 1_795_000_000,
        "old_chat_member": {**me, "status": "left"},
        "new_chat_member": {**me, "status": "member"},
    }

    (told,) = await bot.push(-77, lambda: world.push("my_chat_member", change))
    again = await bot.push(-77, lambda: world.push("my_chat_member", change))
    rest = [
        await bot.say(-77, text, user_id=3000 + n, chat_type="supergroup")
        for n, text in enumerate(("hello", "/status", "/start", "/pause@ballast_bot"))
    ]

    assert f"The id of this chat is -77.\nYour own id is {STRANGER}." in told.text
    assert again == []
    assert rest == [[]] * 4
