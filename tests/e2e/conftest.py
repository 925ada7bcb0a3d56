"""The world of one test."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.e2e.world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with a_world(tmp_path) as world:
        yield world
