"""Whatever goes wrong at DEBUG, no token, key or secret is written or sent: the world checks it."""

from tests.e2e.world import ACCOUNT, API_KEY, API_SECRET, ENCRYPTION_KEY, OWNER, World
from tests.fakes.http import Reply
from tests.fakes.mexc_faults import TRUNCATED, Fault
from tests.fakes.telegram_faults import DROPPED, too_many_requests
from tests.fakes.telegram_faults import Fault as TelegramFault

GROUP = -1009
STRANGER = 6006


async def test_no_secret_is_told_whatever_goes_wrong(world: World):
    typed = f"/connect {API_KEY} {API_SECRET}"
    garbage = Reply(body=f'{{"said": "{typed}", '.encode())
    world.telegram.fail("getUpdates", TelegramFault(garbage))
    world.telegram.fail("getMe", DROPPED)
    async with world.running(
        ENCRYPTION_KEYS=ENCRYPTION_KEY,
        LOG_FILE="logs/ballast.log",
        AUTHORIZED_CHATS=f"{OWNER},{GROUP}",
    ) as program:
        world.telegram.say(STRANGER, typed)
        world.telegram.say(GROUP, typed, user_id=OWNER, chat_type="supergroup")
        await world.ask(f"/connect {API_KEY}", "does not look like")
        await world.ask(f"/connect {API_KEY} {API_SECRET}0", "Key not stored")
        world.mexc.inject(Fault(*ACCOUNT, reply=TRUNCATED))
        await world.ask(typed, "Key not stored")
        world.telegram.fail("deleteMessage", DROPPED)
        world.telegram.fail("sendMessage", too_many_requests(1))
        await world.ask(typed, "could not delete your message")
        world.telegram.edit(OWNER, typed)
        await world.ask("/connect", "Step 1 of 2")
        await world.ask(API_KEY, "Step 2 of 2")
        await world.ask(API_SECRET, "Key connected")
        await world.ask("/resume", "Trading is on")
        world.mexc.inject(Fault(*ACCOUNT, reply=Reply(body=f'["{API_SECRET}"]'.encode())))
        await world.hears("Bought")
        await world.ask("/logs 50", "request finished")

        assert "DEBUG engine.exchanges.mexc" in program.log
        assert world.folder.joinpath("data/ballast.db-wal").stat().st_size > 0
        assert not world.folder.joinpath("data/ballast.key").exists()

    # And the world would see one.
    (world.folder / "diary").write_text(f"dear diary, {API_SECRET}")

    assert world.secrets_found() == ["secret in diary"]

    (world.folder / "diary").unlink()
