"""Keys over the chat: taken in private, deleted at once, checked before they are stored, shown never."""

import logging
from collections.abc import Generator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.observability.logs import configure, recent_lines
from engine.exchanges.mexc.listen_keys.account_keys import ListenKeys
from engine.storage.models.chat import ConversationRow
from tests.bot.harness import (
    FRIEND,
    GROUP,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    OWNER,
    SECRET,
    Program,
    World,
    another_pair,
    calls_between,
)
from tests.fakes.mexc_books import ALL_NEEDED
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault, refusal
from tests.fakes.mexc_ledger import LedgerOrder
from tests.fakes.tasks import a_moment
from tests.fakes.telegram_faults import HANG, refused
from tests.fakes.telegram_server import TOKEN

CONNECT = f"/connect {KEY} {SECRET}"
CANNOT_DELETE = refused(400, "Bad Request: message can't be deleted")
ORDER = ("POST", "/api/v3/order")


@pytest.fixture
def _as_in_production(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Logging as the program sets it up, at its most talkative."""
    levels = {name: logging.getLogger(name).level for name in logging.Logger.manager.loggerDict}
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    configure("DEBUG", None, [TOKEN])
    with caplog.at_level(logging.DEBUG):
        yield
    for handler in set(logging.getLogger().handlers) - set(handlers):
        logging.getLogger().removeHandler(handler)
    logging.getLogger().setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(False)


def deleted(world: World, chat_id: int = OWNER) -> bool:
    """Whether the person's newest message is gone."""
    return (chat_id, world.api.last_said(chat_id)) in world.api.deleted


async def test_a_key_sent_in_one_message_is_deleted_checked_and_stored(world: World, bot: Program):
    start = len(world.api.calls)

    answer = await bot.ask(OWNER, CONNECT)
    account = await bot.account()

    assert deleted(world)
    assert calls_between(world.api, start) == ["deleteMessage", "sendMessage"]
    assert answer.text.splitlines()[:3] == [
        "⏸ PAUSED · Key connected",
        "The key ending in BWC5 works. I keep it encrypted.",
        "Your message is deleted.",
    ]
    assert "It may not withdraw. Allowed: read balances, read orders, trade." in answer.text
    assert "It expires in 89 days." in answer.text
    assert "You hold 57.10 USDT and 91,858 MNTL." in answer.text
    assert "After /resume: I buy 8,142 MNTL for about 16.30 USDT." in answer.text
    assert "With /mode ask I ask you before each order." in answer.text
    assert answer.labels == ["Resume", "Ask me each time"]
    assert account.key_tail == "BWC5"
    assert account.settings.paused
    assert world.mexc.requests["POST", "/api/v3/order/test"] == 1


async def test_the_message_is_deleted_before_the_key_leaves_for_mexc(world: World, bot: Program):
    world.api.fail("deleteMessage", HANG)
    world.api.say(OWNER, CONNECT)

    await world.api.wait_until(lambda: bool(world.api.called("deleteMessage")))
    for _ in range(20):
        await a_moment()

    assert world.mexc.requests.total() == 0


async def test_a_key_sent_step_by_step_is_deleted_each_time(world: World, bot: Program):
    first = await bot.ask(OWNER, "/connect")
    second = await bot.ask(OWNER, KEY)
    key_gone = deleted(world)
    third = await bot.ask(OWNER, SECRET)

    assert "Step 1 of 2: send me the access key." in first.text
    assert "Leave out withdrawal and transfer." in first.text
    assert "Step 2 of 2: send me the secret key." in second.text
    assert "Key connected" in third.text
    assert key_gone
    assert deleted(world)
    assert (await bot.account()).key_tail == "BWC5"
    assert await bot.count(ConversationRow) == 0


@pytest.mark.parametrize("steps", [(), (KEY,)])
async def test_a_step_takes_the_key_and_the_secret_in_one_message(
    world: World, bot: Program, steps: Sequence[str]
):
    for text in ("/connect", *steps):
        await bot.ask(OWNER, text)

    answer = await bot.ask(OWNER, f"{KEY}\n{SECRET}")

    assert "Key connected" in answer.text
    assert deleted(world)
    assert await bot.count(ConversationRow) == 0


async def test_connecting_step_by_step_goes_on_after_a_restart(world: World):
    async with world.program() as first:
        await first.ask(OWNER, "/connect")
        await first.ask(OWNER, KEY)
    async with world.program() as second:
        answer = await second.ask(OWNER, SECRET)

    assert "Key connected" in answer.text


async def test_a_button_starts_the_steps_as_the_command_does(world: World, bot: Program):
    await bot.ask(OWNER, "/start")

    (answer,) = await bot.tap(OWNER, "Connect")

    assert "Step 1 of 2" in answer.text
    assert "deleteMessage" not in [call.method for call in world.api.calls]


async def test_another_command_ends_the_steps(bot: Program):
    await bot.ask(OWNER, "/connect")
    await bot.ask(OWNER, "/version")

    answer = await bot.ask(OWNER, "hello there")

    assert "I only understand commands" in answer.text


async def test_the_steps_are_forgotten_after_ten_minutes(world: World, bot: Program):
    await bot.ask(OWNER, "/connect")
    world.clock.shift(timedelta(minutes=10, seconds=1))

    answer = await bot.ask(OWNER, "hello there")

    assert "I only understand commands" in answer.text


async def test_a_step_that_cannot_be_read_any_more_is_told(bot: Program):
    await bot.ask(OWNER, "/connect")
    await bot.ask(OWNER, KEY)
    async with bot.database.writing() as session:
        await session.execute(update(ConversationRow).values(payload="sealed by somebody else"))

    answer = await bot.ask(OWNER, SECRET)

    assert "Send your key again with /connect." in answer.text


async def test_one_persons_steps_are_not_anothers(bot: Program):
    await bot.ask(OWNER, "/connect")

    answer = await bot.ask(FRIEND, "hello there")

    assert "I only understand commands" in answer.text


@pytest.mark.parametrize(
    "typed",
    [
        "only-one-word",
        f"{KEY} {SECRET} third",
        f"{KEY} <b>{SECRET}</b>",
        f"{KEY} short",
        f"{KEY} {'x' * 129}",
        f"{KEY} {SECRET}\u202e",
        f"{KEY} ＫＥＹＫＥＹＫＥＹ",
    ],
)
async def test_a_malformed_key_is_deleted_and_explained(world: World, bot: Program, typed: str):
    answer = await bot.ask(OWNER, f"/connect {typed}")

    assert "That does not look like a MEXC key and secret" in answer.text
    assert "Your message is deleted." in answer.text
    assert deleted(world)
    assert world.mexc.requests.total() == 0


async def test_a_message_that_is_gone_already_is_deleted(world: World, bot: Program):
    world.api.fail("deleteMessage", refused(400, "Bad Request: message to delete not found"))

    answer = await bot.ask(OWNER, CONNECT)

    assert "Your message is deleted." in answer.text


async def test_a_malformed_step_is_deleted_and_ends_the_steps(world: World, bot: Program):
    await bot.ask(OWNER, "/connect")

    answer = await bot.ask(OWNER, "two words")

    assert "does not look like a MEXC key" in answer.text
    assert deleted(world)
    assert await bot.count(ConversationRow) == 0


async def test_keys_are_not_taken_in_groups(world: World, bot: Program):
    (with_key,) = await bot.say(GROUP, CONNECT, user_id=OWNER, chat_type="group")
    (bare,) = await bot.say(GROUP, "/connect", user_id=OWNER, chat_type="group")

    assert "I take keys in a private chat only" in with_key.text
    assert "delete it at MEXC and make a new one" in with_key.text
    assert "I could not delete your message" in with_key.text  # as Telegram's groups have it
    assert "delete" not in bare.text
    assert "Open https://t.me/ballast_bot and send /connect there." in bare.text
    assert "Then /share there makes a link that shows this group your account." in bare.text
    assert world.mexc.requests.total() == 0


async def test_a_message_that_cannot_be_deleted_is_warned_about(world: World, bot: Program):
    world.api.fail("deleteMessage", CANNOT_DELETE, times=3)

    connected = await bot.ask(OWNER, CONNECT)
    malformed = await bot.ask(OWNER, "/connect nonsense")
    elsewhere = await bot.ask(FRIEND, CONNECT)

    for answer in (connected, malformed, elsewhere):
        assert "⚠️ I could not delete your message. Please delete it yourself, now." in answer.text
    assert "Another chat trades with this key already." in elsewhere.text


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (refusal(10072, "Api key info invalid"), "does not know this key, or the secret"),
        (refusal(700002, "Signature for this request is not valid."), "or the secret does not"),
        (refusal(700006, "IP [203.0.113.7] not in the ip white list"), "203.0.113.7 to the key"),
        (refusal(700007, "No permission to access the endpoint."), "lacks a permission"),
        (refusal(429, "Too many requests", status=429), "asks me to slow down"),
        (BAD_GATEWAY, "could not check the key"),
        (DROPPED, "could not check the key"),
    ],
    ids=["unknown", "signature", "address", "permission", "rate", "gateway", "dropped"],
)
async def test_a_failed_check_stores_nothing_and_says_why(
    world: World, bot: Program, fault: object, words: str
):
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=fault, times=None))  # type: ignore[arg-type]

    answer = await bot.ask(OWNER, CONNECT)
    account = await bot.account()

    assert "⚠️ Key not stored" in answer.text
    assert words in answer.text
    assert "No order was sent. I kept nothing of this key." in answer.text
    assert deleted(world)
    assert (account.sealed_key, account.key_tail) == (None, None)


