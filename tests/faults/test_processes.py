"""Two to eight processes on one PostgreSQL and one set of accounts, and everything that befalls a
process: a deploy, a frozen machine, SIGKILL, a database that throws it out.

The processes are real, and so are the signals, the sockets and the database. Only the leases are
shorter than shipped (tests/faults/hurried.py), so that they run out while somebody watches.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.domain.orders.order import RECV_WINDOW, UNRESOLVED, OrderState
from tests.e2e.world import ACCOUNT, ORDER, World
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import Fault
from tests.fakes.telegram import FakeTelegram
from tests.faults.fleet import Fleet, Hurried, Member, Passage, Person, sailing
from tests.faults.mayhem import SOAKING, Mayhem
from tests.sampling import LONG, sampled

BOOK = ("GET", "/api/v3/depth")
Record = Callable[[str, object], None]


@pytest.fixture
async def fleet(tmp_path: Path, postgres_url: str) -> AsyncGenerator[Fleet]:
    """Whatever befell it: in the end the ledger, the tables and the chats tell one story."""
    async with FakeTelegram() as telegram, FakeMexc() as mexc:
        world = World(folder=tmp_path, telegram=telegram, mexc=mexc)
        world.launcher = Hurried()
        async with sailing(world, postgres_url) as fleet:
            yield fleet
            await fleet.until(lambda: all(a.is_done for a in fleet.witness().alerts), within=30)

            assert set(mexc.order_posts.values()) <= {1}
            assert fleet.witness().lies(mexc.orders) == []
            assert world.secrets_found() == []


@LONG
async def test_at_a_deploy_the_new_process_goes_on_where_the_old_one_lets_go(
    fleet: Fleet, record_property: Record
):
    old, [new], people = await fleet.owner_and_spares(1, people=2)
    overlap_began = now()
    for person in people:
        fleet.drift(person, "17.10")
    await at_rest(fleet, people, orders=1)
    await fleet.checked(people)

    assert await old.program.stop() == 0

    for person in people:
        fleet.drift(person, "9.30")
    await at_rest(fleet, people, orders=2)
    await fleet.checked(people, by=new)

    witness = fleet.witness()
    looks = [fleet.looks(person) for person in people]
    longest = max(map(longest_gap, looks))
    record_property("longest pause between two checks at a deploy, s", longest.total_seconds())

    assert longest < timedelta(seconds=10)
    for person, seen in zip(people, looks, strict=True):
        assert processes_of(seen) == witness.holders(person.chat_id) == [old.name, new.name]
        assert strangers(fleet, person, since=overlap_began) == []
        assert witness.let_go(person.chat_id) == [old.name]
        assert len(told(fleet, person, "Bought")) == 2
    assert len(fleet.posts()) == 4


@pytest.mark.parametrize("the_next", sampled([OrderState.SENDING, OrderState.FILLED], every=2))
async def test_a_process_frozen_before_its_order_left_is_refused_when_it_goes_on(
    fleet: Fleet, the_next: OrderState, record_property: Record
):
    """Both guards: one unresolved order an account, and the fence."""
    zombie, [other], [person] = await fleet.owner_and_spares(1, people=1)
    with zombie.door.shut(BOOK):
        fleet.drift(person, "17.10")
        await fleet.until(lambda: waiting(fleet, zombie, BOOK))
        zombie.freeze()
        frozen_at = now()
    await fleet.until(lambda: the_next in fleet.witness().states_of(person.chat_id))
    takeover = first_look(fleet, after=frozen_at) - frozen_at
    zombie.thaw()
    await at_rest(fleet, [person], orders=1)
    await zombie.program.logs("lease lost")
    await fleet.checked([person], by=other)

    dropped = fleet.witness().orders_of(person.chat_id, OrderState.DROPPED)
    record_property("seconds from a freeze to the takeover", takeover.total_seconds())

    assert len(dropped) == 1
    assert dropped[0].fence == 1
    assert fleet.posts(by=zombie) == []
    assert len(fleet.posts(by=other)) == 1
    assert len(told(fleet, person, "Bought")) == 1


@pytest.mark.skipif(not SOAKING, reason="the database waits half a minute: `make soak`")
async def test_a_process_frozen_half_way_through_the_gate_is_thrown_out_and_its_order_never_leaves(
    fleet: Fleet, record_property: Record
):
    """Its transaction holds the order's row, so nobody can take over before it is ended."""
    zombie, [other], [person] = await fleet.owner_and_spares(1, people=1)
    with fleet.gate_jammed():
        fleet.drift(person, "17.10")
        await fleet.until(fleet.is_anyone_at_the_gate)
        zombie.freeze()
        frozen_at = now()
    await at_rest(fleet, [person], orders=1)
    zombie.thaw()
    await zombie.program.logs("lease lost")
    await fleet.checked([person], by=other)

    takeover = first_look(fleet, after=frozen_at) - frozen_at
    record_property("seconds to the takeover from inside a transaction", takeover.total_seconds())

    assert fleet.posts(by=zombie) == []
    assert len(told(fleet, person, "Bought")) == 1


