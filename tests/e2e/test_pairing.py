"""The first owner comes in with the code that the program logs; nobody else ever does."""

import re

from tests.e2e.process import Program
from tests.e2e.world import OWNER, World

STRANGER = 6006
_CODE = re.compile(r"/start ([A-Za-z0-9_-]+)$", re.MULTILINE)


async def test_a_code_has_five_tries_works_once_and_is_logged_in_full(world: World):
    """Five for each user: what a stranger guesses takes none of the owner's."""
    async with world.running(without=["AUTHORIZED_CHATS"]) as program:
        first = await offered(program)
        for left in ("4 tries", "3 tries", "2 tries", "1 try"):
            await world.ask("/start wrong", left, chat=STRANGER)
        await world.ask("/start wrong", "You have no tries left", chat=STRANGER)
        await world.ask(f"/start {first}", "I only work for people I know", chat=STRANGER)
        await world.ask("/start wrong", "4 tries", chat=OWNER)

    async with world.running(without=["AUTHORIZED_CHATS"]) as program:
        second = await offered(program)
        await world.ask(f"/start {first}", "4 tries", chat=OWNER)
        await world.ask(f"/start {second}", "Welcome", chat=OWNER)
        await world.ask(f"/start {second}", "I only work for people I know", chat=STRANGER + 1)
        await world.ask("/status", "No MEXC key yet", chat=OWNER)

        assert first != second

    async with world.running(without=["AUTHORIZED_CHATS"]) as program:
        await world.ask("/status", "Next     ")

        assert "/start" not in program.log


async def offered(program: Program) -> str:
    await program.logs("no owner yet")
    found = _CODE.findall(program.log)

    assert len(found) == 1
    return str(found[0])
