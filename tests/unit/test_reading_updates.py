"""An update is read whole, or it is none: the rest of the program asks for no missing part."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from telegram import Bot, Update

from bot.updates.decode import read_update
from tests.fakes.telegram_server import TOKEN
from tests.faults.strange import places

BOT = Bot(TOKEN)
USER = {"id": 1001, "is_bot": False, "first_name": "Ann"}
GROUP = {"id": -5005, "type": "group", "title": "Friends"}
MESSAGE = {"message_id": 7, "date": 1_795_348_800, "chat": GROUP, "from": USER, "text": "/status"}
TAP = {"id": "1", "from": USER, "message": MESSAGE, "chat_instance": "1", "data": "page:0:5"}
ADDED = {
    "chat": GROUP,
    "from": USER,
    "date": 1_795_348_800,
    "old_chat_member": {"user": USER, "status": "left"},
    "new_chat_member": {"user": USER, "status": "member"},
}
UPDATES: dict[str, dict[str, Any]] = {
    "message": MESSAGE,
    "callback_query": TAP,
    "my_chat_member": ADDED,
}
ODD: tuple[Any, ...] = (None, [], {}, [1], ["group"], {"id": 1}, 5, -0.5, True, "", "x")


def read(kind: str, content: object) -> Update | None:
    return read_update({"update_id": 1, kind: content}, BOT)


@pytest.mark.parametrize("kind", UPDATES)
def test_what_telegram_sends_is_read(kind: str):
    assert read(kind, UPDATES[kind]) is not None


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("message", "chat"),
        ("callback_query", "from"),
        ("my_chat_member", "chat"),
        ("my_chat_member", "from"),
        ("my_chat_member", "old_chat_member"),
        ("my_chat_member", "new_chat_member"),
    ],
)
def test_an_update_without_a_part_that_it_always_has_is_none(kind: str, part: str):
    content = UPDATES[kind] | ({"migrate_to_chat_id": -1005005} if kind == "message" else {})
    without = {name: value for name, value in content.items() if name != part}

    assert read(kind, without) is None
    assert read(kind, without | {part: None}) is None


@pytest.mark.parametrize("kind", UPDATES)
@pytest.mark.parametrize("odd", [["group"], {}, 5], ids=str)
def test_an_update_of_a_chat_whose_kind_is_no_word_is_none(kind: str, odd: object):
    content = deepcopy(UPDATES[kind])
    content.get("message", content)["chat"]["type"] = odd

    assert read(kind, content) is None


def test_a_message_in_the_name_of_a_chat_without_an_id_is_none():
    assert read("message", MESSAGE | {"sender_chat": GROUP | {"id": "x"}}) is None


@pytest.mark.parametrize("kind", UPDATES)
def test_whichever_part_is_odd_what_is_read_can_be_judged(kind: str):
    for content in spoilt(UPDATES[kind]):
        if (update := read(kind, content)) is None:
            continue
        chat, user = update.effective_chat, update.effective_user
        assert chat is None or isinstance(hash((chat.id, chat.type)), int)
        assert user is None or type(user.id) is int
        if update.callback_query is not None:
            assert user is not None
        if (change := update.my_chat_member) is not None:
            assert isinstance(hash(change.old_chat_member.status), int)
            assert isinstance(hash(change.new_chat_member.status), int)
            assert user is not None


def spoilt(original: object) -> Iterator[object]:
    """*original* with each of its parts dropped, or replaced by something odd."""
    yield from ODD
    for *path, last in filter(None, places(original)):
        for odd in ("dropped", *ODD):
            content: Any = deepcopy(original)
            holder = content
            for key in path:
                holder = holder[key]
            if odd == "dropped":
                del holder[last]
            else:
                holder[last] = odd
            yield content