@pytest.mark.skipif(not SOAKING, reason="a frozen process has half a minute: `make soak`")
async def test_with_times_as_they_are_shipped_the_next_takes_over_after_half_a_minute(
    fleet: Fleet, record_property: Record
):
    fleet.world.launcher = None
    zombie, [other], [person] = await fleet.owner_and_spares(1, people=1)
    zombie.freeze()
    frozen_at = now()
    fleet.drift(person, "17.10")
    await at_rest(fleet, [person], orders=1)
    zombie.thaw()
    await zombie.program.logs("lease lost")
    await fleet.checked([person], by=other)

    takeover = first_look(fleet, after=frozen_at) - frozen_at
    record_property("seconds to the takeover with shipped leases", takeover.total_seconds())

    assert timedelta(seconds=20) < takeover < timedelta(seconds=60)
    assert fleet.posts(by=zombie) == []
    assert len(told(fleet, person, "Bought")) == 1


@pytest.mark.skipif(not SOAKING, reason="waits for long: `make soak`")
async def test_orders_on_their_way_when_their_process_froze_are_looked_up_by_the_next_owner(
    fleet: Fleet,
):
    zombie, [other], [late, too_late] = await fleet.owner_and_spares(1, people=2)
    fleet.world.mexc.inject(Fault(*ORDER, delay=RECV_WINDOW + timedelta(seconds=0.5)))
    fleet.drift(too_late, "17.10")
    await fleet.until(lambda: len(fleet.posts()) == 1)
    with zombie.door.shut(ORDER):
        fleet.drift(late, "17.10")
        await fleet.until(lambda: len(fleet.posts()) == 2)
        zombie.freeze()
    await at_rest(fleet, [late, too_late], orders=1)
    zombie.thaw()
    await zombie.program.logs("lease lost")

    witness = fleet.witness()

    assert [post.process for post in fleet.posts()] == [zombie.name, zombie.name, other.name]
    assert len(told(fleet, late, "Confirmed late")) == 1
    assert len(told(fleet, late, "Bought")) == len(told(fleet, too_late, "Bought")) == 1
    assert [o.state for o in witness.orders_of(late.chat_id)] == [OrderState.FILLED]
    assert [o.state for o in witness.orders_of(too_late.chat_id)] == [
        OrderState.NOT_EXECUTED,
        OrderState.FILLED,
    ]


@LONG
async def test_a_process_frozen_while_idle_lets_go_when_it_goes_on(fleet: Fleet):
    zombie, [other], people = await fleet.owner_and_spares(1, people=2)
    await fleet.checked(people, by=zombie)
    zombie.freeze()
    await fleet.checked(people, by=other)
    looked = {person.chat_id: len(fleet.looks(person, by=zombie)) for person in people}
    zombie.thaw()
    await zombie.program.logs("lease lost")
    for person in people:
        fleet.drift(person, "17.10")
    await at_rest(fleet, people, orders=1)
    await fleet.checked(people, by=other)

    assert fleet.posts(by=zombie) == []
    for person in people:
        assert len(fleet.looks(person, by=zombie)) == looked[person.chat_id]
        assert fleet.witness().holders(person.chat_id) == [zombie.name, other.name]


@LONG
async def test_what_a_killed_process_had_in_hand_is_finished_by_the_others(
    fleet: Fleet, record_property: Record
):
    doomed, _, people = await fleet.owner_and_spares(2, people=3)
    sending, planning, idle = people
    fleet.world.mexc.inject(Fault(*ORDER, hang=True, executes=True))
    fleet.drift(sending, "17.10")
    await fleet.until(fleet.posts)
    await SystemClock().sleep(timedelta(seconds=1))  # until then the book it has just read is good
    with doomed.door.shut(BOOK):
        fleet.drift(planning, "12.00")
        await fleet.until(lambda: waiting(fleet, doomed, BOOK))
        await doomed.program.kill()
        killed_at = now()
    fleet.drift(idle, "8.00")
    await at_rest(fleet, people, orders=1)

    takeover = first_look(fleet, after=killed_at) - killed_at
    record_property("seconds from a kill to the takeover", takeover.total_seconds())

    assert len(fleet.world.mexc.orders) == len(people)
    assert len(told(fleet, sending, "Confirmed late")) == 1
    for person in people:
        assert len(told(fleet, person, "Bought")) == 1


@LONG
async def test_a_process_thrown_out_by_the_database_again_and_again_trades_on(fleet: Fleet):
    owner, _, people = await fleet.owner_and_spares(1, people=3)
    for round_ in range(2):
        for person in people:
            fleet.drift(person, f"{9 + round_}.10")
        for _ in range(8):
            for member in fleet.members:
                member.disconnect()
            await pause(timedelta(milliseconds=150))
    await at_rest(fleet, people)
    await fleet.checked(people)

    assert owner.program.is_alive
    for person in people:
        assert len(told(fleet, person, "Bought")) >= 1


