"""A world for the program to live in: both servers, a folder of its own, a clean environment."""

import os
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from cryptography.fernet import Fernet

from tests.e2e.process import ROOT, Launcher, Program, until
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_streams import FakeMexcStreams
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import server_error
from tests.fakes.telegram_messages import SentMessage
from tests.faults.nursery import quickly

OWNER = 4001
# Canaries: like the real ones in form, except that the key has no prefix a filter could know.
API_KEY = "CANARY0KEY0x7Qm3vTzR"
API_SECRET = "canary0secret0b6f1c2d9e8a7530f4"
ENCRYPTION_KEY = Fernet.generate_key().decode()

# The fakes speak no TLS, and to read all that a program trusts takes it 23 ms of its start.
_CERTIFICATE = ROOT / "tests/e2e/certificate.pem"

ACCOUNT = ("GET", "/api/v3/account")
ORDER = ("POST", "/api/v3/order")
# What Python writes of an exception or a warning. The lines of a stack, which may show where a
# busy machine held the loop up, are indented, and name what they like.
_BREAKS = re.compile(r"^(?:Traceback|\S.*\w+Warning: )", re.MULTILINE)


class World:
    """*env* is what every program is started with."""

    def __init__(self, *, folder: Path, telegram: FakeTelegram, mexc: FakeMexc) -> None:
        self.folder = folder
        self.telegram = telegram
        self.mexc = mexc
        self.programs: list[Program] = []
        self.launcher: Launcher | None = None
        self._streams: FakeMexcStreams | None = None
        self.account = mexc.add_account(API_KEY, API_SECRET, USDT="57.10", MNTL="100000")
        self.env = {
            **inherited(),
            "TELEGRAM_TOKEN": telegram.token,
            "TELEGRAM_API_URL": telegram.url,
            "MEXC_API_URL": mexc.url,
            "AUTHORIZED_CHATS": str(OWNER),
            "CHECK_INTERVAL": "1",
            "ERROR_BACKOFF": "1",
            "LOG_LEVEL": "DEBUG",
            "SSL_CERT_FILE": str(_CERTIFICATE),
        }

    @property
    def streams(self) -> FakeMexcStreams:
        """What tells of changes, once a test has started it."""
        self._streams = self._streams or FakeMexcStreams(self.mexc)
        return self._streams

    def start(self, *arguments: str, without: Iterable[str] = (), **env: str) -> Program:
        """A program that may not even come up; *without* names variables it does not get."""
        wanted = {k: v for k, v in (self.env | env).items() if k not in set(without)}
        program = Program(
            *arguments,
            folder=self.folder,
            name=self._next_name(),
            env=wanted,
            launcher=self.launcher or quickly("bot", arguments),
        )
        return self._add(program)

    def command(self, *arguments: str, **env: str) -> Program:
        """An operator's command, as typed beside (or without) a program that runs."""
        program = Program(
            *arguments,
            folder=self.folder,
            name=self._next_name(),
            env=self.env | env,
            launcher=quickly("bot", arguments),
        )
        return self._add(program)

    def demo(self, *arguments: str, terminal: int | None = None) -> Program:
        """A program that was told nothing but where its temporary files go."""
        env = inherited() | {"TMPDIR": str(self.folder)}
        return self._add(
            Program(
                *arguments,
                folder=self.folder,
                name=self._next_name(),
                env=env,
                terminal=terminal,
            )
        )

    def traces(self) -> list[str]:
        """Files that a program left behind, beside what we keep of its words."""
        return [str(p) for p in self.folder.iterdir() if not p.name.startswith("program-")]

    @asynccontextmanager
    async def running(
        self, *arguments: str, without: Iterable[str] = (), **env: str
    ) -> AsyncGenerator[Program]:
        """A ready program. One that still lives at the end of the block is stopped, in order."""
        program = self.start(*arguments, without=without, **env)
        await program.ready()
        yield program
        if program.is_alive:
            code = await program.stop()

            assert code == 0, program.log

    async def ask(self, text: str, answer: str, *, chat: int = OWNER) -> SentMessage:
        """Say *text* and wait for the next message that has *answer* in it."""
        after = self.newest(chat)
        self.telegram.say(chat, text)
        return await self.hears(answer, after=after, chat=chat)

    async def hears(self, text: str, *, after: int = 0, chat: int = OWNER) -> SentMessage:
        """The first message with *text* (as it is now, edits included) that is newer than *after*."""

        def found() -> list[SentMessage]:
            messages = self.telegram.sent(chat)
            return [m for m in messages if m.message_id > after and text in m.text]

        await until(
            found, lambda: f"no {text!r} in {self.telegram.texts(chat)}\n{self.programs[-1].log}"
        )
        return found()[0]

    def told(self, chat: int = OWNER) -> list[str]:
        return self.telegram.texts(chat)

    def newest(self, chat: int = OWNER) -> int:
        return max((m.message_id for m in self.telegram.sent(chat)), default=0)

    async def connect(self) -> None:
        await self.ask(f"/connect {API_KEY} {API_SECRET}", "Key connected")

    def drift(self, usdt: str) -> None:
        """Money comes (or goes) behind the bot's back."""
        self.mexc.deposit(API_KEY, "USDT", Decimal(usdt))

    @property
    def usdt(self) -> Decimal:
        return self.account.of("USDT").free

    def telegram_is_away(self, *methods: str) -> None:
        for method in methods or ("getMe", "getUpdates", "sendMessage", "setMyCommands"):
            self.telegram.fail(method, server_error(), times=1000)

    def telegram_is_back(self) -> None:
        self.telegram._faults.clear()

    async def orders(self, count: int) -> None:
        await until(
            lambda: len(self.mexc.orders) >= count,
            lambda: f"{self.mexc.orders}\n{self.programs[-1].log}",
        )

    async def checks(self, count: int) -> None:
        """Wait for so many more looks at the balances."""
        wanted = self.mexc.requests[ACCOUNT] + count
        await until(lambda: self.mexc.requests[ACCOUNT] >= wanted, lambda: self.programs[-1].log)

    def asked_at(self, endpoint: tuple[str, str]) -> list[int]:
        """The time stamps, in milliseconds, that the program put on its signed requests."""
        return [
            int(request.query["timestamp"])
            for request in self.mexc.seen
            if (request.method, request.path) == endpoint
        ]

    def secrets_found(self) -> list[str]:
        """Where a secret stands in something written or sent, in clear."""
        secrets = {
            "token": self.telegram.token.partition(":")[2],
            "key": API_KEY,
            "secret": API_SECRET,
            "encryption key": ENCRYPTION_KEY,
            "signature": "signature=",
        }
        written = {path.name: path.read_bytes() for path in self._files()}
        sent = repr([(call.method, call.params) for call in self.telegram.calls]).encode()
        return [
            f"{name} in {place}"
            for place, content in {**written, "what was sent": sent}.items()
            for name, secret in secrets.items()
            if secret.encode() in content.replace(b"signature=***", b"")
        ]

    def breaks(self) -> list[str]:
        """What the programs logged from where something broke in them, or Python warned of it."""
        return [p.log[at.start() :] for p in self.programs for at in _BREAKS.finditer(p.log)]

    def _next_name(self) -> str:
        return f"program-{len(self.programs) + 1}"

    def _add(self, program: Program) -> Program:
        self.programs.append(program)
        return program

    def _files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


def inherited() -> dict[str, str]:
    """Nothing of ours: what a program needs to be found, and to have its coverage measured."""
    measured = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")}  # noqa: TID251 - see above
    return {"PATH": os.defpath, "PYTHONPATH": str(ROOT)} | measured


@asynccontextmanager
async def a_world(folder: Path) -> AsyncGenerator[World]:
    """Both servers on sockets. At the end no order was sent twice, no secret was written, and no
    program broke or stays.
    """
    async with FakeTelegram() as telegram, FakeMexc() as mexc:
        world = World(folder=folder, telegram=telegram, mexc=mexc)
        try:
            yield world
        finally:
            for program in world.programs:
                program.end()

        assert set(mexc.order_posts.values()) <= {1}
        assert world.secrets_found() == []
        broken = world.breaks()

        assert not broken, "\n".join(broken)