@pytest.mark.parametrize(
    ("permissions", "words"),
    [
        (ALL_NEEDED | {"SPOT_WITHDRAW_WRITE"}, "can move money out of your account"),
        (ALL_NEEDED - {"SPOT_DEAL_READ"}, "lacks a permission: “SPOT_DEAL_READ”"),
    ],
    ids=["withdraw", "cannot look up"],
)
async def test_a_key_that_may_do_too_much_or_too_little_is_refused(
    world: World, bot: Program, permissions: frozenset[str], words: str
):
    world.mexc.ledger.accounts[KEY].permissions = permissions

    answer = await bot.ask(OWNER, CONNECT)

    assert "Key not stored" in answer.text
    assert words in answer.text
    assert (await bot.account()).sealed_key is None


async def test_a_key_that_may_not_trade_the_pair_is_refused_with_a_way_out(
    world: World, bot: Program
):
    world.mexc.add_pair(another_pair())
    world.mexc.ledger.accounts[KEY].pairs = frozenset({"ABCUSDT"})

    refused_key = await bot.ask(OWNER, CONNECT)
    await bot.ask(OWNER, "/setpair ABC")
    connected = await bot.ask(OWNER, CONNECT)

    assert "The key may not trade MNTLUSDT" in refused_key.text
    assert "/setpair" in refused_key.text
    assert "Key connected" in connected.text