@pytest.mark.skipif(not SOAKING, reason="waits for long: `make soak`")
async def test_a_process_cut_off_from_the_database_past_its_lease_comes_back_as_a_spare(
    fleet: Fleet, record_property: Record
):
    lonely, [other], people = await fleet.owner_and_spares(1, people=2)
    with lonely.door.shut(BOOK):
        fleet.drift(people[0], "17.10")
        await fleet.until(lambda: waiting(fleet, lonely, BOOK))
        lonely.cut_off()
        cut_off_at = now()
    fleet.drift(people[1], "17.10")
    await at_rest(fleet, people, orders=1)
    takeover = first_look(fleet, after=cut_off_at) - cut_off_at
    lonely.reconnect()
    await lonely.program.logs("lease lost")
    await fleet.checked(people, by=other)

    record_property("seconds from a partition to the takeover", takeover.total_seconds())

    assert fleet.posts(by=lonely) == []
    for person in people:
        assert fleet.witness().holders(person.chat_id) == [lonely.name, other.name]
        assert len(told(fleet, person, "Bought")) == 1


@LONG
async def test_one_of_several_processes_polls_and_each_command_is_obeyed_once(
    fleet: Fleet, record_property: Record
):
    await fleet.ready(8 if SOAKING else 3)
    people = await fleet.people(2)
    began = now()
    targets = [f"40.{n}0" for n in range(1, 5)]  # all inside the band
    for target in targets:
        for person in people:
            await fleet.world.ask(f"/settarget {target}", f"{target} USDT", chat=person.chat_id)

    conflicts = sum(member.program.log.count("Conflict") for member in fleet.members)
    record_property("processes", len(fleet.members))
    record_property("seconds of eight commands", (now() - began).total_seconds())

    assert conflicts == 0
    assert fleet.world.telegram.unconfirmed == []
    for person in people:
        for target in targets:
            assert len(told(fleet, person, f"Target set to {target}")) == 1


async def test_whatever_befalls_them_by_chance_nothing_is_traded_twice_or_left(
    fleet: Fleet, record_property: Record
):
    mayhem = Mayhem(fleet, random.Random(20261122))  # noqa: S311 - a story that can be told again
    await fleet.ready(8 if SOAKING else 4)
    people = await fleet.people(8 if SOAKING else 4)
    await mayhem.reign(people, timedelta(seconds=180 if SOAKING else 8))
    async with asyncio.timeout(60):
        while len(fleet.posts()) <= len(people):  # a busy machine gets less done
            await mayhem.reign(people, timedelta(seconds=1))
    await at_rest(fleet, people)
    await fleet.checked(people)

    for name, count in mayhem.tally.items():
        record_property(name, count)
    record_property("orders", len(fleet.posts()))
    record_property("double orders", sum(n - 1 for n in fleet.world.mexc.order_posts.values()))

    assert len(fleet.posts()) > len(people)
    assert all(person.is_on_target for person in people)


async def at_rest(fleet: Fleet, people: Sequence[Person], *, orders: int = 0) -> None:
    """Until everybody is on target with so many fills, and all there is to say was said."""

    def is_calm() -> bool:
        if not all(person.is_on_target for person in people):
            return False
        witness = fleet.witness()
        filled = [witness.orders_of(person.chat_id, OrderState.FILLED) for person in people]
        return (
            not any(order.state in UNRESOLVED for order in witness.orders)
            and all(len(orders_) >= orders for orders_ in filled)
            and all(alert.is_done for alert in witness.alerts)
        )

    await fleet.until(is_calm)


def waiting(fleet: Fleet, member: Member, endpoint: tuple[str, str]) -> list[Passage]:
    """Its requests that stand before a shut door."""
    return [
        passage
        for passage in fleet.passages
        if (passage.process, passage.endpoint) == (member.name, endpoint)
        and passage.ended_at is None
    ]


def told(fleet: Fleet, person: Person, text: str) -> list[str]:
    return [said for said in fleet.world.told(person.chat_id) if text in said]


def strangers(fleet: Fleet, person: Person, *, since: datetime) -> list[Passage]:
    """Looks at the person's balances by a process that did not hold the account then."""
    witness = fleet.witness()
    return [
        look
        for look in fleet.looks(person)
        if look.begun_at > since
        and not witness.held_by(look.process, person.chat_id, at=look.begun_at)
    ]


def first_look(fleet: Fleet, *, after: datetime) -> datetime:
    """When somebody looked at an account again."""
    return min(p.begun_at for p in fleet.passages if p.endpoint == ACCOUNT and p.begun_at > after)


def processes_of(passages: Sequence[Passage]) -> list[str]:
    """Who made them, one after the other: a name that comes back was not alone."""
    return [name for name, _ in groupby(passage.process for passage in passages)]


def longest_gap(passages: Sequence[Passage]) -> timedelta:
    return max(later.begun_at - earlier.begun_at for earlier, later in pairwise(passages))


def now() -> datetime:
    return SystemClock().now()


async def pause(duration: timedelta) -> None:
    await SystemClock().sleep(duration)
