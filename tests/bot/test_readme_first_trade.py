"""The README's way to a first live trade, played word for word."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from bot.config.settings import ProcessSettings
from tests.bot.harness import KEY, OWNER, SECRET, World
from tests.fakes.telegram_messages import SentMessage

README = Path(__file__).parents[2] / "README.md"
HEADING = "\n## From zero to a first live trade\n"
STEP = re.compile(r"^\d+\. (.+(?:\n   .+)*)", re.MULTILINE)
# What a step says to do: `/command` after "Send" or "Send that", or **Button** after "tap".
DEED = re.compile(r"\bSend (?:that )?`(/[^`]+)`|\btap \*\*([^*]+)\*\*")
CODE = re.compile(r"/start (\S+)")


def deeds() -> list[tuple[str, str]]:
    """A command or the label of a button, the other one empty, in the README's order."""
    section = README.read_text(encoding="utf-8").split(HEADING)[1].split("\n## ")[0]
    return [deed for step in STEP.findall(section) for deed in DEED.findall(step)]


@pytest.mark.parametrize("more", ["0", "500"], ids=["a small first order", "a large first order"])
async def test_the_readme_alone_leads_to_a_first_live_trade(
    world: World, caplog: pytest.LogCaptureFixture, more: str
):
    """What it expects of the README: a section of this heading with numbered steps. Steps that say
    "Send `/command`" (or "Send that") are typed in their order: /start with the code of the
    log, /connect with a key and its secret. "tap **Button**" taps it where the last answer has
    it. A step that says "If …" may find no such button. What BotFather is sent begins with
    "send". Before /resume nothing is traded; then the next check trades, and /pause is the end.
    """
    world.execution = ProcessSettings.from_env({}).default_settings.execution
    world.mexc.deposit(KEY, "USDT", Decimal(more))
    answers: dict[str, SentMessage] = {}
    news: dict[str, list[str]] = {}
    tapped: list[str] = []
    async with world.program({"AUTHORIZED_CHATS": ""}) as bot:
        (code,) = CODE.findall(caplog.text)
        assert f"https://t.me/ballast_bot?start={code}" in caplog.text
        for command, button in deeds():
            if command:
                text = re.sub(r"^/start \S+$", f"/start {code}", command)
                answer = await bot.ask(OWNER, text.replace("KEY SECRET", f"{KEY} {SECRET}"))
                answers[command.split()[0]] = answer
            elif button in list(answers.values())[-1].labels:
                await bot.tap(OWNER, button)
                tapped.append(button)
            news[command.partition(" ")[0] or button] = [told.text for told in await bot.checked()]
        settings = (await bot.account()).settings

    first = next(deed for deed, told in news.items() if told)
    assert list(answers) == [
        *("/start", "/connect", "/settarget", "/rebalance", "/resume", "/pause")
    ]
    assert tapped == ([] if more == "0" else ["Start"])
    assert first == ("/resume" if more == "0" else "Start")
    assert news[first][0].startswith("🟢 LIVE · Bought ")
    assert "(expected 0.002" in news[first][0]
    assert world.mexc.order_posts.total() == 1
    assert settings.paused
