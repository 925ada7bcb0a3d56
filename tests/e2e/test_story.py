"""The main job: connect, resume, a drift, one order, an alert; and nothing while nothing is due."""

import re
import stat
from collections import Counter
from decimal import Decimal

from tests.e2e.process import until
from tests.e2e.world import ACCOUNT, OWNER, World

BOUGHT = re.compile(
    r"🟢 LIVE · Bought [0-9]{1,3}(,[0-9]{3})+ MNTL\n"
    r"for 1[67]\.[0-9]{2} USDT at 0\.00[0-9]+ \(expected 0\.00[0-9]+\)\n"
    r"Fee .+\n"
    r"USDT  57\.10 → [34][0-9]\.[0-9]{2}  \(target 40\.00\)"
)
SOLD = re.compile(
    r"🟢 LIVE · Sold [0-9],[0-9]{3} MNTL\n"
    r"for 1?[0-9]\.[0-9]{2} USDT at 0\.00[0-9]+ \(expected 0\.00[0-9]+\)\n"
    r"Fee .+\n"
    r"USDT  [23][0-9]\.[0-9]{2} → (39\.99|40\.00)  \(target 40\.00\)"
)


async def test_a_drift_becomes_one_order_and_one_alert_in_either_direction(world: World):
    async with world.running(LOG_FILE="logs/ballast.log", without=["SSL_CERT_FILE"]) as program:
        await world.connect()

        assert world.telegram.last_said(OWNER) in {said for _, said in world.telegram.deleted}

        before = world.newest()
        await world.ask("/resume", "🟢 LIVE · Trading is on")
        bought = await world.hears("Bought", after=before)
        await world.checks(2)

        assert BOUGHT.fullmatch(bought.text)
        assert [order.side for order in world.mexc.orders] == ["BUY"]
        assert Decimal(38) <= world.usdt <= Decimal(42)

        before = world.newest()
        world.drift("-10")
        sold = await world.hears("Sold", after=before)
        await world.checks(2)

        assert SOLD.fullmatch(sold.text)
        assert [order.side for order in world.mexc.orders] == ["BUY", "SELL"]
        assert Decimal("39.99") < world.usdt < Decimal("40.01")

        status = await world.ask("/status", "Next     ")
        why = await world.ask("/why", "The last check")
        history = await world.ask("/history", "History")

        assert status.text.startswith("🟢 LIVE · MNTL/USDT\nUSDT     ")
        assert "target 40 ±5%" in status.text
        assert "inside the band" in why.text
        assert re.findall(r"\b(bought|sold)\b", history.text) == [
            "sold",
            "bought",
        ]
        assert sum("Bought" in text or "Sold" in text for text in world.told()) == 2

        await program.stop()

    assert _mode(world, "data/ballast.key") == 0o600
    assert (world.folder / "logs/ballast.log").read_text() == program.log


async def test_a_check_that_holds_is_one_request_per_interval_and_writes_nothing(world: World):
    world.account.of("USDT").free = Decimal(40)
    # DELTA is what the interval was called before.
    async with world.running(without=["CHECK_INTERVAL"], DELTA="1") as program:
        await world.connect()
        await world.ask("/resume", "Trading is on")
        await world.checks(2)
        asked = Counter(world.mexc.requests)
        await until(lambda: has_checked_each_second(world.asked_at(ACCOUNT)), lambda: program.log)

        assert set(world.mexc.requests - asked) == {ACCOUNT}
        # The lease is renewed every half a minute, so one look may be disturbed by that.
        assert await writes_nothing(world) or await writes_nothing(world)


async def writes_nothing(world: World) -> bool:
    before = _database(world)
    await world.checks(2)
    return _database(world) == before


def has_checked_each_second(asked_at: list[int]) -> bool:
    """Whether five checks in a row were four seconds apart, give or take a heartbeat."""
    return any(
        3500 <= fifth - first <= 4500 for first, fifth in zip(asked_at, asked_at[4:], strict=False)
    )


def _mode(world: World, name: str) -> int:
    return stat.S_IMODE((world.folder / name).stat().st_mode)


def _database(world: World) -> list[bytes]:
    return [(world.folder / f"data/ballast.db{end}").read_bytes() for end in ("", "-wal")]
