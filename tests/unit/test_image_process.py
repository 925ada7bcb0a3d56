"""The child process that draws: it is there when it is needed, and whatever happens to it harms
nothing but one picture.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from bot.config.library_environment import loader_paths
from bot.rendering import renderer
from bot.rendering.image_process import ImageProcess, NotDrawn

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{0}"/>'
SMALL = SVG.format(8)
# Answers with what it knows: its number, its variables, its arguments.
MIRROR = """
import os, struct, sys
while header := sys.stdin.buffer.read(4):
    sys.stdin.buffer.read(struct.unpack(">I", header)[0])
    told = repr((os.getpid(), dict(os.environ), sys.argv[1:])).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(told)) + told)
    sys.stdout.buffer.flush()
"""
# Draws for a minute, and has a tenth of a second for it.
STUCK = f"""
import io, runpy, signal, time
renderer = runpy.run_path({renderer.__file__!r})
signal.signal(signal.SIGALRM, signal.SIG_DFL)
renderer["serve"](io.BytesIO(bytes(8)), io.BytesIO(), lambda svg: time.sleep(60), idle_s=60,
    alarm=lambda after_s: signal.setitimer(signal.ITIMER_REAL, after_s), longest_s=0.1)
"""


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", code)


@asynccontextmanager
async def drawing(**settings) -> AsyncGenerator[ImageProcess]:
    images = ImageProcess(**settings)
    try:
        yield images
    finally:
        await images.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the system sets no event of ours
            await asyncio.sleep(0.01)  # noqa: TID251 - a real process ends in real time


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def pid_of(images: ImageProcess) -> int:
    assert images._process is not None
    return images._process.pid


async def test_one_child_draws_all_pictures_and_ends_when_it_is_closed():
    async with drawing() as images:
        assert images._process is None
        several = await asyncio.gather(images.draw(SMALL), images.draw(SVG.format(9)))
        pid = pid_of(images)
        again = await images.draw(SMALL)

        assert [image[16:24] for image in several] == [bytes((0, 0, 0, n) * 2) for n in (8, 9)]
        assert again == several[0]
        assert pid_of(images) == pid
    assert is_gone(pid)


async def test_a_child_without_work_ends_by_itself_and_the_next_picture_starts_another():
    async with drawing(idle_s=0.2) as images:
        await images.draw(SMALL)
        pid = pid_of(images)
        await until(lambda: is_gone(pid))

        assert await images.draw(SMALL)
        assert pid_of(images) != pid


async def test_a_picture_that_cannot_be_drawn_or_held_in_memory_costs_only_itself():
    async with drawing() as images:
        for broken in ("<svg", SVG.format(100_000), "\ud800"):
            with pytest.raises(NotDrawn):
                await images.draw(broken)
        assert await images.draw(SMALL)


async def test_a_child_that_is_killed_between_two_pictures_is_replaced():
    async with drawing() as images:
        await images.draw(SMALL)
        os.kill(pid_of(images), signal.SIGKILL)

        assert await images.draw(SMALL)


async def test_a_child_that_draws_too_long_is_killed():
    async with drawing(command=python("import time; time.sleep(60)"), longest_s=0.2) as images:
        drawn = asyncio.ensure_future(images.draw(SMALL))  # noqa: TID251
        await until(lambda: images._process is not None)
        pid = pid_of(images)

        with pytest.raises(NotDrawn, match="too long"):
            await drawn
        assert is_gone(pid)


def test_a_child_whose_parent_is_stuck_ends_on_its_own_after_the_longest_time():
    child = subprocess.run(python(STUCK), check=False, timeout=30)

    assert child.returncode == -signal.SIGALRM


def test_no_child_outlives_its_parent():
    command = [sys.executable, "-I", renderer.__file__, "60", "10"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.close()  # as the system does when the parent is gone

        assert child.wait(timeout=10) == 0


async def test_a_picture_that_nobody_waits_for_any_more_leaves_no_answer_for_the_next():
    async with drawing() as images:
        await images.draw(SMALL)
        pid = pid_of(images)
        asked = asyncio.ensure_future(images.draw(SVG.format(3000)))  # noqa: TID251
        await asyncio.sleep(0)  # noqa: TID251 - it begins
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

        assert is_gone(pid)
        assert (await images.draw(SMALL))[16:24] == bytes((0, 0, 0, 8) * 2)


async def test_the_child_gets_only_the_variables_that_are_meant_for_it(monkeypatch):
    monkeypatch.setenv("TELEGRAM_TOKEN", "secret")
    async with drawing(command=python(MIRROR), environment={"LC_ALL": "C"}, idle_s=7) as images:
        told = (await images.draw(SMALL)).decode()

    assert "secret" not in told
    assert "'LC_ALL': 'C'" in told
    assert "['7', '10.0']" in told


async def test_an_image_that_is_too_large_is_none():
    code = MIRROR.replace("told = ", "told = 130_001 * b'.' or ")
    async with drawing(command=python(code)) as images:
        with pytest.raises(NotDrawn, match="too large"):
            await images.draw(SMALL)


async def test_where_no_child_can_be_started_there_is_no_image():
    async with drawing(command=("/nowhere/python",)) as images:
        with pytest.raises(NotDrawn, match="does not start"):
            await images.draw(SMALL)


def test_a_child_is_told_where_libraries_are_and_nothing_else():
    env = {"LD_LIBRARY_PATH": "/app/lib", "TELEGRAM_TOKEN": "secret", "MY_LD_LIBRARY_PATH": "x"}

    assert loader_paths(env) == {"LD_LIBRARY_PATH": "/app/lib"}
