"""What people, hosts and dashboards know of the program keeps its name, whatever classes are called.

A name may come to these lists. None is changed or taken away: buttons stay in chats, hosts keep
their settings, and somebody's alarm waits for a number.
"""

import logging
import re
from pathlib import Path

import pytest

from bot import __main__ as program
from bot.interaction.callback_data import PRESSABLE, decode
from bot.operations.cli import EXIT_DONE, EXIT_NOT_DONE
from bot.operations.replay import EXIT_DIFFERENT, EXIT_NOT_REPLAYED, EXIT_SAME
from bot.updates.webhook import PATH, SECRET_HEADER
from bot.views.help import COMMANDS
from tests.bot.harness import Program
from tests.bot.scrape import scrape
from tests.source import normalized_source, not_spelled
from tests.unit.test_readme import names_read_by_the_program

GUIDE = Path(__file__).parents[2] / "docs" / "operations.md"
COMMANDS_OF_THE_CHAT = (
    "alerts audit balance bands buy chart connect cooldown count crashguard deposits "
    "destination disconnect doctor dryrun execution export halt help history invite leave "
    "limits logs members mode pause pricealert profit protect rebalance resume schedule sell "
    "setinterval setpair settarget setthreshold settings share slippage start status stop "
    "target version warn why"
)
COMMANDS_OF_THE_HOST = "backup check engine migrate prune replay restore rotate-keys web worker"
ENVIRONMENT = (
    "AUTHORIZED_CHATS CHECK_INTERVAL DATABASE_URL DELTA ENCRYPTION_KEYS ERROR_BACKOFF "
    "HEARTBEAT_URL KEEP_DAYS LISTEN_ADDRESS LOG_FILE LOG_FORMAT LOG_LEVEL METRICS_TOKEN "
    "MEXC_API_URL MEXC_ORDERS_PER_SECOND MEXC_PROXY MEXC_READS_PER_SECOND "
    "MEXC_STREAMS_PER_ADDRESS MEXC_STREAM_URL MEXC_WEIGHT PORT "
    "SENTRY_DSN SSL_CERT_DIR SSL_CERT_FILE STREAMS TARGET_USDT TELEGRAM_API_URL TELEGRAM_PROXY "
    "TELEGRAM_TOKEN THRESHOLD TRADING_PAIR WEBHOOK_URL"
)
# One of each, and of each spelling of its parts.
BUTTONS = (
    "do:status:",
    "do:settarget:40.5",
    "do:deposits:wait15m",
    "yes:Ab_-9",
    "pick:Ab_-9:7",
    "order:filled:blabc",
    "order:not:blabc",
    "order:look:blabc",
    "page:0:5",
    "trade:blabc:0:5",
    "audit:3",
    "why:0:5",
    "profit:24h",
    "profit:all",
    "flows:7d:0",
    "flow:1:0:1795348800000:2026-11-01",
    "replay:blabc:0:5",
    "card:refresh",
    "card:pin",
    "card:unpin",
    "open:settings",
    "open:settarget",
    "open:setthreshold",
    "open:setinterval",
    "open:setpair",
    "open:count",
    "open:limits",
    "open:dryrun",
    "open:execution",
    "open:slippage",
    "put:slippage:0.5%strict",
    "put:settarget:60",
    "enter:settarget",
    "tune::",
    "tune:digest:08.00",
    "unwarn:MX",
    "unprice:MX",
    "basket:Ab_-9:show:0",
    "basket:Ab_-9:plus:1",
    "basket:Ab_-9:minus:1",
    "basket:Ab_-9:drop:1",
    "basket:Ab_-9:evenly:0",
    "basket:Ab_-9:step:0",
    "basket:Ab_-9:done:0",
)
# Family: its labels, but for what Prometheus adds to a histogram.
METRICS = {
    "ballast_accounts_active": "",
    "ballast_accounts_owned": "",
    "ballast_accounts_waiting_for_prices": "",
    "ballast_alerts_put_off": "",
    "ballast_alerts_waiting": "",
    "ballast_build_info": "version",
    "ballast_check_failures": "kind",
    "ballast_check_lateness_seconds": "",
    "ballast_checks": "outcome",
    "ballast_database_up": "",
    "ballast_exchange_request_seconds": "method path",
    "ballast_exchange_requests": "method path result",
    "ballast_exchange_weight_limit": "",
    "ballast_exchange_weight_used": "",
    "ballast_heartbeats": "",
    "ballast_last_poll_age_seconds": "",
    "ballast_leases": "event",
    "ballast_loop_blocked_seconds": "",
    "ballast_loop_blocks": "",
    "ballast_loop_lag_seconds": "",
    "ballast_oldest_alert_age_seconds": "",
    "ballast_oldest_listen_key_age_seconds": "",
    "ballast_oldest_unresolved_order_age_seconds": "",
    "ballast_oldest_update_age_seconds": "",
    "ballast_orders": "mode state",
    "ballast_orders_unresolved": "",
    "ballast_polls": "",
    "ballast_price_connections": "",
    "ballast_prices_live": "",
    "ballast_prices_missed": "",
    "ballast_stream_connects": "",
    "ballast_stream_connects_failed": "",
    "ballast_stream_events": "",
    "ballast_stream_events_missed": "",
    "ballast_stream_to_check_seconds": "",
    "ballast_stream_to_order_seconds": "",
    "ballast_streams": "state",
    "ballast_streams_lost": "why",
    "ballast_streams_wanted": "",
    "ballast_updates": "outcome",
    "ballast_updates_waiting": "",
}
LABEL_VALUES = {
    ("ballast_checks", "outcome"): (
        "cut_off declined failed left_to_person moved_away on_target ordered overtaken unsettled "
        "waiting"
    ),
    ("ballast_check_failures", "kind"): (
        "account_restricted address_refused bad_data bad_fill blocked clock host_refused internal "
        "key_refused key_unreadable missing_permission not_filled order_refused pair_unavailable "
        "rate_limited stale_balance unreachable"
    ),
    ("ballast_leases", "event"): "lost new taken_over",
    ("ballast_orders", "mode"): "live paper",
    ("ballast_orders", "state"): (
        "acked dropped filled needs_human not_executed partial planned rejected sending set_aside "
        "unfilled unknown"
    ),
    ("ballast_updates", "outcome"): "failed handled quarantined",
    ("ballast_exchange_requests", "result"): (
        "403 418 429 never_left no_answer ok refused server_error"
    ),
}
# What the operator's guide shows of a trade.
LOG_FIELDS = {
    "check decided": "account amount_usdt decision held_usdt money order pair side target_usdt",
    "order sent": "account amount_usdt money order pair side trigger",
    "order filled": (
        "account exchange_order fee held_usdt money order pair price quantity quote_usdt side"
    ),
}
USUAL = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def test_the_chat_has_the_commands_it_had():
    assert sorted(name for name, _ in COMMANDS) == COMMANDS_OF_THE_CHAT.split()
    assert sorted({*PRESSABLE, "start"}) == COMMANDS_OF_THE_CHAT.split()


