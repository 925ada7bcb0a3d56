"""The world of one test, and what must be true of every one of them at its end."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.e2e.world import World
from tests.fakes.mexc import FakeMexc
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    """No order is ever sent twice, no secret is ever written, no program breaks or stays."""
    async with FakeTelegram() as telegram, FakeMexc() as mexc:
        world = World(folder=tmp_path, telegram=telegram, mexc=mexc)
        try:
            yield world
        finally:
            for program in world.programs:
                program.end()

        assert set(mexc.order_posts.values()) <= {1}
        assert world.secrets_found() == []
        assert not [p.log for p in world.programs if "Traceback" in p.log or "Warning" in p.log]
