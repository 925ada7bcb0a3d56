"""Several real processes on one PostgreSQL: each with its own door to MEXC and its own name at the
database, so that whatever happens can be laid at one door, and each can be cut off alone.
"""

import signal
import subprocess
import sys
from asyncio import Event, TaskGroup
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy.engine import make_url

from engine.clock import SystemClock
from tests.e2e.process import Process, Program, until
from tests.e2e.world import ACCOUNT, ENCRYPTION_KEY, ORDER, World
from tests.fakes.http import Reply, Request, serve
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_books import Account
from tests.faults.hurried import NO_SHARING
from tests.faults.nursery import quickly
from tests.faults.witness import Witness, install

# What an account may hold in the end: its target is 40 USDT, give or take 5 %.
BAND = Decimal(38), Decimal(42)
_PEOPLE = 8
_FUNDS = {"USDT": "40", "MNTL": "100000"}
_OWNED = "SELECT count(*) FROM leases WHERE owner IS NOT NULL"
_AT_THE_GATE = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
_NOBODY_IS_LIMITED = "UPDATE accounts SET limit_day = '1000000', limit_orders = 3600"


@dataclass(frozen=True, slots=True)
class Person:
    """A chat and what its key opens at MEXC."""

    chat_id: int
    account: Account

    @property
    def usdt(self) -> Decimal:
        return self.account.of("USDT").free

    @property
    def is_on_target(self) -> bool:
        return BAND[0] <= self.usdt <= BAND[1]


@dataclass(slots=True)
class Passage:
    """A request to MEXC, by the process that made it. *ended_at* is None while it waits."""

    process: str
    request: Request
    begun_at: datetime
    ended_at: datetime | None = None

    @property
    def endpoint(self) -> tuple[str, str]:
        return self.request.method, self.request.path

    @property
    def api_key(self) -> str | None:
        return self.request.headers.get("x-mexc-apikey")


class Door:
    """One process's way to MEXC. What comes through a door that is shut waits before it takes
    effect.
    """

    def __init__(self, mexc: FakeMexc, process: str, passages: list[Passage]) -> None:
        self._mexc = mexc
        self._process = process
        self._passages = passages
        self._shut: dict[tuple[str, str], Event] = {}

    async def let_through(self, request: Request) -> Reply:
        passage = Passage(self._process, request, SystemClock().now())
        self._passages.append(passage)
        if (opened := self._shut.get(passage.endpoint)) is not None:
            await opened.wait()
        reply = await self._mexc._handle(request)
        passage.ended_at = SystemClock().now()
        return reply

    @contextmanager
    def shut(self, endpoint: tuple[str, str]) -> Iterator[None]:
        """Until the block is left nothing passes to *endpoint*; then what waited does."""
        self._shut[endpoint] = Event()
        try:
            yield
        finally:
            self._shut.pop(endpoint).set()


class Member:
    """A process of the fleet. *name* is also its role's at the database."""

    def __init__(self, *, name: str, program: Program, door: Door, admin: "Admin") -> None:
        self.name = name
        self.program = program
        self.door = door
        self._admin = admin

    def freeze(self) -> None:
        """As a stalled machine: it does nothing, and its connections stay open."""
        self.program.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.program.send(signal.SIGCONT)

    def disconnect(self) -> None:
        """The database ends all its sessions; it may come back at once."""
        self._admin.end_sessions(self.name)

    def cut_off(self) -> None:
        """The database ends all its sessions and lets it in no more."""
        self._admin.may_log_in(self.name, allowed=False)
        self.disconnect()

    def reconnect(self) -> None:
        self._admin.may_log_in(self.name, allowed=True)


class Admin:
    """The tests' own session at the database, with a role for each process."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._session = psycopg.connect(url, autocommit=True)
        self._roles: list[str] = []

    def close(self) -> None:
        for role in self._roles:
            self.end_sessions(role)
            self._session.execute(SQL("DROP ROLE {}").format(Identifier(role)))
        self._session.close()

    def add_role(self, name: str) -> str:
        """The URL with which a process logs in as *name*; it may do whatever we may."""
        password = uuid4().hex
        self._session.execute(
            SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(
                Identifier(name), Literal(password), Identifier(self._session.info.user)
            )
        )
        self._roles.append(name)
        url = self._url.set(drivername="postgres", username=name, password=password)
        return url.render_as_string(hide_password=False)

    def may_log_in(self, role: str, *, allowed: bool) -> None:
        word = SQL("LOGIN" if allowed else "NOLOGIN")
        self._session.execute(SQL("ALTER ROLE {} {}").format(Identifier(role), word))

    def end_sessions(self, role: str) -> None:
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", role)

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What *statement* answers, if it answers."""
        cursor = self._session.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