async def test_a_failed_check_leaves_the_key_of_before(world: World, bot: Program):
    await bot.connect()
    before = await bot.account()

    answer = await bot.ask(OWNER, f"/connect {OTHER_KEY} {OTHER_SECRET}")

    assert "The key ending in BWC5 stays connected." in answer.text
    assert await bot.account() == before


async def test_a_new_key_replaces_the_old_one_and_pauses(world: World, bot: Program):
    world.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="40")
    await bot.connect()

    asked = await bot.ask(OWNER, "/connect")
    answer = await bot.ask(OWNER, f"/connect {OTHER_KEY} {OTHER_SECRET}")

    assert "The key ending in BWC5 stays until I have checked the new one." in asked.text
    assert "The key ending in ZZ99 works" in answer.text
    assert "It replaces the one ending in BWC5." in answer.text
    assert (await bot.account()).settings.paused


async def test_a_key_check_that_hangs_is_given_up(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.accounts.account_service._INSPECTED_WITHIN_S", 0.05)
    world.mexc.inject(Fault("GET", "/api/v3/account", hang=True))

    answer = await bot.ask(OWNER, CONNECT)

    assert "could not check the key" in answer.text
    assert (await bot.account()).sealed_key is None


async def test_the_same_key_is_refused_in_a_second_chat(world: World, bot: Program):
    await bot.connect()

    answer = await bot.ask(FRIEND, CONNECT)

    assert "Key not stored" in answer.text
    assert "Another chat trades with this key already." in answer.text
    assert deleted(world, FRIEND)
    assert (await bot.account(FRIEND)).sealed_key is None


async def test_an_unclear_order_keeps_what_is_needed_to_clear_it_up(world: World, bot: Program):
    world.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="40")
    await bot.connect()
    world.mexc.inject(Fault(*ORDER, reply=DROPPED, executes=True))
    world.mexc.inject(Fault("GET", "/api/v3/order", reply=BAD_GATEWAY, times=None))
    (unclear,) = await bot.checked()
    before = await bot.account()

    question = await bot.ask(OWNER, "/disconnect")
    await bot.tap(OWNER, "Forget the key")
    dry = await bot.ask(OWNER, "/dryrun on")
    plan = await bot.ask(OWNER, "/rebalance")
    world.mexc.add_pair(another_pair())
    pair = await bot.ask(OWNER, "/setpair ABC")
    refused = await bot.ask(OWNER, f"/connect {OTHER_KEY} {OTHER_SECRET}")
    after = await bot.account()

    assert "An order is unclear" in unclear.text
    assert "An order is not confirmed yet" in question.text
    assert "An order is not confirmed yet" in dry.text
    assert "An order is not confirmed yet" in pair.text
    assert "is not confirmed yet" in plan.text
    assert plan.labels == []
    assert after == before
    assert "Key not stored" in refused.text  # another account's key could not look it up
    assert len(world.mexc.orders) == 1


