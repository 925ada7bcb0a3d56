"""The webhook: updates that Telegram brings are stored before it is told so; and its registration."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy.ext.asyncio import AsyncSession
from telegram.request import HTTPXRequest

from bot.runtime.startup import build_application
from bot.runtime.supervisor import App, connect
from bot.updates.polling import ALLOWED_UPDATES, TokenRefused
from bot.updates.webhook import PATH, SECRET_HEADER, Registration, Webhook, remove_webhook
from bot.updates.webhook_secret import WebhookSecret, derived_from
from bot.web.server import MOST_BODY, serve
from engine.security.vault import Vault
from engine.storage.coordination import key_values
from engine.storage.database import Database, InTransaction
from engine.storage.models.coordination import ProcessRow
from tests.bot.test_polling import ANNA, BERT, a_store, db, rows  # noqa: F401 - a fixture
from tests.fakes.clock import FakeClock
from tests.fakes.database import WatchedDatabase, gone
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.tasks import a_moment, running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import DROPPED, refused, server_error
from tests.fakes.telegram_server import TOKEN

SECRET = "5ec3e7" * 8
LOCAL = "127.0.0.1"
MINUTE = timedelta(minutes=1)


def a_secret(
    database: Database, clock: FakeClock, *, since: datetime | None = None
) -> WebhookSecret:
    return WebhookSecret(
        SECRET, since=since or clock.now(), token=TOKEN, database=database, clock=clock
    )


class Site:
    """A web process's door, and somebody who knocks."""

    def __init__(self, webhook: Webhook, port: int) -> None:
        self.webhook = webhook
        self.url = f"http://{LOCAL}:{port}{PATH}"

    async def bring(self, content: bytes, *, secret: str | None = SECRET) -> int:
        headers = {SECRET_HEADER.encode(): secret.encode()} if secret is not None else {}
        async with httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
            answer = await http.post(self.url, content=content, headers=headers)
        return answer.status_code


@pytest.fixture
async def site() -> AsyncGenerator[Site]:
    webhook = Webhook()
    async with serve({("POST", PATH): webhook.take}, port=0, host=LOCAL) as port:
        yield Site(webhook, port)


@pytest.fixture
async def api(clock: FakeClock) -> AsyncGenerator[FakeTelegram]:
    async with FakeTelegram(clock=clock) as api:
        yield api


@pytest.fixture
async def application(api: FakeTelegram, clock: FakeClock) -> AsyncGenerator[App]:
    app = build_application(
        TOKEN, request=HTTPXRequest(httpx_kwargs={"verify": NO_CERTIFICATES}), base_url=api.url
    )
    await connect(app, clock)
    yield app
    await app.shutdown()


def an_update(update_id: int, chat_id: int = ANNA) -> bytes:
    return f'{{"update_id": {update_id}, "message": {{"chat": {{"id": {chat_id}}}}}}}'.encode()


async def test_an_update_is_stored_sealed_and_once_however_often_it_is_brought(
    site: Site,
    db: Database,  # noqa: F811 - the fixture
    clock: FakeClock,
):
    claims: list[AsyncSession] = []

    @asynccontextmanager
    async def claiming(more: bool) -> AsyncGenerator[InTransaction]:
        async def claim(session: AsyncSession) -> None:
            claims.append(session)

        yield claim

    site.webhook.open(a_store(db, clock, claiming=claiming), a_secret(db, clock))

    answers = [await site.bring(an_update(1)) for _ in range(2)]
    answers.append(await site.bring(an_update(2, BERT)))

    assert answers == [200, 200, 200]
    stored = await rows(db)
    assert [(row.update_id, row.chat_id) for row in stored] == [(1, ANNA), (2, BERT)]
    assert "message" not in stored[0].payload
    assert len(claims) == 2


