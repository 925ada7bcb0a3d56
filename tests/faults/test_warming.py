"""A child of the nursery is as real a program as one that was started."""

import logging
import os
import threading
from pathlib import Path

import pytest

import bot.runtime.live
from tests.faults import warming


def test_whatever_a_life_would_leave_in_every_child_is_told(monkeypatch: pytest.MonkeyPatch):
    read, written = os.pipe()
    held_up = threading.Thread(target=os.read, args=(read, 1))
    handler = logging.NullHandler()

    async def live(_: Path) -> None:
        held_up.start()
        os.dup2(read, 100)
        logging.getLogger("httpx").addHandler(handler)
        monkeypatch.setenv("LEFT", "yes")
        monkeypatch.setattr(bot.runtime.live, "_HEARTBEAT", None)

    monkeypatch.setattr(warming, "_live", live)
    monkeypatch.setattr(warming, "_LONGEST_END_S", 0)
    try:
        with pytest.raises(AssertionError) as told:
            warming.warm_up()
    finally:
        logging.getLogger("httpx").removeHandler(handler)
        os.write(written, b"!")
        held_up.join()
        for number in (read, written, 100):
            os.close(number)

    for what in (
        "threads",
        "open files",
        "logger httpx",
        "environment",
        "bot.runtime.live._HEARTBEAT",
    ):
        assert f"{what}: " in str(told.value)
    assert "signals" not in str(told.value)
