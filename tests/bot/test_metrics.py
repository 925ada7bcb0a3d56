"""The metrics say what happened, name nobody, stay as many as they are, and survive an outage."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import httpx
import pytest
from aiohttp import web
from sqlalchemy import update

from bot.observability.metrics import Metrics
from bot.observability.metrics_page import MetricsPage
from bot.version import VERSION
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.orders.order import OrderState
from engine.exchanges.request_stats import RequestStats
from engine.monitoring.counters import CheckOutcome
from engine.storage.models.coordination import LeaseRow
from tests.bot.harness import (
    FRIEND,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    OWNER,
    SECRET,
    Program,
    World,
    another_pair,
)
from tests.bot.scrape import Scrape, scrape
from tests.fakes.database import gone, statements
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault, refusal
from tests.fakes.telegram_faults import FORBIDDEN
from tests.fakes.telegram_server import TOKEN

ORDER = {"method": "POST", "path": "/api/v3/order"}
ACCOUNT = {"method": "GET", "path": "/api/v3/account"}
TWO_MINUTES = timedelta(minutes=2)
A_NAME = re.compile(r"[a-z_]+|4\d\d|GET|POST|/api/v3/[A-Za-z/]+|\+Inf|\d+\.\d+")
METRICS_TOKEN = "a-token-of-24-characters"


async def later(program: Program) -> Scrape:
    """When the database is asked anew."""
    program.world.clock.shift(timedelta(seconds=15))
    return await scrape(program)


async def test_a_trade_is_seen_in_every_number_it_touches(bot: Program):
    await bot.connect_by_chat()
    await bot.checked()
    read = await scrape(bot)

    assert read("ballast_build_info", version=VERSION) == 1
    assert read("ballast_database_up") == 1
    assert read("ballast_checks_total", outcome="ordered") == 1
    assert read("ballast_check_lateness_seconds_count") == 1
    assert read("ballast_accounts_owned") == read("ballast_accounts_active") == 1
    assert read("ballast_leases_total", event="new") == 1
    assert read("ballast_heartbeats_total") == 1
    assert read("ballast_orders", mode="live", state="filled") == 1
    assert read("ballast_orders_unresolved") == 0
    assert read("ballast_exchange_requests_total", **ORDER, result="ok") == 1
    assert read("ballast_exchange_request_seconds_count", **ORDER) == 1
    assert read("ballast_exchange_weight_used") > 0
    assert read("ballast_exchange_weight_limit") == 1_000_000  # as the harness has it
    assert read("ballast_updates_total", outcome="handled") == 2
    assert read("ballast_alerts_waiting") == read("ballast_updates_waiting") == 0
    assert read("ballast_polls_total") >= 2
    assert read("ballast_last_poll_age_seconds") == 0
    assert read("process_resident_memory_bytes") > 1_000_000


async def test_a_check_that_was_due_long_ago_is_late_by_that(bot: Program):
    await bot.connect_by_chat()
    await bot.ask(OWNER, "/setinterval 10")
    await bot.check()
    bot.world.clock.shift(timedelta(seconds=29))
    await bot.check()
    read = await scrape(bot)

    assert read("ballast_check_lateness_seconds_bucket", le="10.0") == 1
    assert read("ballast_check_lateness_seconds_bucket", le="30.0") == 2
    assert read("ballast_check_lateness_seconds_sum") == 19


async def test_an_order_that_is_unclear_is_counted_and_grows_old(world: World, bot: Program):
    await bot.connect_by_chat()
    world.mexc.inject(Fault("POST", "/api/v3/order", reply=DROPPED))
    world.mexc.inject(Fault("GET", "/api/v3/order", reply=BAD_GATEWAY, times=None))
    await bot.check()
    world.clock.shift(timedelta(seconds=15))
    read = await scrape(bot)

    assert read("ballast_orders", mode="live", state="unknown") == 1
    assert read("ballast_orders_unresolved") == 1
    assert read("ballast_oldest_unresolved_order_age_seconds") >= 15
    assert read("ballast_exchange_requests_total", **ORDER, result="no_answer") == 1


@pytest.mark.parametrize(
    ("reply", "result", "kind"),
    [
        (refusal(429, status=429), "429", IncidentKind.RATE_LIMITED),
        (refusal(418, status=418), "418", IncidentKind.RATE_LIMITED),
        (BAD_GATEWAY, "server_error", IncidentKind.UNREACHABLE),
        (refusal(700006, status=400), "refused", IncidentKind.ADDRESS_REFUSED),
    ],
    ids=["slow down", "banned", "502", "wrong address"],
)
async def test_a_refusal_is_counted_by_how_it_came_and_by_what_it_means(
    world: World, bot: Program, reply, result: str, kind: IncidentKind
):
    await bot.connect_by_chat()
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=reply))
    before = await scrape(bot)
    await bot.check()
    read = await scrape(bot)

    assert before("ballast_exchange_requests_total", **ACCOUNT, result=result) == 0
    assert read("ballast_exchange_requests_total", **ACCOUNT, result=result) == 1
    assert read("ballast_checks_total", outcome="failed") == 1
    assert read("ballast_check_failures_total", kind=kind.value) == 1


async def test_a_mistake_of_ours_is_counted_as_one(
    bot: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def broken(*_: object, **__: object) -> NoReturn:
        raise ZeroDivisionError

    await bot.connect_by_chat()
    monkeypatch.setattr(bot.parts.dispatcher.checker, "check", broken)
    await bot.check()
    read = await scrape(bot)

    assert "check crashed" in caplog.text
    assert read("ballast_check_failures_total", kind="internal") == 1
    assert read("ballast_checks_total", outcome="cut_off") == 1


async def test_leases_that_are_lost_and_taken_over_are_counted(world: World):
    async with world.program() as first:
        await first.connect_by_chat()
        await first.check()
        async with first.database.writing() as session:
            await session.execute(update(LeaseRow).values(owner="another"))
        world.clock.shift(timedelta(seconds=31))
        await first.check()
        world.clock.shift(timedelta(seconds=90))
        await first.check()
        read = await scrape(first)

    assert read("ballast_leases_total", event="lost") == 1
    assert read("ballast_leases_total", event="taken_over") == 1
    assert read("ballast_leases_total", event="new") == 1


async def test_messages_for_a_chat_that_is_gone_do_not_look_like_a_backlog(
    world: World, bot: Program
):
    await bot.connect_by_chat()
    await bot.check()
    waiting = await scrape(bot)
    world.clock.shift(timedelta(seconds=40))
    older = await scrape(bot)
    world.api.fail("sendMessage", FORBIDDEN, times=10)
    await bot.told(OWNER)
    read = await later(bot)

    assert waiting("ballast_alerts_waiting") == 1
    assert older("ballast_oldest_alert_age_seconds") == 40
    assert read("ballast_alerts_waiting") == read("ballast_oldest_alert_age_seconds") == 0
    assert read("ballast_alerts_put_off") == 1


async def test_the_database_is_asked_once_in_fifteen_seconds(bot: Program):
    await bot.connect_by_chat()
    await scrape(bot)
    with statements(bot.database) as seen:
        bot.world.clock.shift(timedelta(seconds=14))
        await scrape(bot)
        asked_soon = [s for s in seen if "FROM orders" in s]
        bot.world.clock.shift(timedelta(seconds=1))
        await scrape(bot)
        await scrape(bot)

    assert asked_soon == []
    assert len([s for s in seen if "FROM orders" in s]) == 1


async def test_without_the_database_the_page_says_so_and_shows_what_memory_knows(
    bot: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    await bot.connect_by_chat()
    await bot.checked()
    for transaction in ("reading", "writing"):
        monkeypatch.setattr(bot.database, transaction, _gone)
    read = await later(bot)
    monkeypatch.undo()
    back = await later(bot)

    assert read("ballast_database_up") == 0
    assert read("ballast_checks_total", outcome="ordered") == 1
    assert read("ballast_exchange_requests_total", **ORDER, result="ok") == 1
    assert {"ballast_orders", "ballast_alerts_waiting"} <= read.families.keys()
    assert not read.families["ballast_orders"].samples
    assert not read.families["ballast_alerts_waiting"].samples
    assert "statistics skipped, the database is away: OperationalError" in caplog.text
    assert back("ballast_database_up") == 1


def _gone() -> NoReturn:
    raise gone()


async def test_more_accounts_and_pairs_make_no_more_series_and_are_not_named(
    world: World, bot: Program
):
    world.mexc.add_pair(another_pair())
    world.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="57.10", ABC="500")
    await bot.connect_by_chat()
    await bot.check()
    await bot.say(OWNER, "/why")
    before = await later(bot)
    await bot.ask(FRIEND, "/setpair ABC")
    await bot.ask(FRIEND, f"/connect {OTHER_KEY} {OTHER_SECRET}")
    await bot.ask(FRIEND, "/resume")
    await bot.live_for(TWO_MINUTES)
    read = await later(bot)
    told = [KEY, SECRET, OTHER_KEY, TOKEN, str(OWNER), str(FRIEND), "MNTL", "ABC", "57.1", "16.3"]

    assert read("ballast_orders", mode="live", state="filled") == 2
    assert read.series() == before.series()
    assert [text for text in told if text in read.text] == []


async def test_labels_are_names_of_ours_and_few(bot: Program):
    await bot.connect_by_chat()
    await bot.check()
    read = await scrape(bot)
    values = {
        value
        for name, labels, _ in read.samples()
        for label, value in labels.items()
        if name != "ballast_build_info"
    }

    assert {value for value in values if not A_NAME.fullmatch(value)} == set()
    assert len(read.series()) < 450


async def test_every_family_is_described(bot: Program):
    read = await scrape(bot)
    undescribed = [name for name, family in read.families.items() if not family.documentation]

    assert undescribed == []
    assert {family.type for family in read.families.values()} == {"counter", "gauge", "histogram"}
    assert all(name.startswith(("ballast_", "process_")) for name in read.families)


async def test_every_state_and_outcome_is_there_before_it_happens(bot: Program):
    read = await scrape(bot)

    for state in OrderState:
        assert read("ballast_orders", mode="paper", state=state.value) == 0
    for outcome in CheckOutcome:
        assert read("ballast_checks_total", outcome=outcome.value) == 0
    for kind in IncidentKind:
        assert read("ballast_check_failures_total", kind=kind.value) == 0


@asynccontextmanager
async def served(metrics: Metrics | None, token: str | None) -> AsyncGenerator[str]:
    """The page's address."""
    page = MetricsPage(token=token)
    page.metrics = metrics
    app = web.Application()
    app.add_routes([web.get("/metrics", page.answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/metrics"
    finally:
        await runner.cleanup()


LET_IN = (f"Bearer {METRICS_TOKEN}", f"bearer  {METRICS_TOKEN}")
SENT_AWAY = (
    METRICS_TOKEN,
    f"Basic {METRICS_TOKEN}",
    f"Bearer {METRICS_TOKEN}x",
    f"Bearer {METRICS_TOKEN[:-1]}",
    "Bearer",
    "",
    "Bearer \xe9",
)


async def test_the_page_is_for_whoever_has_the_token(bot: Program):
    async with (
        served(bot.parts.metrics, METRICS_TOKEN) as url,
        httpx.AsyncClient(verify=NO_CERTIFICATES) as http,
    ):
        for header in (*LET_IN, *SENT_AWAY):
            answer = await http.get(url, headers={b"Authorization": header.encode("latin-1")})

            assert answer.status_code == (200 if header in LET_IN else 401), header
            assert ("ballast_database_up 1.0" in answer.text) == (header in LET_IN)
            if header in LET_IN:
                assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")


async def test_without_a_token_there_is_no_page(bot: Program):
    async with (
        served(bot.parts.metrics, None) as url,
        httpx.AsyncClient(verify=NO_CERTIFICATES) as http,
    ):
        for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer None"}):
            answer = await http.get(url, headers=headers)

            assert answer.status_code == 404
            assert "ballast" not in answer.text


async def test_before_there_are_numbers_only_who_has_the_token_is_told_to_come_again():
    async with (
        served(None, METRICS_TOKEN) as url,
        httpx.AsyncClient(verify=NO_CERTIFICATES) as http,
    ):
        stranger = await http.get(url)
        friend = await http.get(url, headers={"Authorization": f"Bearer {METRICS_TOKEN}"})

    assert (stranger.status_code, friend.status_code) == (401, 503)


async def test_where_no_exchange_is_asked_there_is_nothing_to_say_of_one(bot: Program):
    metrics = replace(bot.parts.metrics, request_stats=RequestStats(), usage=None)
    read = Scrape((await metrics.text()).decode())

    assert not read.families["ballast_exchange_weight_used"].samples
    assert not read.families["ballast_exchange_requests"].samples
    assert read("ballast_database_up") == 1