@pytest.mark.parametrize("secret", [None, "", SECRET[:-1], SECRET.upper(), "ä"])
async def test_without_the_secret_nothing_is_read(
    site: Site,
    db: Database,  # noqa: F811 - the fixture
    clock: FakeClock,
    secret: str | None,
):
    site.webhook.open(a_store(db, clock), a_secret(db, clock))
    assert await site.bring(an_update(1), secret=secret) == 404
    assert await rows(db) == []


@pytest.mark.parametrize(
    "poison",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"update_id": "7"}',
        b'{"update_id": 1e400}',
        b"[" * 100_000,
        b"9" * 5000,
        b"x" * (MOST_BODY + 1),
        "\udcff".encode(errors="surrogateescape"),
    ],
    ids=range(10),
)
async def test_what_can_never_be_stored_does_not_hold_up_its_chat(
    site: Site,
    db: Database,  # noqa: F811 - the fixture
    clock: FakeClock,
    poison: bytes,
    caplog: pytest.LogCaptureFixture,
):
    site.webhook.open(a_store(db, clock), a_secret(db, clock))

    assert await site.bring(poison) == 200
    assert await rows(db) == []
    assert [r.levelname for r in caplog.records if r.name.startswith("bot.")][-1] == "ERROR"


async def test_what_could_not_be_stored_comes_again_and_is_not_lost(
    site: Site,
    db: Database,  # noqa: F811 - the fixture
    clock: FakeClock,
):
    fails = [gone()]

    async def fail(step: str) -> None:
        if step == "commit" and fails:
            raise fails.pop()

    assert await site.bring(an_update(1)) == 503  # there is no database yet

    site.webhook.open(
        a_store(WatchedDatabase(db, clock, on_step=fail), clock), a_secret(db, clock)
    )

    assert await site.bring(an_update(1)) == 503
    assert await rows(db) == []
    assert await site.bring(an_update(1)) == 200
    assert len(await rows(db)) == 1

    site.webhook.shut()

    assert await site.bring(an_update(2)) == 503


async def test_telegram_brings_each_chats_updates_in_order_until_they_are_taken(
    site: Site,
    db: Database,  # noqa: F811 - the fixture
    clock: FakeClock,
    api: FakeTelegram,
    application: App,
):
    for text in ("one", "two"):
        api.say(ANNA, text)
    api.say(BERT, "three")
    registration = a_registration(application, clock, site.url)
    async with running(registration.run()):
        await api.wait_until(lambda: any(status == 503 for _, status in api.delivered))
        site.webhook.open(a_store(db, clock), a_secret(db, clock))
        await api.wait_until(lambda: not api.unconfirmed)

    assert registration.is_done
    stored = [(row.chat_id, row.update_id) for row in await rows(db)]
    assert sorted(stored) == [(ANNA, 1001), (ANNA, 1002), (BERT, 1003)]
    assert [update_id for chat, update_id in stored if chat == ANNA] == [1001, 1002]


def a_registration(application: App, clock: FakeClock, url: str) -> Registration:
    return Registration(bot=application.bot, clock=clock, url=url, secret=SECRET)


