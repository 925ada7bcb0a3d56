"""What the chat says when something in front of MEXC refuses this server, or a field is missing."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.bot.harness import KEY, OWNER, SECRET, Program, World
from tests.fakes.http import Reply
from tests.fakes.mexc_faults import Fault
from tests.fakes.mexc_rows import pair_row

ACCOUNT = ("GET", "/api/v3/account")
RULES = ("GET", "/api/v3/exchangeInfo")
CONNECT = f"/connect {KEY} {SECRET}"
ACCESS_DENIED = Reply(
    status=403, body=b"<HTML><TITLE>Access Denied</TITLE>", content_type="text/html"
)
RESTRICTED = Reply(
    status=302, body=b"", headers={"location": "https://www.example.com/restricted"}
)


@pytest.mark.parametrize("page", [ACCESS_DENIED, RESTRICTED], ids=["403", "302"])
async def test_a_key_that_could_not_be_tried_here_is_not_blamed(
    world: World, bot: Program, page: Reply
):
    world.mexc.inject(Fault(*ACCOUNT, reply=page, times=None))

    answer = await bot.ask(OWNER, CONNECT)

    assert f"refuses this server (HTTP {page.status})" in answer.text
    assert "The key is not the problem." in answer.text
    assert "MEXC_PROXY" in answer.text
    assert "slow down" not in answer.text
    assert (await bot.account()).sealed_key is None


@pytest.mark.parametrize("page", [ACCESS_DENIED, RESTRICTED], ids=["403", "302"])
async def test_a_check_that_this_server_may_not_make_is_told_as_that_everywhere(
    world: World, bot: Program, page: Reply
):
    await bot.connect()
    refusing = world.mexc.inject(Fault(*ACCOUNT, reply=page, times=None))

    await bot.live_for(timedelta(minutes=4))
    [alert] = await bot.told(OWNER)
    why = await bot.ask(OWNER, "/why")
    doctor = await bot.ask(OWNER, "/doctor")
    status = await bot.ask(OWNER, "/status")

    assert alert.text.splitlines()[0] == "⚠️ LIVE · MEXC is closed to this server"
    for text in (alert.text, why.text):
        assert f"refuses this server (HTTP {page.status})" in text
        assert "No order was sent." in text
    assert "MEXC is closed to this server" in status.text
    assert "slow down" not in doctor.text
    assert "asked for silence" not in doctor.text
    assert not (await bot.account()).settings.paused

    world.mexc.remove(refusing)
    await bot.live_for(timedelta(minutes=12))

    assert any("MEXC answers this server again" in alert.text for alert in await bot.told(OWNER))


async def test_a_question_that_is_refused_is_not_told_as_a_refused_order(
    world: World, bot: Program
):
    await bot.connect()
    page = Reply(status=404, body=b"<title>404</title>", content_type="text/html")
    world.mexc.inject(Fault(*ACCOUNT, reply=page, times=None))
    connect = await bot.ask(OWNER, CONNECT)

    assert "HTTP 404" in connect.text
    assert "could not check the key" in connect.text

    await bot.live_for(timedelta(minutes=3))
    [alert] = await bot.told(OWNER)
    why = await bot.ask(OWNER, "/why")

    for text in (alert.text, why.text):
        assert "I cannot use MEXC's answer: “Not found”." in text
        assert "No order was sent." in text
        assert "sent once" not in text


async def test_doctor_names_the_refusal_of_this_server(world: World, bot: Program):
    await bot.connect()
    world.mexc.inject(Fault(*ACCOUNT, reply=ACCESS_DENIED))
    await bot.live_for(timedelta(minutes=3))

    doctor = await bot.ask(OWNER, "/doctor")

    assert (
        "❌ This server: Something in front of MEXC refuses this server (HTTP 403)" in doctor.text
    )


async def test_a_missing_fee_stops_trading_and_why_names_it(world: World, bot: Program):
    row = pair_row(world.mexc.ledger.pairs["MNTLUSDT"])
    del row["takerCommission"]
    world.mexc.inject(
        Fault(*RULES, reply=Reply(body=json.dumps({"symbols": [row]}).encode()), times=None)
    )
    await bot.connect()
    await bot.tap(OWNER, "Start")
    world.mexc.deposit(KEY, "USDT", Decimal(20))

    await bot.live_for(timedelta(minutes=3))
    why = await bot.ask(OWNER, "/why")

    assert "MEXC did not send the fee of MNTL/USDT. (takerCommission is missing.)" in why.text
    assert world.mexc.order_posts.total() == 0
