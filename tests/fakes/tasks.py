"""Running the program's endless loops for the length of a test."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any


@asynccontextmanager
async def running(*loops: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Cancelled on leaving the block, as a stopping process would."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(loop) for loop in loops]
        yield
        for task in started:
            task.cancel()


async def a_moment() -> None:
    """Let the program get on for a few milliseconds of real time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.004):
            await asyncio.Event().wait()


async def turned(times: int = 6) -> None:
    """Let every task get on that is ready, and those that they make ready, *times* deep."""
    for _ in range(times):
        await asyncio.sleep(0)  # noqa: TID251 - no time passes
