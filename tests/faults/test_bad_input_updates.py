"""Strange updates through the whole program: one clear answer or none, and nothing is changed."""

import itertools
import logging
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot.observability.logs import configure
from bot.updates.message_text import visible
from engine.domain.accounts.account import Account
from engine.storage.models.trading import OrderRow
from tests.bot.harness import (
    GROUP,
    KEY,
    OWNER,
    SECRET,
    STRANGER,
    Program,
    World,
    another_pair,
)
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_messages import SentMessage
from tests.fakes.telegram_server import TOKEN
from tests.faults.strange import mutated, one_of, texts, try_all_on
from tests.sampling import LONG

Record = Callable[[str, object], None]

# The commands that change something, and the one thing that each may change.
MAY_CHANGE: Mapping[str, frozenset[str]] = {
    "settarget": frozenset({"target"}),
    "setthreshold": frozenset({"threshold"}),
    "setinterval": frozenset({"interval"}),
    "setpair": frozenset({"symbol"}),
    "count": frozenset({"counting"}),
    "dryrun": frozenset({"dry_run"}),
    "pause": frozenset({"paused"}),
    "stop": frozenset({"paused"}),
    "resume": frozenset({"paused"}),
    "halt": frozenset({"halted"}),
    "limits": frozenset({"limits"}),
}
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