def test_the_host_has_the_commands_it_had():
    usage = program._parser().format_help()
    listed = re.findall(r"^    ([a-z][a-z-]*)", usage, re.MULTILINE)

    assert sorted(listed) == COMMANDS_OF_THE_HOST.split()
    assert "--new-key" in normalized_source()


def test_the_environment_has_the_names_it_had():
    assert sorted(names_read_by_the_program()) == ENVIRONMENT.split()


def test_the_program_ends_with_the_codes_it_had():
    codes = program.EXIT_BROKE, program.EXIT_BAD_SETTING, program.EXIT_CANNOT_START

    assert codes == (1, 2, 3)
    assert program.EXIT_STALLED == 4
    assert (EXIT_DONE, EXIT_NOT_DONE) == (0, 1)
    assert (EXIT_SAME, EXIT_DIFFERENT, EXIT_NOT_REPLAYED) == (0, 1, 5)


def test_the_addresses_of_the_port_are_what_they_were():
    assert not_spelled(["/healthz", "/readyz", "/metrics"]) == []
    assert (PATH, SECRET_HEADER) == ("/telegram", "X-Telegram-Bot-Api-Secret-Token")


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_in_an_old_message_still_works(button: str):
    press = decode(button)

    assert press is not None
    assert press.encode() == button


async def test_numbers_and_the_log_of_a_trade_have_the_names_they_had(
    bot: Program, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    await bot.connect()
    await bot.checked()
    read = await scrape(bot)
    families = {name: f for name, f in read.families.items() if name.startswith("ballast_")}
    labels = {
        name: " ".join(sorted({label for s in f.samples for label in s.labels} - {"le"}))
        for name, f in families.items()
    }
    values = {
        (name, label): " ".join(sorted({s.labels[label] for s in families[name].samples}))
        for name, label in LABEL_VALUES
    }
    logged = {
        record.msg: " ".join(sorted(set(vars(record)) - USUAL))
        for record in caplog.records
        if record.msg in LOG_FIELDS
    }

    assert labels == METRICS
    assert values == LABEL_VALUES
    assert logged == LOG_FIELDS


def test_every_line_that_the_guide_explains_is_written():
    table = (
        GUIDE.read_text(encoding="utf-8").split("## Log lines that matter")[1].split("\n## ")[0]
    )
    named = [
        name
        for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        for name in re.findall(r"`([^`/]+)`", row)
    ]

    assert len(named) > 25
    assert [name for name in named if f'"{name}' not in normalized_source()] == []