async def test_forgetting_the_key_is_asked_about_first(world: World, bot: Program):
    await bot.connect()

    question = await bot.ask(OWNER, "/disconnect")
    still = await bot.account()
    news = await bot.tap(OWNER, "Forget the key")
    account = await bot.account()
    again = await bot.ask(OWNER, "/disconnect")

    assert "Forget the key ending in BWC5?" in question.edits[0]
    assert still.sealed_key is not None
    assert news == []
    assert "⏸ PAUSED · Key forgotten" in question.text
    assert question.labels == []
    assert (account.sealed_key, account.key_tail, account.settings.paused) == (None, None, True)
    assert "This chat has no key." in again.text


async def test_with_the_key_goes_what_its_stream_was_opened_with(world: World, bot: Program):
    await bot.connect()
    keys: ListenKeys = bot.setup.revoke_stream.__self__  # type: ignore[attr-defined]
    made = await keys.key_for(await bot.account(), renew=False)

    await bot.ask(OWNER, "/disconnect")
    assert world.mexc.listen_keys.of(KEY) == [made]
    await bot.tap(OWNER, "Forget the key")

    assert world.mexc.listen_keys.of(KEY) == []


async def test_a_key_forgotten_twice_is_forgotten_once(world: World, bot: Program):
    await bot.connect()
    first = await bot.ask(OWNER, "/disconnect")
    second = await bot.ask(OWNER, "/disconnect")

    await bot.tap(OWNER, "Forget the key", message=first)
    await bot.tap(OWNER, "Forget the key", message=second)

    assert "Key forgotten" in first.text
    assert "This chat has no key." in second.text


async def test_a_forgotten_key_can_be_connected_elsewhere(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/disconnect")
    await bot.tap(OWNER, "Forget the key")

    answer = await bot.ask(FRIEND, CONNECT)

    assert "Key connected" in answer.text


@pytest.mark.parametrize(
    "typed",
    [f"connect {KEY} {SECRET}", KEY, SECRET, f"/conect {KEY} {SECRET}"],
)
async def test_a_key_that_went_astray_is_deleted_too(world: World, bot: Program, typed: str):
    answer = await bot.ask(OWNER, typed)

    assert "That looks like a MEXC key or secret" in answer.text
    assert deleted(world)
    assert world.mexc.requests.total() == 0


async def test_a_key_added_by_an_edit_is_deleted(world: World, bot: Program):
    await bot.ask(OWNER, "/version")

    (answer,) = await bot.push(OWNER, lambda: world.api.edit(OWNER, CONNECT))

    assert "I kept nothing of it." in answer.text
    assert deleted(world)
    assert world.mexc.requests.total() == 0


@pytest.mark.usefixtures("_as_in_production")
async def test_secrets_are_nowhere(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    async with world.program() as bot:
        await bot.ask(OWNER, CONNECT)
        await bot.ask(OWNER, "/disconnect")
        await bot.tap(OWNER, "Forget the key")
        await bot.ask(OWNER, "/connect")
        await bot.ask(OWNER, KEY)
        await bot.ask(OWNER, SECRET)
        await bot.ask(OWNER, "/resume")
        await bot.checked()
        world.mexc.deposit(KEY, "USDT", Decimal(20))
        world.mexc.inject(Fault(*ORDER, reply=refusal(30005, f"Oversold {KEY} {SECRET}")))
        await bot.live_for(timedelta(minutes=2))
        alerts = await bot.told(OWNER)
        for typed in (CONNECT, f"/conect {KEY} {SECRET}", f"hello {SECRET}", "/status", "/logs"):
            await bot.say(OWNER, typed)
        folder = Path(bot.database.engine.url.database or "").parent
        stored = b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())
        order: LedgerOrder = world.mexc.orders[0]

    everywhere = {
        "database": stored,
        "messages": "\n".join(
            text for sent in world.api.sent(OWNER) for text in (sent.text, *sent.edits)
        ).encode(),
        "log": caplog.text.encode(),
        "stderr": capsys.readouterr().err.encode(),
        "/logs": "\n".join(recent_lines(500)).encode(),
    }

    assert order.status == "FILLED"
    assert any("MEXC refused an order" in alert.text for alert in alerts)
    assert b"SQLite format 3" in stored
    for place, found in everywhere.items():
        for secret in (KEY, SECRET, TOKEN, TOKEN.partition(":")[2]):
            assert secret.encode() not in found, place
        assert b"signature=" not in found, place