async def test_the_webhook_is_set_as_soon_as_telegram_answers_and_drops_nothing(
    api: FakeTelegram, application: App, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    for fault in (DROPPED, server_error(), refused(400, "Bad Request: bad webhook: no port")):
        api.fail("setWebhook", fault)
    registration = a_registration(application, clock, "https://ballast.example/telegram")
    async with running(registration.run()):
        await api.wait_until(lambda: bool(api.webhook.url))

    *_, (call) = api.called("setWebhook")
    assert call["secret_token"] == SECRET == api.webhook.secret
    assert api.allowed_updates == ALLOWED_UPDATES
    assert "drop_pending_updates" not in call
    assert caplog.text.count("webhook not set") == 3
    assert "webhook not set: Bad webhook: no port" in caplog.text


async def test_a_webhook_that_is_gone_is_set_again_and_failed_deliveries_are_told_once(
    api: FakeTelegram, application: App, caplog: pytest.LogCaptureFixture
):
    clock = FakeClock(manual=True)
    caplog.set_level(logging.WARNING)
    registration = a_registration(application, clock, "https://ballast.example/telegram")
    async with running(registration.run()):
        await api.wait_until(lambda: bool(api.webhook.url))
        await look(api, clock)
        await look(api, clock)

        assert len(api.called("setWebhook")) == 1

        api.webhook.error = "Wrong response from the webhook: 503"
        await look(api, clock)
        await look(api, clock)
        api.webhook.url = ""
        await look(api, clock)
        await api.wait_until(lambda: bool(api.webhook.url))

    assert caplog.text.count("delivery failed") == 1
    assert "webhook removed" in caplog.text
    assert SECRET not in caplog.text


async def look(api: FakeTelegram, clock: FakeClock) -> None:
    """Let the registration look once more."""
    seen = len(api.called("getWebhookInfo"))
    await a_moment()
    await clock.advance(MINUTE)
    await api.wait_until(lambda: len(api.called("getWebhookInfo")) > seen)
    await a_moment()


async def test_a_webhook_of_before_is_removed_and_what_waits_is_kept(
    api: FakeTelegram, application: App, clock: FakeClock
):
    api.webhook.url = "http://127.0.0.1:1/gone"
    api.say(ANNA, "/pause")
    api.fail("deleteWebhook", server_error())
    await remove_webhook(application.bot, clock)

    assert api.webhook.url == ""
    assert len(api.unconfirmed) == 1


@pytest.mark.parametrize("call", ["setWebhook", "deleteWebhook"])
async def test_a_token_that_is_refused_later_ends_it(
    api: FakeTelegram, application: App, clock: FakeClock, call: str
):
    api.fail(call, refused(401, "Unauthorized"))
    calls: dict[str, Any] = {
        "setWebhook": a_registration(application, clock, "https://x.example/telegram").run(),
        "deleteWebhook": remove_webhook(application.bot, clock),
    }
    wanted = calls.pop(call)
    for other in calls.values():
        other.close()

    with pytest.raises(TokenRefused):
        await wanted


async def test_the_secret_is_random_kept_sealed_and_every_processes(
    db: Database,  # noqa: F811 - the fixture
    clock: FakeClock,
):
    async def load(vault: Vault) -> str:
        loaded = await WebhookSecret.load(database=db, vault=vault, token=TOKEN, clock=clock)
        return loaded.value

    vault = Vault([Fernet.generate_key().decode()])
    first, second = await load(vault), await load(vault)
    async with db.reading() as session:
        kept = await key_values.get(session, key_values.WEBHOOK_SECRET)
    after_the_keys_were_lost = await load(Vault([Fernet.generate_key().decode()]))

    assert first == second != derived_from(TOKEN)
    assert len(first) == 64
    assert first not in str(kept)
    assert after_the_keys_were_lost != first


@pytest.mark.parametrize(
    ("session", "alive_for", "age", "answer"),
    [
        (None, MINUTE, timedelta(hours=23), 200),
        (None, MINUTE, timedelta(hours=24), 404),
        (None, -MINUTE, timedelta(), 404),
        ("", MINUTE, timedelta(), 404),
    ],
    ids=["beside an older process", "after a day", "which is dead", "beside its like"],
)
async def test_what_follows_from_the_token_is_taken_while_an_older_process_lives(
    site: Site,
    db: Database,  # noqa: F811 - the fixture
    clock: FakeClock,
    session: str | None,
    alive_for: timedelta,
    age: timedelta,
    answer: int,
):
    async with db.writing() as writing:
        until = clock.now() + alive_for
        writing.add(ProcessRow(owner="other", alive_until=until, session=session))
    secret = a_secret(db, clock, since=clock.now() - age)
    site.webhook.open(a_store(db, clock), secret)

    assert await site.bring(an_update(1), secret=derived_from(TOKEN)) == answer
