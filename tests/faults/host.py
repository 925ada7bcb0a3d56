"""A host as the program is meant for: it starts it, and starts it again whenever it was killed."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from engine.clock import SystemClock
from tests.e2e.process import GRACE_S, until
from tests.e2e.world import World
from tests.faults.after_the_run import Books, out_of_band
from tests.faults.stories import Story

KILLED = -signal.SIGKILL
_LOOK_EVERY = timedelta(milliseconds=20)


class Host:
    """*down_for* passes, for the orders, between a death and the next start."""

    def __init__(self, world: World, story: Story, *, down_for: timedelta) -> None:
        self._world = world
        self._story = story
        self._down_for = down_for
        self._clock = SystemClock()
        self.books = Books(world.folder)
        self.kills = 0
        self._lives: list[Mapping[str, str]] = []
        self.reconciled_after: timedelta | None = None

    @asynccontextmanager
    async def keeps_alive(self, *lives: Mapping[str, str]) -> AsyncGenerator[None]:
        """The program lives, with *lives* in the environments of its first starts, until the block
        is left and everything has come to rest; then it is stopped, in order.
        """
        self._lives = list(lives)
        self._start()
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self._keep())
            yield
            await until(self._has_come_to_rest, self._what_is_open)
            keeping.cancel()
        while (code := await self._stop()) == KILLED:
            await self._again()
            await until(self._has_come_to_rest, self._what_is_open)
        if self.books.unfinished():
            # Seen by a check while the program was asked to end: its next life has it.
            assert code == 0, self._program.log
            self._start()
            await until(self._has_come_to_rest, self._what_is_open)
            code = await self._stop()

        assert code == 0, self._program.log

    def _start(self) -> None:
        env = self._lives.pop(0) if self._lives else {}
        told = {"MEXC_STREAM_URL": self._world.streams.url} if self._story.streams else {}
        self._program = self._world.start(
            without=self._story.without, **{**self._story.env, **told, **env}
        )

    async def _keep(self) -> None:
        while True:
            code = await self._program.exit_code(within=float("inf"))

            assert code == KILLED, self._program.log
            await self._again()

    async def _again(self) -> None:
        """As the host does; how long it takes until nothing is open any more is measured."""
        self.kills += 1
        self.reconciled_after = None
        if self._down_for:
            self.books.pass_time(self._down_for)
        started_at = self._clock.now()
        self._start()
        while self._program.is_alive and not self._is_reconciled():
            await self._clock.sleep(_LOOK_EVERY)
        self.reconciled_after = self._clock.now() - started_at

    async def _stop(self) -> int:
        self._program.send(signal.SIGTERM)
        return await self._program.exit_code(within=GRACE_S)

    def _has_come_to_rest(self) -> bool:
        measured = self.kills == 0 or self.reconciled_after is not None
        return measured and self._is_reconciled() and not self._world.telegram.unconfirmed

    def _is_reconciled(self) -> bool:
        started = " ready bot=" in self._program.log
        return started and not self.books.unfinished() and not out_of_band(self._world, self.books)

    def _what_is_open(self) -> str:
        still = [*self.books.unfinished(), *out_of_band(self._world, self.books)]
        return f"{still} {self._world.telegram.unconfirmed}\n{self._program.log}"
