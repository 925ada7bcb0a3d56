"""The types of process beside each other on one PostgreSQL: overlapping, killed, scaled up and down.

The leases are shorter than shipped (tests/faults/hurried.py).
"""

import signal
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.e2e.test_webhook import a_free_port, get, on
from tests.e2e.world import World
from tests.fakes.mexc import FakeMexc
from tests.fakes.telegram import FakeTelegram
from tests.faults.fleet import Fleet, Hurried, Member, Person, sailing
from tests.faults.test_processes import at_rest, told

_OWNERS = "SELECT owner FROM leases"
_POLLER = "SELECT owner FROM posts WHERE name = 'poller'"


@pytest.fixture
async def fleet(tmp_path: Path, postgres_url: str) -> AsyncGenerator[Fleet]:
    async with FakeTelegram() as telegram, FakeMexc() as mexc:
        world = World(folder=tmp_path, telegram=telegram, mexc=mexc)
        world.launcher = Hurried()
        async with sailing(world, postgres_url) as fleet:
            yield fleet

            assert set(mexc.order_posts.values()) <= {1}
            assert fleet.witness().lies(mexc.orders) == []
            assert world.secrets_found() == []


def owners(fleet: Fleet) -> Counter[str]:
    """How many accounts each process owns, a dead one too until another has claimed them; those
    that nobody owns are not counted.
    """
    return Counter(owner for (owner,) in fleet.admin.run(_OWNERS) if owner is not None)


def shares(fleet: Fleet) -> list[int]:
    return sorted(owners(fleet).values())


def polling(fleet: Fleet) -> str:
    [(owner,)] = fleet.admin.run(_POLLER) or [("",)]
    return str(owner)


def polls(member: Member) -> bool:
    """By its own word; a slow machine may be late with a heartbeat, and then another polls."""
    log = member.program.log
    return log.rfind("leadership acquired post=poller") > log.rfind("leadership lost post=poller")


async def started(fleet: Fleet, *arguments: str, **env: str) -> Member:
    member = await fleet.start(*arguments, **env)
    await fleet._is_ready(member)
    return member


async def trades(fleet: Fleet, people: list[Person], *, orders: int) -> None:
    """Everybody's drift is traded away, once, and told."""
    for person in people:
        fleet.drift(person, f"{8 + orders}.10")
    await at_rest(fleet, people, orders=orders)
    for person in people:
        assert len(told(fleet, person, "Bought")) == orders


async def test_of_two_workers_one_polls_and_the_other_follows_when_it_is_killed(fleet: Fleet):
    first = await started(fleet, "worker")
    second = await started(fleet, "worker")
    people = list(await fleet.people(2))
    await fleet.until(lambda: shares(fleet) == [1, 1])
    await trades(fleet, people, orders=1)
    await fleet.until(lambda: polls(first) != polls(second))
    poller = polling(fleet)
    killed, other = (first, second) if polls(first) else (second, first)
    await killed.program.kill()
    await fleet.world.ask("/version", "Ballast", chat=people[0].chat_id)
    await fleet.until(lambda: shares(fleet) == [2])
    await trades(fleet, people, orders=2)

    assert polling(fleet) != poller
    assert polls(other)
    assert "Conflict" not in first.program.log + second.program.log
    assert await other.program.stop() == 0
    assert polling(fleet) == ""


async def test_worker_web_and_engine_beside_each_other_come_and_go_and_nothing_is_lost(
    fleet: Fleet,
):
    """From one worker to web and engine processes, as an operator moves to webhooks, and back."""
    worker = await started(fleet, "worker")
    people = list(await fleet.people(3))
    port = a_free_port()
    web = await started(fleet, "web", **on(port))
    engine = await started(fleet, "engine", WEBHOOK_URL=on(port)["WEBHOOK_URL"])
    await fleet.until(lambda: shares(fleet) == [1, 1, 1])
    await fleet.world.ask("/version", "Ballast", chat=people[0].chat_id)
    ready = await get(port, "/readyz")

    assert ready.status_code == 200

    assert await worker.program.stop() == 0
    await fleet.until(lambda: shares(fleet) == [1, 2])
    await trades(fleet, people, orders=1)
    for person in people:
        await fleet.world.ask("/settarget 41", "41.00", chat=person.chat_id)
    before = owners(fleet).keys()
    await web.program.kill()
    for person in people:
        fleet.world.telegram.say(person.chat_id, "/pause")  # nobody is there to take it
    again = await started(fleet, "worker")
    await fleet.until(lambda: not fleet.world.telegram.unconfirmed)
    await fleet.until(lambda: all(told(fleet, p, "No order leaves from now on") for p in people))
    await fleet.until(lambda: len(owners(fleet).keys() & before) == 1)  # the dead one is none
    await fleet.until(lambda: shares(fleet) == [1, 2])

    assert fleet.world.telegram.webhook.url == ""
    for program in (engine.program, again.program):
        program.send(signal.SIGTERM)

        assert await program.exit_code() == 0
    assert shares(fleet) == []
    for person in people:
        assert len(told(fleet, person, "Target set to 41")) == 1
        assert len(told(fleet, person, "No order leaves from now on")) == 1
