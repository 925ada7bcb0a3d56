"""Every kind of target, set in the chat and traded at MEXC: all with one program, one after another."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from tests.e2e.process import until
from tests.e2e.world import OWNER, World
from tests.fakes.mexc_books import mntl
from tests.fakes.telegram_messages import SentMessage
from tests.sampling import LONG

D = Decimal
PRICES = {"MNTL": D("0.002"), "ABC": D("0.05"), "XYZ": D("0.02"), "USDT": D(1)}
# What each asset may be off its goal, as a part of that.
BAND = D("0.05")


class Trader:
    """Whose account trades: what they type and tap, read, and hold."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def sets(self, target: str, *, first: str) -> str:
        """Types it, reads that it would *first* do this, and confirms; the alert of its trades."""
        card = await self._world.ask(f"/target {target}", "Set this target?")

        assert f"The next check trades: {first}" in card.text
        return await self.confirms(card)

    async def confirms(self, card: SentMessage) -> str:
        """Taps Set, and waits for the alert and for two checks that trade nothing; the alert.

        All that was traded is one run, and it was told once, with what was traded in it.
        """
        before, heard = len(self._world.mexc.orders), self._world.newest()
        await self.taps(card, "Set", then="Target set to")
        await until(lambda: self._heard(heard), lambda: self._world.programs[-1].log)
        await self._world.checks(2)
        [alert] = self._heard(heard)
        traded = self._world.mexc.orders[before:]

        assert (" trades, " in alert) == (len(traded) > 1)
        for order in traded:
            did, token = "Bought" if order.side == "BUY" else "Sold", order.symbol[:-4]
            assert f"{did} {order.executed:,f} {token}" in alert
        return alert

    async def taps(
        self, message: SentMessage, label: str, *, then: str, beside: str | None = None
    ) -> None:
        """The button with *label*, or the one *beside* it, until the message says *then*."""
        row = next(row for row in message.buttons if any(label in b.label for b in row))
        found = next(b for b in row if (beside or label) in b.label)
        self._world.telegram.tap(OWNER, found.data or "", message=message)
        await until(lambda: then in message.text, lambda: message.text)

    def _heard(self, after: int) -> list[str]:
        return [m.text for m in self._world.telegram.sent(OWNER) if m.message_id > after]

    def worth(self, asset: str) -> Decimal:
        return self._world.account.of(asset).free * PRICES[asset]

    def off(self, goals: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """How far what it holds is from *goals* in USDT, as a part of each."""
        return {asset: abs(self.worth(asset) / goal - 1) for asset, goal in goals.items()}

    def shares(self, **weights: int) -> dict[str, Decimal]:
        """The goals of shares that come to 100, in USDT."""
        whole = sum((self.worth(asset) for asset in weights), D(0))
        return {asset: whole * weight / 100 for asset, weight in weights.items()}


@pytest.fixture
def trader(world: World) -> Trader:
    for base in ("ABC", "XYZ"):
        pair = mntl(str(PRICES[base]))
        pair.symbol, pair.base = f"{base}USDT", base
        world.mexc.add_pair(pair)
    for asset, free in (("ABC", 1000), ("XYZ", 2500)):
        world.account.of(asset).free = D(free)
    return Trader(world)


@LONG
async def test_targets_of_one_token_trade_and_a_basket_is_built_by_buttons_alone(
    world: World, trader: Trader
):
    world.account.of("USDT").free = D(20)
    async with world.running():
        await world.connect()
        card = await world.ask("/target >=35", "Set this target?")
        await trader.taps(card, "Set", then="Target set to at least 35.00 USDT")
        heard = world.newest()
        world.telegram.say(OWNER, "/resume")
        sold = await world.hears("Sold", after=heard)

        assert sold.text.endswith("(target 35.00)")
        assert 35 < world.usdt < D("36.20")

        assert "Sold" in await trader.sets("25%", first="sell MNTL for ")
        assert trader.off(trader.shares(USDT=25, MNTL=75))["USDT"] <= BAND

        assert "Sold" in await trader.sets("MNTL 100", first="sell MNTL for ")
        assert trader.off({"MNTL": D(100)})["MNTL"] <= BAND
        assert (trader.worth("ABC"), trader.worth("XYZ")) == (D(50), D(50))

        shown = await world.ask("/target", "Target MNTL worth 100.00 USDT")
        await trader.taps(shown, "Build a basket", then="Tap a token to add it.")
        await trader.taps(shown, "➕ MNTL", then="MNTL 5% ")
        await trader.taps(shown, "➕ ABC", then="ABC 5% ")
        await trader.taps(shown, "➕ XYZ", then="XYZ 5% ")
        await trader.taps(shown, "Steps of 5%", then="move 25% between")
        await trader.taps(shown, "MNTL 5%", beside="➕", then="MNTL 30% ")
        await trader.taps(shown, "ABC 5%", beside="➕", then="ABC 30% ")
        await trader.taps(shown, "✅ Done", then="Set this target?")
        told = await trader.confirms(shown)

        assert "3 trades, " in told
        assert max(trader.off(trader.shares(MNTL=30, ABC=30, XYZ=5, USDT=35)).values()) <= BAND


@LONG
async def test_a_range_and_a_basket_typed_in_any_form_trade(world: World, trader: Trader):
    world.account.of("USDT").free = D(40)
    async with world.running():
        await world.connect()
        await world.ask("/resume", "Trading is on")

        told = await trader.sets("MNTL 50 ABC 30 USDT 20", first="sell MNTL for ")
        assert "2 trades, " in told
        assert max(trader.off(trader.shares(MNTL=50, ABC=30, USDT=20)).values()) <= BAND
        assert trader.worth("XYZ") == 50

        told = await trader.sets("MNTL:ABC:XYZ:USDT 4:3:1:2", first="sell ")
        assert " trades, " in told
        assert max(trader.off(trader.shares(MNTL=40, ABC=30, XYZ=10, USDT=20)).values()) <= BAND

        assert "Bought" in await trader.sets("35..50", first="buy MNTL for ")
        assert 35 < world.usdt < 50

        xyz = trader.worth("XYZ")
        told = await trader.sets("40 USDT, rest MNTL:ABC 2:1", first="sell ABC for ")
        rest = trader.worth("MNTL") + trader.worth("ABC") + world.usdt - 40
        goals = {"USDT": D(40), "MNTL": rest * 2 / 3, "ABC": rest / 3}
        assert max(trader.off(goals).values()) <= BAND
        assert trader.worth("XYZ") == xyz