@pytest.fixture
async def world(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[World]:
    async with FakeTelegram(clock=clock) as api, FakeMexc(clock=clock) as mexc:
        mexc.add_account(KEY, SECRET, USDT="57.10", MNTL="91858")
        mexc.add_pair(another_pair())
        yield World(api, mexc, clock, sqlite_url)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """The file the program logs to, as it would in earnest; no secret is in it at the end."""
    path = tmp_path / "ballast.log"
    configure("INFO", path, (TOKEN,))
    yield path

    logged = path.read_text(encoding="utf-8")
    assert [secret for secret in (TOKEN, KEY, SECRET) if secret in logged] == []


@pytest.fixture
async def bot(world: World, log: Path) -> AsyncGenerator[Program]:
    """The owner's account is connected and trading is on."""
    async with world.program() as program:
        await program.connect()
        yield program


def is_clear(answer: SentMessage) -> bool:
    """Words in markup that Telegram took as it was, without a secret."""
    shown = " ".join([answer.text, answer.html or "", *answer.edits])
    return bool(answer.text) and answer.html is not None and not _secret_in(shown)


def _secret_in(text: str) -> bool:
    return any(secret in text for secret in (TOKEN, KEY, SECRET))


def changes(before: Account, after: Account) -> dict[str, object]:
    """The new values of what is not as it was."""
    pairs: list[tuple[object, object]] = [(before, after), (before.settings, after.settings)]
    return {
        field.name: getattr(new, field.name)
        for old, new in pairs
        for field in fields(type(old))  # type: ignore[arg-type] # both are dataclasses
        if field.init
        and field.name not in {"version", "settings"}
        and getattr(old, field.name) != getattr(new, field.name)
    }


def meant(command: str, argument: str, value: Any) -> bool:
    """Whether *argument* says *value*: read once more, by rules simpler than the program's."""
    words = argument.strip().lower()
    digits = re.sub(r"[^0-9]", "", words).strip("0")
    spans = re.findall(r"([0-9]+) ?([hms]?)", words)
    says: Mapping[str, Callable[[], object]] = {
        "settarget": lambda: digits == _digits(value),
        "setthreshold": lambda: digits == _digits(value.value),
        "setinterval": lambda: sum(int(n) * _UNITS[unit] for n, unit in spans) == _seconds(value),
        "setpair": lambda: value.removesuffix("USDT").lower() in words,
        "count": lambda: words == value.value,
        "dryrun": lambda: words == ("on" if value else "off"),
    }
    if command not in says:
        return True  # pausing, resuming and halting take whatever follows for talk
    return "".join(words.split()).isascii() and bool(says[command]())


def _seconds(interval: timedelta) -> int:
    return interval // timedelta(seconds=1)


def _digits(amount: Decimal) -> str:
    return f"{amount:f}".replace(".", "").strip("0")


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged at ERROR or above since it was last asked."""
    caplog.set_level(logging.INFO)

    def errors() -> list[str]:
        found = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
        caplog.clear()
        return found

    return errors


def arguments() -> SearchStrategy[str]:
    """Strange ones, and some that make sense: the bot must tell them apart."""
    sensible = ["40", "$41.50", "42 USDT", "6%", "2 USDT", "90s", "1h 30m", "ABC", "mntl/usdt"]
    sensible += ["held", "free", "on", "off", "order 500", "price 15%", "hour 20", "auto", ""]
    return st.one_of(texts, texts, texts, st.sampled_from(sensible))


async def test_any_argument_of_any_command_gets_one_answer_and_changes_what_it_says_or_nothing(
    bot: Program, quiet: Callable[[], list[str]], record_property: Record
):
    commands = await _commands_of(bot)
    orders = await bot.count(OrderRow)

    async def claim(typed: tuple[str, str, str]) -> None:
        command, gap, argument = typed
        before = await bot.account()
        answers = await bot.say(OWNER, f"/{command}{gap}{argument}")
        changed = changes(before, await bot.account())

        assert len(answers) == 1
        assert is_clear(answers[0]) or answers[0].document
        assert set(changed) <= MAY_CHANGE.get(command, frozenset())
        assert all(meant(command, argument, value) for value in changed.values())
        assert quiet() == []

    inputs = st.tuples(st.sampled_from(commands), st.sampled_from([" ", "\n", "  "]), arguments())

    tried = await try_all_on(inputs, claim, most=200)

    record_property("bad_inputs", tried)
    assert await bot.count(OrderRow) == orders
    assert await bot.waiting() == 0


async def _commands_of(bot: Program) -> list[str]:
    """Every command there is, from the menu that the bot sets."""
    await bot.parts.command_menu.publish()
    return [command["command"] for command in bot.world.api.commands]


@LONG
async def test_any_command_that_does_not_exist_is_told_so_and_changes_nothing(
    bot: Program, quiet: Callable[[], list[str]], record_property: Record
):
    async def claim(text: str) -> None:
        before = await bot.account()
        answers = await bot.say(OWNER, text)

        assert len(answers) == 1
        assert all(map(is_clear, answers))
        assert await bot.account() == before
        assert quiet() == []

    def is_unknown(text: str) -> bool:
        name = re.match(r"(?:@\w+\s+)?/(\w*)", visible(text))
        return name is None or name[1].lower() not in known

    known = await _commands_of(bot)
    inputs = st.one_of(
        texts.filter(lambda text: not visible(text).startswith("/")),
        texts.map(lambda text: f"/{text}").filter(is_unknown),
        texts.map(lambda text: f"/x{text}").filter(is_unknown),
        texts.map(lambda text: f"/pause@{text}").filter(_is_for_another),
    )

    record_property("bad_inputs", await try_all_on(inputs, claim, most=80))


def _is_for_another(text: str) -> bool:
    addressed = re.match(r"/[A-Za-z0-9_]{1,32}@(\w+)(\s|\Z)", text)
    return addressed is not None and addressed[1].lower() != "ballast_bot"


@LONG
async def test_whatever_is_said_to_connect_goes_and_the_key_stays(
    world: World, bot: Program, quiet: Callable[[], list[str]], record_property: Record
):
    before = await bot.account()

    async def claim(said: tuple[str, str]) -> None:
        await bot.ask(OWNER, "/connect")
        for text in said:
            (answer,) = await bot.say(OWNER, text)

            assert is_clear(answer)
            assert (OWNER, world.api.last_said(OWNER)) in world.api.deleted
            if not re.fullmatch(r"[A-Za-z0-9_-]{6,128}", text.strip(), re.ASCII):
                break  # no key, so its secret is not asked for
        assert (await bot.account()).sealed_key == before.sealed_key
        assert quiet() == []

    words = st.sampled_from([KEY, f"{KEY} ", "A" * 6, "a-b_c-d", "A" * 128, "A" * 129])
    plain = st.one_of(texts.filter(lambda text: not text.startswith("/")), words)
    inputs = st.tuples(st.one_of(plain, st.just(SECRET), words), plain)

    record_property("bad_inputs", await try_all_on(inputs, claim, most=40))
    assert changes(before, await bot.account()) == {}


async def test_any_data_behind_a_button_does_what_it_says_or_nothing(
    world: World, bot: Program, quiet: Callable[[], list[str]], record_property: Record
):
    await bot.ask(OWNER, "/rebalance")
    shown = world.api.sent(OWNER)[-1]
    orders = await bot.count(OrderRow)

    async def claim(data: str) -> None:
        before = await bot.account()
        known = len(world.api.sent(OWNER))
        tap = world.api.tap(OWNER, data, message=shown, forged=True)
        await bot.handled(tap)
        answers = world.api.sent(OWNER)[known:]
        changed = changes(before, await bot.account())

        pressed = re.fullmatch(r"do:([a-z]+):([A-Za-z0-9.%]{0,20})", data)
        assert str(tap) in world.api.answers  # the spinner ends
        assert len(answers) <= 1
        assert all(map(is_clear, answers))
        assert not changed or (pressed and set(changed) <= MAY_CHANGE[pressed[1]])
        assert quiet() == []

    part = st.one_of(texts, st.sampled_from(["do", "yes", "pick", "page", "order", "0", "5"]))
    commands = st.sampled_from(await _commands_of(bot))
    inputs = st.one_of(
        texts,
        st.lists(part, min_size=1, max_size=4).map(":".join),
        st.builds(lambda command, argument: f"do:{command}:{argument}", commands, arguments()),
        st.builds("order:{}:{}".format, st.sampled_from(["filled", "not", "look"]), texts),
    )

    record_property("bad_inputs", await try_all_on(inputs, claim, most=100))
    assert await bot.count(OrderRow) == orders


@LONG
async def test_names_of_people_and_groups_are_never_taken_for_markup(
    world: World, bot: Program, quiet: Callable[[], list[str]], record_property: Record
):
    numbers = itertools.count(1_000_000)
    for chat_id in (OWNER, GROUP, STRANGER):
        world.api.open_chat(chat_id, chat_type="private" if chat_id > 0 else "group")

    async def claim(named: tuple[int, int, str, str, str]) -> None:
        chat_id, user_id, name, title, text = named
        known = len(world.api.sent(chat_id))
        message = {
            "message_id": next(numbers),
            "date": int(world.clock.now().timestamp()),
            "chat": {
                "id": chat_id,
                "type": "private" if chat_id > 0 else "group",
                "title": title,
                "first_name": name,
                "username": title,
            },
            "from": {"id": user_id, "is_bot": False, "first_name": name, "last_name": title},
            "text": text,
        }
        await bot.handled(world.push("message", message))
        answers = world.api.sent(chat_id)[known:]

        assert len(answers) <= 1
        assert len(answers) == 1 or user_id == STRANGER
        assert all(map(is_clear, answers))
        assert quiet() == []

    inputs = st.tuples(
        st.sampled_from([OWNER, GROUP, STRANGER]),
        st.sampled_from([OWNER, STRANGER]),
        texts,
        texts,
        st.sampled_from(["/status", "/start", "/help", "/start wrongcode", "/why"]),
    ).map(lambda named: named if named[0] == GROUP else (named[0], named[0], *named[2:]))

    record_property("bad_inputs", await try_all_on(inputs, claim, most=40))


def updates(world: World) -> list[tuple[str, dict[str, object]]]:
    """One of each kind that Telegram sends, none of which would change anything."""
    private: dict[str, object] = {"id": OWNER, "type": "private", "first_name": "User"}
    user = {"id": OWNER, "is_bot": False, "first_name": "User"}
    date = int(world.clock.now().timestamp())
    message: dict[str, object] = {
        "message_id": 7_000_000,
        "date": date,
        "chat": private,
        "from": user,
        "text": "/status",
        "entities": [{"type": "bot_command", "offset": 0, "length": 7}],
        "reply_to_message": {"message_id": 1, "date": date, "chat": private, "text": "before"},
    }
    member = {"user": user, "status": "member", "until_date": 0}
    return [
        ("message", message),
        ("edited_message", {**message, "edit_date": date}),
        (
            "callback_query",
            {
                "id": "1",
                "from": user,
                "message": message,
                "chat_instance": "1",
                "data": "page:0:5",
            },
        ),
        (
            "my_chat_member",
            {
                "chat": private,
                "from": user,
                "date": date,
                "old_chat_member": member,
                "new_chat_member": {**member, "status": "kicked"},
            },
        ),
    ]


async def test_an_update_that_makes_no_sense_is_over_at_once_and_holds_nobody_up(
    world: World, bot: Program, quiet: Callable[[], list[str]], record_property: Record
):
    before = await bot.account()

    async def claim(update: tuple[str, Any]) -> None:
        kind, content = update
        known = len(world.api.sent(OWNER))
        await bot.handled(world.push(kind, content))

        assert len(world.api.sent(OWNER)) <= known + 1
        assert all(map(is_clear, world.api.sent(OWNER)[known:]))
        assert quiet() == []

    kinds = one_of(updates(world))
    inputs = kinds.flatmap(lambda kind: st.tuples(st.just(kind[0]), mutated(kind[1])))

    record_property("bad_inputs", await try_all_on(inputs, claim, most=100))
    assert changes(before, await bot.account()) == {}
    assert is_clear(await bot.ask(OWNER, "/status"))