class Hurried:
    """Starts programs whose leases run out in seconds: tests/faults/hurried.py."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments

    def start(self, *, folder: Path, env: Mapping[str, str], out: Path, err: Path) -> Process:
        if quick := quickly("tests.faults.hurried", self._arguments):
            return quick.start(folder=folder, env=env, out=out, err=err)
        with err.open("wb") as to_err, out.open("wb") as to_out:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.faults.hurried", *self._arguments],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
            )


class Fleet:
    """*passages* are all requests to MEXC, in the order they arrived."""

    def __init__(self, world: World, admin: Admin, exits: AsyncExitStack) -> None:
        self.world = world
        self.admin = admin
        self.members: list[Member] = []
        self.passages: list[Passage] = []
        self._exits = exits
        self._everybody = [
            Person(5001 + n, world.mexc.add_account(f"FLEETKEY{n}", f"FLEETSECRET{n}", **_FUNDS))
            for n in range(_PEOPLE)
        ]
        self._name = f"ballast_{uuid4().hex[:8]}"
        world.env |= {
            "AUTHORIZED_CHATS": ",".join(str(person.chat_id) for person in self._everybody),
            "ENCRYPTION_KEYS": ENCRYPTION_KEY,
        }

    async def start(self, *arguments: str, **more: str) -> Member:
        """One more process, which need not be ready yet."""
        if arguments:
            self.world.launcher = Hurried(*arguments)
        name = f"{self._name}_{len(self.members) + 1}"
        door = Door(self.world.mexc, name, self.passages)
        url = await self._exits.enter_async_context(serve(door.let_through))
        env = {"MEXC_API_URL": url, "DATABASE_URL": self.admin.add_role(name), **more}
        program = self.world.start(**env)
        member = Member(name=name, program=program, door=door, admin=self.admin)
        self.members.append(member)
        return member

    async def ready(self, count: int) -> Sequence[Member]:
        """So many more processes, all at work; the very first one comes up alone."""
        started = list[Member]()
        while len(started) < count:
            started.append(await self.start())
            if len(self.members) == 1:
                await self._is_ready(started[0])
        for member in started:
            await self._is_ready(member)
        return started

    async def _is_ready(self, member: Member) -> None:
        """More patient than a program alone: eight that start at once share the machine."""
        program = member.program
        await self.until(lambda: " ready bot=" in program.log or not program.is_alive)
        await program.ready()

    async def owner_and_spares(
        self, spares: int, *, people: int
    ) -> tuple[Member, Sequence[Member], Sequence[Person]]:
        """A process that owns the accounts of so many people, and others that came later and
        leave them to it.
        """
        self.world.env[NO_SHARING] = "yes"
        [owner] = await self.ready(1)
        async with TaskGroup() as arriving:
            settling = arriving.create_task(self.people(people))
            await self.until(lambda: self.admin.run(_OWNED) == [(people,)])
            joining = arriving.create_task(self.ready(spares))
        return owner, joining.result(), settling.result()

    async def people(self, count: int) -> Sequence[Person]:
        """So many chats with a key and with trading on, each checked once at least."""
        chosen = self._everybody[:count]
        async with TaskGroup() as arriving:
            for person in chosen:
                arriving.create_task(self._settle_in(person))
        self.admin.run(_NOBODY_IS_LIMITED)
        await self.checked(chosen)
        return chosen

    async def _settle_in(self, person: Person) -> None:
        account, chat = person.account, person.chat_id
        typed = f"/connect {account.api_key} {account.api_secret}"
        await self.world.ask(typed, "Key connected", chat=chat)
        await self.world.ask("/resume", "Trading is on", chat=chat)

    def drift(self, person: Person, usdt: str) -> None:
        """Money comes (or goes) behind the bot's back."""
        self.world.mexc.deposit(person.account.api_key, "USDT", Decimal(usdt))

    @contextmanager
    def gate_jammed(self) -> Iterator[None]:
        """Until the block is left, the transaction that lets an order leave stops half-way."""
        self.admin.run("SELECT pg_advisory_lock(1)")
        try:
            yield
        finally:
            self.admin.run("SELECT pg_advisory_unlock(1)")

    def is_anyone_at_the_gate(self) -> bool:
        return bool(self.admin.run(_AT_THE_GATE))

    def looks(self, person: Person, *, by: Member | None = None) -> list[Passage]:
        """The requests for the person's balances, oldest first."""
        return [
            passage
            for passage in self.passages
            if passage.endpoint == ACCOUNT
            and passage.api_key == person.account.api_key
            and by in (None, self.member(passage.process))
        ]

    def member(self, process: str) -> Member:
        return next(member for member in self.members if member.name == process)

    def witness(self) -> Witness:
        return Witness(self.admin.run)

    def posts(self, *, by: Member | None = None) -> list[Passage]:
        """The orders that left, oldest first."""
        names = {member.name for member in ([by] if by else self.members)}
        return [p for p in self.passages if p.endpoint == ORDER and p.process in names]

    async def checked(self, people: Sequence[Person], *, by: Member | None = None) -> None:
        """Until each of *people* was looked at once more."""
        before = {person.chat_id: len(self.looks(person, by=by)) for person in people}
        await self.until(
            lambda: all(len(self.looks(p, by=by)) > before[p.chat_id] for p in people)
        )

    async def until(self, condition: Callable[[], object], *, within: float = 120) -> None:
        await until(condition, self.report, within=within)

    def report(self) -> str:
        """What every process wrote, for whoever has to find out what happened."""
        return "\n".join(f"--- {m.name}\n{m.program.log[-3000:]}" for m in self.members)


@asynccontextmanager
async def sailing(world: World, url: str) -> AsyncGenerator[Fleet]:
    """A fleet of no ships yet on the database at *url*; whatever is left at the end is sunk."""
    async with AsyncExitStack() as exits:
        admin = Admin(url)
        exits.callback(admin.close)
        install(admin.run)

        def sink() -> None:
            for program in world.programs:
                program.end()
            world.mexc._closing.set()

        fleet = Fleet(world, admin, exits)
        try:
            yield fleet
        finally:
            sink()
