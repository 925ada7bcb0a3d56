"""The fake Bot API takes no more than the real one, and remembers what a phone shows badly."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_html import Entity, parsed
from tests.fakes.telegram_server import TOKEN

CHAT = 1001


@pytest.fixture
async def api(clock: FakeClock) -> AsyncGenerator[FakeTelegram]:
    async with FakeTelegram(clock=clock) as opened:
        opened.open_chat(CHAT)
        yield opened


async def call(api: FakeTelegram, method: str, **params: object) -> tuple[int, str]:
    async with httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
        answer = await http.post(f"{api.url}/bot{TOKEN}/{method}", json=params)
    return answer.status_code, str(answer.json().get("description", ""))


def keyboard(*rows: int, data: str = "do:help:") -> dict[str, object]:
    button = {"text": "x", "callback_data": data}
    return {"inline_keyboard": [[button] * count for count in rows]}


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("sendMessage", {"text": "🟢" * 2049}, "message is too long"),
        ("sendMessage", {"text": " "}, "message text is empty"),
        ("sendMessage", {"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"text": "<h1>x</h1>", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"text": "x", "reply_markup": keyboard(*[8] * 13)}, "is too long"),
        (
            "sendMessage",
            {"text": "x", "reply_markup": keyboard(1, data="é" * 33)},
            "BUTTON_DATA_INVALID",
        ),
        ("sendDocument", {"document": "x", "caption": "x" * 1025}, "message caption too long"),
        ("setMyCommands", {"commands": '[{"command": "Big", "description": "x"}]'}, "INVALID"),
        ("setMyCommands", {"commands": '[{"command": "big", "description": ""}]'}, "INVALID"),
    ],
    ids=["long", "empty", "unclosed", "tag", "buttons", "data", "caption", "name", "description"],
)
async def test_what_telegram_refuses_is_refused_and_remembered(
    api: FakeTelegram,
    messages_out_of_bounds: list[str],
    method: str,
    params: dict[str, object],
    words: str,
):
    status, description = await call(api, method, chat_id=CHAT, **params)

    assert status == 400
    assert words in description
    assert len(messages_out_of_bounds) == 1
    messages_out_of_bounds.clear()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"text": f"<pre>{'x' * 33}</pre>", "parse_mode": "HTML"}, "33 columns"),
        ({"text": f"<pre>{'🟢' * 17}</pre>", "parse_mode": "HTML"}, "34 columns"),
        ({"text": "x", "reply_markup": keyboard(9)}, "9 buttons in a row"),
        ({"text": "<b>x</b> " * 101, "parse_mode": "HTML"}, "101 entities"),
    ],
    ids=["wide", "wide emoji", "crowded", "marks"],
)
async def test_what_a_phone_shows_badly_is_remembered(
    api: FakeTelegram,
    messages_out_of_bounds: list[str],
    params: dict[str, object],
    words: str,
):
    status, _ = await call(api, "sendMessage", chat_id=CHAT, **params)

    assert status == 200
    assert words in messages_out_of_bounds[0]
    messages_out_of_bounds.clear()


async def test_what_just_fits_is_taken(api: FakeTelegram):
    fits = f"<pre>{'x' * 32}\n{'🟢' * 16}</pre>"
    sent = [
        await call(api, "sendMessage", chat_id=CHAT, text="🟢" * 2048),
        await call(api, "sendMessage", chat_id=CHAT, text=fits, parse_mode="HTML"),
        await call(
            api,
            "sendMessage",
            chat_id=CHAT,
            text="x",
            reply_markup=keyboard(*[8] * 12, 4, data="x" * 64),
        ),
    ]

    assert [status for status, _ in sent] == [200, 200, 200]


def test_marked_parts_are_counted_as_telegram_does():
    read = parsed("<b>🟢 a</b><pre>x\ny</pre><i></i>")

    assert read.text == "🟢 ax\ny"
    assert read.entities == [Entity("b", 0, 4), Entity("pre", 4, 3)]
    assert read.marked("pre") == ["x\ny"]
