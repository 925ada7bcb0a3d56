"""Polling Telegram: what comes back, what each failure becomes, and what never leaks."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx
import pytest

from bot.updates.polling import (
    Conflict,
    PollFailed,
    RetryAfter,
    TokenRefused,
    Unreachable,
    UpdatesSource,
)
from tests.fakes.http import NO_CERTIFICATES, Reply, serve
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import (
    CONFLICT,
    DROPPED,
    HANG,
    Fault,
    refused,
    server_error,
    too_many_requests,
)
from tests.fakes.telegram_server import TOKEN

CHAT = 7


@pytest.fixture
async def api() -> AsyncGenerator[FakeTelegram]:
    async with FakeTelegram() as api:
        yield api


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
        yield http


@pytest.fixture
def source(api: FakeTelegram, http: httpx.AsyncClient) -> UpdatesSource:
    return a_source(api.url, http)


def a_source(url: str, http: httpx.AsyncClient, *, hold_s: int = 0) -> UpdatesSource:
    return UpdatesSource(http=http, url=f"{url}/bot{TOKEN}", hold=timedelta(seconds=hold_s))


async def test_updates_come_oldest_first_and_are_confirmed_by_the_next_offset(
    api: FakeTelegram, source: UpdatesSource
):
    first, second = api.say(CHAT, "/status"), api.say(CHAT, "/pause")

    updates = await source.fetch(None)
    rest = await source.fetch(second)

    assert [update["update_id"] for update in updates] == [first, second]
    assert updates[0]["message"]["text"] == "/status"
    assert [update["update_id"] for update in rest] == [second]
    assert api.unconfirmed == [second]


async def test_the_full_list_of_wanted_updates_is_always_sent(
    api: FakeTelegram, source: UpdatesSource
):
    await source.fetch(5)

    (asked,) = api.called("getUpdates")

    assert json.loads(asked.pop("allowed_updates")) == [
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
    ]
    assert asked == {"offset": "5", "timeout": "0", "limit": "100"}


async def test_a_poll_waits_for_the_next_update(api: FakeTelegram, http: httpx.AsyncClient):
    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(a_source(api.url, http, hold_s=20).fetch(None))
        await api.wait_until(lambda: bool(api.called("getUpdates")))
        update_id = api.say(CHAT, "hello")

    assert [update["update_id"] for update in poll.result()] == [update_id]


async def test_of_two_polls_at_once_the_older_one_is_told_of_the_conflict(
    api: FakeTelegram, http: httpx.AsyncClient, source: UpdatesSource
):
    async def poll() -> None:
        with pytest.raises(Conflict):
            await a_source(api.url, http, hold_s=20).fetch(None)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(poll())
        await api.wait_until(lambda: bool(api.called("getUpdates")))
        updates = await source.fetch(None)

    assert updates == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (refused(401, "Unauthorized"), TokenRefused),
        (refused(404, "Not Found"), TokenRefused),
        (CONFLICT, Conflict),
        (too_many_requests(9), RetryAfter),
        (server_error(), Unreachable),
        (refused(400, "Bad Request"), Unreachable),
        (DROPPED, Unreachable),
        (Fault(Reply(body=b"<html>")), Unreachable),
        (Fault(Reply(body=b"[" * 100_000)), Unreachable),
        (Fault(Reply(body=b"[]")), Unreachable),
        (Fault(Reply(body=b'{"ok": true}')), Unreachable),
        (Fault(Reply(body=b'{"ok": true, "result": []}', cut_at=9)), Unreachable),
    ],
    ids=[
        "revoked",
        "malformed token",
        "conflict",
        "flood",
        "502",
        "400",
        "dropped",
        "html",
        "deep",
        "list",
        "no result",
        "truncated",
    ],
)
async def test_each_failure_has_its_name_and_none_tells_the_token(
    api: FakeTelegram, source: UpdatesSource, fault: Fault, expected: type[PollFailed]
):
    api.fail("getUpdates", fault)

    with pytest.raises(expected) as caught:
        await source.fetch(None)

    assert TOKEN not in "".join(traceback.format_exception(caught.value))


async def test_a_nobody_at_the_other_end_is_unreachable_without_telling_the_token(
    http: httpx.AsyncClient,
):
    async with serve(_never) as url:
        pass

    with pytest.raises(Unreachable) as caught:
        await a_source(url, http).fetch(None)

    assert TOKEN not in "".join(traceback.format_exception(caught.value))


async def _never(_: object) -> Reply:
    return Reply()


async def test_an_answer_that_never_comes_is_given_up(
    api: FakeTelegram, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.updates.polling._MARGIN", timedelta(seconds=0.05))
    api.fail("getUpdates", HANG)

    with pytest.raises(Unreachable):
        await a_source(api.url, http).fetch(None)


@pytest.mark.parametrize(
    ("parameters", "seconds"),
    [('{"retry_after": 9}', 9), ('{"retry_after": "soon"}', 1), ("{}", 1), ("[]", 1)],
)
async def test_the_pause_telegram_asks_for_is_at_least_a_second(
    api: FakeTelegram, source: UpdatesSource, parameters: str, seconds: int
):
    body = f'{{"ok": false, "parameters": {parameters}}}'.encode()
    api.fail("getUpdates", Fault(Reply(status=429, body=body)))

    with pytest.raises(RetryAfter) as caught:
        await source.fetch(None)

    assert caught.value.pause == timedelta(seconds=seconds)


async def test_an_update_that_is_no_object_does_not_hide_the_others(
    api: FakeTelegram, source: UpdatesSource, caplog: pytest.LogCaptureFixture
):
    api.push_raw("nonsense")
    update_id = api.say(CHAT, "hello")

    with caplog.at_level(logging.ERROR):
        updates = await source.fetch(None)

    assert [update["update_id"] for update in updates] == [update_id]
    assert "malformed updates skipped" in caplog.text
