"""The environment becomes one frozen object, or a list of everything that is wrong with it."""

from dataclasses import FrozenInstanceError
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config.env import MAKE_A_KEY
from bot.config.key_file import load_or_create_keys
from bot.config.settings import BadSettings, ProcessSettings
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import Symbol
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from engine.exchanges.rate_limiter import RateLimits
from engine.security.vault import is_key

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"
KEY = "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZCE="
OTHER_KEY = "bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3IG5ldyE="
POSTGRES = "postgres://ballast:pAsSwOrD@db.example:5432/ballast?sslmode=require"
NAMES = (
    "TELEGRAM_TOKEN",
    "TELEGRAM_API_URL",
    "TELEGRAM_PROXY",
    "MEXC_API_URL",
    "MEXC_PROXY",
    "MEXC_WEIGHT",
    "MEXC_ORDERS_PER_SECOND",
    "MEXC_READS_PER_SECOND",
    "MEXC_STREAM_URL",
    "MEXC_STREAMS_PER_ADDRESS",
    "STREAMS",
    "AUTHORIZED_CHATS",
    "DATABASE_URL",
    "ENCRYPTION_KEYS",
    "TARGET_USDT",
    "TRADING_PAIR",
    "THRESHOLD",
    "CHECK_INTERVAL",
    "DELTA",
    "ERROR_BACKOFF",
    "WEBHOOK_URL",
    "PORT",
    "LISTEN_ADDRESS",
    "LOG_LEVEL",
    "LOG_FILE",
    "LOG_FORMAT",
    "METRICS_TOKEN",
    "SENTRY_DSN",
    "HEARTBEAT_URL",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


def read(**env: str) -> ProcessSettings:
    return ProcessSettings.from_env(env)


def problems_of(**env: str) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        read(**env)
    return caught.value.problems


def test_an_empty_environment_is_the_demo_with_the_documented_defaults():
    assert read() == ProcessSettings(
        telegram_token=None,
        telegram_api_url="https://api.telegram.org",
        telegram_proxy=None,
        mexc_api_url="https://api.mexc.com",
        mexc_proxy=None,
        mexc_limits=RateLimits(weight=300, orders=12, account_reads=2),
        mexc_stream_url="wss://wbs-api.mexc.com/ws",
        mexc_streams_per_address=1000,
        streams=True,
        authorized_chats=(),
        database_url="sqlite:///data/ballast.db",
        encryption_keys=(),
        default_settings=Settings(
            target=FixedUsdt(Decimal(40)),
            threshold=Threshold(relative=Decimal("0.05")),
            interval=timedelta(seconds=120),
            symbol=Symbol("MNTLUSDT"),
            paused=True,
            dry_run=False,
            execution=ExecutionMode.AUTO,
        ),
        error_backoff=timedelta(seconds=60),
        webhook_url=None,
        port=None,
        listen_address=None,
        log_level="INFO",
        log_file=None,
        keep=timedelta(days=30),
        log_format="text",
        metrics_token=None,
        sentry_dsn=None,
        heartbeat_url=None,
        ssl_cert_file=None,
        ssl_cert_dir=None,
    )
    assert read().is_demo


@pytest.mark.parametrize("blank", ["", " ", "\n", '""', " '' "])
def test_blank_variables_count_as_unset(blank):
    assert ProcessSettings.from_env(dict.fromkeys(NAMES, blank)) == read()


@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_that_another_program_left_around_a_value_are_taken_off(quote):
    env = {"TELEGRAM_TOKEN": TOKEN, "PORT": "8080", "DATABASE_URL": POSTGRES}
    quoted = {name: f" {quote}{value} {quote}" for name, value in env.items()}

    assert read(ENCRYPTION_KEYS=KEY, **quoted) == read(ENCRYPTION_KEYS=KEY, **env)


def test_every_variable_is_read():
    settings = read(
        TELEGRAM_TOKEN=TOKEN,
        TELEGRAM_API_URL="http://127.0.0.1:8081",
        TELEGRAM_PROXY="http://me:an0ther@proxy.example:3129",
        MEXC_API_URL="http://127.0.0.1:8082/mexc/",
        MEXC_PROXY="http://me:se%3Acret@proxy.example:3128/",
        MEXC_WEIGHT="150",
        MEXC_ORDERS_PER_SECOND="6",
        MEXC_READS_PER_SECOND="1",
        MEXC_STREAM_URL="ws://127.0.0.1:8084/ws/",
        MEXC_STREAMS_PER_ADDRESS="7",
        STREAMS="ON",
        AUTHORIZED_CHATS="11, -1001234567890",
        DATABASE_URL=POSTGRES,
        ENCRYPTION_KEYS=f"{KEY}, {OTHER_KEY}",
        TARGET_USDT="57.25",
        TRADING_PAIR="btc/usdt",
        THRESHOLD="2.5%",
        CHECK_INTERVAL="5",
        ERROR_BACKOFF="7",
        WEBHOOK_URL="http://127.0.0.1:8083/",
        PORT="8083",
        LISTEN_ADDRESS="[::1]",
        LOG_LEVEL="debug",
        LOG_FILE="logs/ballast.log",
        KEEP_DAYS="60",
        LOG_FORMAT="JSON",
        METRICS_TOKEN="a-token-of-24-characters",
        SENTRY_DSN="https://0123456789abcdef@o1.ingest.sentry.io/42",
        HEARTBEAT_URL="https://hc-ping.com/a-check?rid=1",
        SSL_CERT_FILE="/etc/ssl/ours.pem",
        SSL_CERT_DIR="/etc/ssl/ours",
    )

    assert settings == ProcessSettings(
        telegram_token=TOKEN,
        telegram_api_url="http://127.0.0.1:8081",
        telegram_proxy="http://me:an0ther@proxy.example:3129",
        mexc_api_url="http://127.0.0.1:8082/mexc",
        mexc_proxy="http://me:se%3Acret@proxy.example:3128",
        mexc_limits=RateLimits(weight=150, orders=6, account_reads=1),
        mexc_stream_url="ws://127.0.0.1:8084/ws",
        mexc_streams_per_address=7,
        streams=True,
        authorized_chats=(11, -1001234567890),
        database_url=POSTGRES,
        encryption_keys=(KEY, OTHER_KEY),
        default_settings=Settings(
            target=FixedUsdt(Decimal("57.25")),
            threshold=Threshold(relative=Decimal("0.025")),
            interval=timedelta(seconds=5),
            symbol=Symbol("BTCUSDT"),
            execution=ExecutionMode.AUTO,
        ),
        error_backoff=timedelta(seconds=7),
        webhook_url="http://127.0.0.1:8083",
        port=8083,
        listen_address="::1",
        log_level="DEBUG",
        log_file=Path("logs/ballast.log"),
        keep=timedelta(days=60),
        log_format="json",
        metrics_token="a-token-of-24-characters",
        sentry_dsn="https://0123456789abcdef@o1.ingest.sentry.io/42",
        heartbeat_url="https://hc-ping.com/a-check?rid=1",
        ssl_cert_file="/etc/ssl/ours.pem",
        ssl_cert_dir="/etc/ssl/ours",
    )
    assert not settings.is_demo
    assert {"se:cret", "se%3Acret", "an0ther"} < settings.secrets
    assert "cret" not in repr(settings)
    assert "an0ther" not in repr(settings)


@pytest.mark.parametrize(
    ("env", "streams"),
    [
        ({}, True),
        ({"STREAMS": "off"}, False),
        ({"MEXC_API_URL": "https://api.mexc.com/"}, True),
        ({"MEXC_API_URL": "https://other.example"}, False),
        ({"MEXC_API_URL": "https://other.example", "STREAMS": "on"}, False),
        (
            {"MEXC_API_URL": "https://other.example", "MEXC_STREAM_URL": "wss://other.example"},
            True,
        ),
    ],
)
def test_the_key_to_a_stream_of_one_exchange_reaches_no_other(env: dict[str, str], streams: bool):
    assert read(**env).streams is streams


def test_the_old_name_of_the_interval_is_understood():
    assert read(DELTA="30").default_settings.interval == timedelta(seconds=30)
    assert read(DELTA="30", CHECK_INTERVAL="30.0") == read(CHECK_INTERVAL="30")


def test_two_names_for_one_interval_must_agree():
    (problem,) = problems_of(DELTA="30", CHECK_INTERVAL="31")

    assert problem.startswith("DELTA is the old name of CHECK_INTERVAL")


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("0.05", "0.05"), ("5%", "0.05"), ("5 %", "0.05"), ("0.25%", "0.0025"), ("99.99%", "0.9999")],
)
def test_a_threshold_is_a_fraction_or_a_percentage(text, fraction):
    assert read(THRESHOLD=text).default_settings.threshold == Threshold(relative=Decimal(fraction))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("TELEGRAM_TOKEN", "not-a-token", "not a bot token"),
        ("TELEGRAM_TOKEN", "123456789:", "not a bot token"),
        ("TELEGRAM_TOKEN", f"١٢٣:{'A' * 35}", "not a bot token"),
        ("TELEGRAM_API_URL", "api.telegram.org", "not an http"),
        ("TELEGRAM_API_URL", "ftp://api.telegram.org", "not an http"),
        ("TELEGRAM_API_URL", "https://", "not an http"),
        ("TELEGRAM_API_URL", "https://[::1", "not an http"),
        ("MEXC_API_URL", "https://host:port", "not an http"),
        ("MEXC_API_URL", "https://host:0", "not an http"),
        ("MEXC_API_URL", "https://host:99999", "not an http"),
        ("MEXC_API_URL", "https://user:secret@host", "bare address"),
        ("MEXC_API_URL", "https://host/?a=1", "bare address"),
        ("MEXC_API_URL", "https://host/#top", "bare address"),
        ("MEXC_PROXY", "https://proxy.example:3128", "not the http://"),
        ("MEXC_PROXY", "http://proxy.example", "with its port"),
        ("MEXC_PROXY", "http://proxy.example:3128/path", "nothing behind"),
        ("MEXC_PROXY", "http://a b@proxy.example:3128", "write them as %XX"),
        ("MEXC_PROXY", "socks5://proxy.example:3128", "is a SOCKS proxy, which cannot be used"),
        ("TELEGRAM_PROXY", "socks5://127.0.0.1:1080", "is a SOCKS proxy, which cannot be used"),
        ("TELEGRAM_PROXY", "socks5h://u:p@127.0.0.1:1080", "is a SOCKS proxy"),
        ("TELEGRAM_PROXY", "socks://127.0.0.1:1080/", "is a SOCKS proxy"),
        ("TELEGRAM_PROXY", "127.0.0.1:8080", "not the http://"),
        ("TELEGRAM_PROXY", "http://[::1]:x", "not the http://"),
        ("PORT", "80 80", "whole number from 1 to 65535"),
        ("PORT", "8080/tcp", "whole number from 1 to 65535"),
        ("LISTEN_ADDRESS", "*", "is not an address of this machine"),
        ("LISTEN_ADDRESS", "localhost", "is not an address of this machine"),
        ("LISTEN_ADDRESS", "0.0.0.0:8080", "is not an address of this machine"),
        ("AUTHORIZED_CHATS", "-1002233445566", "begins with a group; the first id must be"),
        ("AUTHORIZED_CHATS", "-1002233445566,11", "begins with a group; the first id must be"),
        ("AUTHORIZED_CHATS", "-4711, -1002233445566", "begins with a group"),
        ("AUTHORIZED_CHATS", "11,136817688", "under which every channel speaks"),
        ("AUTHORIZED_CHATS", "1087968824", "under which every anonymous administrator speaks"),
        ("AUTHORIZED_CHATS", "777000,11", "under which Telegram itself speaks"),
        ("AUTHORIZED_CHATS", ",11", "'', which is not a chat id"),
        ("AUTHORIZED_CHATS", "11 12", "'11 12', which is not a chat id"),
        ("AUTHORIZED_CHATS", "+11", "'+11', which is not a chat id"),
        ("AUTHORIZED_CHATS", "11;12", "'11;12', which is not a chat id"),
        ("AUTHORIZED_CHATS", "t.me/ann", "'t.me/ann', which is not a chat id"),
        ("LOG_FILE", "\udcff.log", "has characters that this machine cannot read"),
        (
            "DATABASE_URL",
            "sqlite:///d\udce4ta/b.db",
            "has characters that this machine cannot read",
        ),
        ("MEXC_WEIGHT", "49", "from 50 to 1000000"),
        ("MEXC_ORDERS_PER_SECOND", "0", "from 1 to 1000000"),
        ("MEXC_READS_PER_SECOND", "0.5", "from 1 to 1000000"),
        ("MEXC_API_URL", "https://ho st", "bare address"),
        ("MEXC_STREAM_URL", "https://host/ws", "not a ws:// or wss://"),
        ("MEXC_STREAM_URL", "wss://wbs-api..mexc.com/ws", "not a ws:// or wss://"),
        ("MEXC_API_URL", f"https://{'a' * 64}.example", "not an http:// or https://"),
        ("MEXC_STREAM_URL", "wss://user:secret@host/ws", "bare address"),
        ("MEXC_STREAM_URL", "wss://host/ws?listenKey=5ecret", "bare address"),
        ("MEXC_STREAMS_PER_ADDRESS", "0", "from 1 to 50000"),
        ("STREAMS", "maybe", "none of on, off"),
        ("AUTHORIZED_CHATS", "11,0", "'0', which is not a chat id"),
        ("AUTHORIZED_CHATS", "11,-0", "'-0', which is not a chat id"),
        ("AUTHORIZED_CHATS", "11,", "'', which is not a chat id"),
        ("AUTHORIZED_CHATS", "11,@me", "'@me', which is not a chat id"),
        ("AUTHORIZED_CHATS", "１１", "which is not a chat id"),
        ("AUTHORIZED_CHATS", "11,12,11", "has 11 twice"),
        ("DATABASE_URL", "mysql://host/name", "not a postgres://"),
        ("DATABASE_URL", "data/ballast.db", "not a postgres://"),
        ("DATABASE_URL", "postgres://u:p@ss@host/name", "special characters in the password"),
        ("DATABASE_URL", "postgres://host/name?schema=x", "has the parameter schema"),
        ("DATABASE_URL", "postgres://host/name?sslmode=yes", "has an sslmode that is none of"),
        ("DATABASE_URL", "sqlite://", "not a postgres://"),
        ("DATABASE_URL", "sqlite://data/ballast.db", "names no file"),
        ("DATABASE_URL", "sqlite:///", "names no file"),
        ("DATABASE_URL", "sqlite:///x.db?timeout=abc", "has timeout behind its ?"),
        ("DATABASE_URL", "sqlite:///x.db?mode=ro", "has mode behind its ?"),
        ("DATABASE_URL", "sqlite:///x.db?_pragma=a&foo=b", "has _pragma, foo behind its ?"),
        ("DATABASE_URL", "sqlite:///:memory:", "names no file"),
        ("DATABASE_URL", "sqlite:///file:x.db?uri=true", "names no file"),
        ("ENCRYPTION_KEYS", "short", "1 key(s) and number 1 is not"),
        ("ENCRYPTION_KEYS", f"{KEY},", "2 key(s) and number 2 is not"),
        ("ENCRYPTION_KEYS", f"{KEY} {OTHER_KEY}", "1 key(s) and number 1 is not"),
        ("TARGET_USDT", "forty", "'forty', which is not a number"),
        ("TARGET_USDT", "４０", "not a number"),
        ("TARGET_USDT", "1_000", "not a number"),
        ("TARGET_USDT", "1,000", "not a number"),
        ("TARGET_USDT", "NaN", "not a number"),
        ("TARGET_USDT", "Infinity", "not a number"),
        ("TARGET_USDT", "0", "must be from 0.01"),
        ("TARGET_USDT", "-40", "must be from 0.01"),
        ("TARGET_USDT", "40.001", "must be from 0.01"),
        ("TARGET_USDT", "1e10", "must be from 0.01"),
        ("TARGET_USDT", "1000000000.01", "must be from 0.01"),
        ("TRADING_PAIR", "MNTL/BTC", "'MNTL/BTC', which is not a pair"),
        ("TRADING_PAIR", "MNTL–USDT", "which is not a pair"),
        ("TRADING_PAIR", "<b>", "'<b>', which is not a pair"),
        ("THRESHOLD", "0", "must be from 0.0001"),
        ("THRESHOLD", "1", "must be from 0.0001"),
        ("THRESHOLD", "5", "must be from 0.0001"),
        ("THRESHOLD", "-0.05", "must be from 0.0001"),
        ("THRESHOLD", "0.00001", "must be from 0.0001"),
        ("THRESHOLD", "100%", "must be from 0.0001"),
        ("THRESHOLD", "5.001%", "must be from 0.0001"),
        ("THRESHOLD", "5%%", "'5%', which is not a number"),
        ("THRESHOLD", "2 USDT", "'2 USDT', which is not a number"),
        ("CHECK_INTERVAL", "0", "from 1 to 86400"),
        ("CHECK_INTERVAL", "86401", "from 1 to 86400"),
        ("CHECK_INTERVAL", "1.5", "from 1 to 86400"),
        ("CHECK_INTERVAL", "2m", "not a number"),
        ("DELTA", "soon", "not a number"),
        ("ERROR_BACKOFF", "0", "from 1 to 86400"),
        ("ERROR_BACKOFF", "1e9", "from 1 to 86400"),
        ("LOG_LEVEL", "LOUD", "'LOUD', which is none of DEBUG, INFO"),
    ],
)
def test_a_bad_value_is_named_explained_and_answered_with_an_example(name, value, why):
    (problem,) = problems_of(**{name: value})

    assert problem.startswith(f"{name} ")
    assert why in problem
    assert "; for example " in problem
    assert problem.isascii()
    assert len(problem.splitlines()) == 1


def test_every_problem_is_told_at_once():
    problems = problems_of(
        TELEGRAM_TOKEN="x", AUTHORIZED_CHATS="0", TARGET_USDT="x", DELTA="x", LOG_LEVEL="x"
    )

    assert [problem.split()[0] for problem in problems] == [
        "TELEGRAM_TOKEN",
        "AUTHORIZED_CHATS",
        "TARGET_USDT",
        "DELTA",
        "LOG_LEVEL",
    ]


def test_the_error_itself_reads_as_one_line_per_problem():
    error = BadSettings(["ONE is wrong", "TWO is wrong"])

    assert str(error) == "ONE is wrong\nTWO is wrong"


def test_postgresql_without_keys_is_refused_with_the_command_that_makes_one():
    (problem,) = problems_of(DATABASE_URL=POSTGRES)

    assert problem.startswith("ENCRYPTION_KEYS is required with PostgreSQL")
    assert MAKE_A_KEY in problem


def test_a_bad_key_on_postgresql_is_one_problem():
    (problem,) = problems_of(DATABASE_URL=POSTGRES, ENCRYPTION_KEYS="short")

    assert "not a Fernet key" in problem


def test_a_host_that_erases_its_disk_needs_postgresql():
    on_postgres = {"DATABASE_URL": POSTGRES, "ENCRYPTION_KEYS": KEY}

    (problem,) = problems_of(DYNO="worker.1", TELEGRAM_TOKEN=TOKEN)

    assert problem.startswith("DATABASE_URL must be PostgreSQL on this host")
    assert read(DYNO="worker.1").is_demo
    assert not read(DYNO="worker.1", TELEGRAM_TOKEN=TOKEN, **on_postgres).is_demo


def test_on_heroku_the_database_is_reached_with_tls_unless_the_address_says_otherwise():
    env = {"DYNO": "worker.1", "ENCRYPTION_KEYS": KEY}

    bare = POSTGRES.removesuffix("?sslmode=require")
    own = f"{bare}?sslmode=verify-full"

    assert read(DATABASE_URL=bare, **env).database_url == POSTGRES
    assert read(DATABASE_URL=own, **env).database_url == own
    assert read(DATABASE_URL=bare, ENCRYPTION_KEYS=KEY).database_url == bare


def test_the_bot_is_not_one_of_its_people():
    (problem,) = problems_of(TELEGRAM_TOKEN=TOKEN, AUTHORIZED_CHATS="11,123456789")

    assert problem.startswith("AUTHORIZED_CHATS has the id of the bot itself")


@given(name=st.sampled_from(NAMES), value=st.text(st.characters(exclude_characters="\0")))
def test_any_text_is_either_taken_or_explained_on_one_line(name, value):
    try:
        read(**{name: value})
    except BadSettings as e:
        for problem in e.problems:
            assert len(problem.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("TELEGRAM_TOKEN", "123456789/secret", "secret"),
        ("ENCRYPTION_KEYS", f"{KEY},secret", "secret"),
        ("ENCRYPTION_KEYS", f"{KEY},secret", KEY),
        ("DATABASE_URL", "mysql://ballast:pAsSwOrD@host/name", "pAsSwOrD"),
        ("DATABASE_URL", "postgres://ballast:pAsSwOrD@host:port/name", "pAsSwOrD"),
        ("DATABASE_URL", "pAsSwOrD://host", "pAsSwOrD"),
        ("MEXC_API_URL", "https://user:pAsSwOrD@host", "pAsSwOrD"),
        ("MEXC_STREAM_URL", "wss://host/ws?listenKey=5ecret", "5ecret"),
        ("AUTHORIZED_CHATS", TOKEN, TOKEN),
        ("LOG_LEVEL", KEY, KEY),
        ("LOG_FORMAT", KEY, KEY),
        ("METRICS_TOKEN", "sh0rt-secret", "sh0rt-secret"),
        ("METRICS_TOKEN", "a long secret with blanks", "secret"),
        ("SENTRY_DSN", "https://5ecret@host", "5ecret"),
        ("SENTRY_DSN", "https://host/5ecret", "5ecret"),
        ("HEARTBEAT_URL", "hc-ping.com/5ecret", "5ecret"),
        ("HEARTBEAT_URL", "https://host:port/5ecret", "5ecret"),
        ("HEARTBEAT_URL", "https://host/5ecret with blanks", "5ecret"),
    ],
)
def test_a_problem_never_tells_a_secret(name, value, secret):
    assert not any(secret in problem for problem in problems_of(**{name: value}))


def test_settings_print_without_their_secrets_and_cannot_be_changed():
    given = {
        "TELEGRAM_TOKEN": TOKEN,
        "DATABASE_URL": POSTGRES,
        "ENCRYPTION_KEYS": KEY,
        "METRICS_TOKEN": "a-token-of-24-characters",
        "SENTRY_DSN": "https://0123456789abcdef@o1.ingest.sentry.io/42",
        "HEARTBEAT_URL": "https://hc-ping.com/a-check",
    }
    settings = read(**given)
    secrets = (TOKEN, KEY, "pAsSwOrD", "a-token-of", "0123456789abcdef", "a-check")

    assert not any(secret in repr(settings) for secret in secrets)
    assert settings.secrets >= {
        *(TOKEN, KEY, "pAsSwOrD", "a-token-of-24-characters", "0123456789abcdef"),
        *(given["SENTRY_DSN"], given["HEARTBEAT_URL"], "a-check"),
    }
    with pytest.raises(FrozenInstanceError):
        settings.telegram_token = None  # type: ignore[misc]


@pytest.mark.parametrize(
    ("env", "key_file"),
    [
        ({}, Path("data/ballast.key")),
        ({"DATABASE_URL": "sqlite:////srv/bot/money.sqlite"}, Path("/srv/bot/money.key")),
        ({"ENCRYPTION_KEYS": KEY}, None),
        ({"DATABASE_URL": POSTGRES, "ENCRYPTION_KEYS": KEY}, None),
    ],
)
def test_the_key_file_is_beside_the_sqlite_file_unless_keys_are_given(env, key_file):
    assert read(**env).key_file == key_file


def test_a_missing_key_file_is_made_for_its_owner_alone(tmp_path):
    path = tmp_path / "data" / "ballast.key"

    keys = load_or_create_keys(path)

    assert len(keys) == 1
    assert is_key(keys[0])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_read_again_and_never_overwritten(tmp_path):
    path = tmp_path / "ballast.key"
    first = load_or_create_keys(path)
    before = path.read_bytes()

    assert load_or_create_keys(path) == first
    assert path.read_bytes() == before


def test_a_key_file_may_hold_several_keys_one_a_line(tmp_path):
    path = a_key_file(tmp_path, f"{KEY}\n\n  {OTHER_KEY}\n")

    assert load_or_create_keys(path) == [KEY, OTHER_KEY]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666, 0o620])
def test_a_key_file_that_others_may_read_is_refused_with_the_remedy(tmp_path, mode):
    path = a_key_file(tmp_path, KEY, mode=mode)

    with pytest.raises(BadSettings, match=f"chmod 600 {path}"):
        load_or_create_keys(path)


@pytest.mark.parametrize("content", ["", "\n", "short", f"{KEY}\nshort", "ключ"])
def test_a_key_file_that_holds_no_keys_is_refused_and_left_alone(tmp_path, content):
    path = a_key_file(tmp_path, content)

    with pytest.raises(BadSettings, match="does not hold Fernet keys") as caught:
        load_or_create_keys(path)

    assert path.read_text() == content
    assert KEY not in str(caught.value)


def test_a_key_file_that_cannot_be_read_or_made_is_explained(tmp_path):
    (tmp_path / "folder.key").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(BadSettings, match="cannot be read: Is a directory"):
        load_or_create_keys(tmp_path / "folder.key")
    with pytest.raises(BadSettings, match="cannot be read: Not a directory"):
        load_or_create_keys(tmp_path / "file" / "ballast.key")
    with pytest.raises(BadSettings, match="cannot be made: "):
        load_or_create_keys(a_dangling_link(tmp_path))


def a_key_file(folder: Path, content: str, *, mode: int = 0o600) -> Path:
    path = folder / "ballast.key"
    path.write_text(content)
    path.chmod(mode)
    return path


def a_dangling_link(folder: Path) -> Path:
    """A name that exists and opens nothing: neither readable nor free."""
    path = folder / "link.key"
    path.symlink_to(folder / "nowhere")
    return path


@pytest.mark.parametrize(
    "url",
    [
        "https://ballast.example.com",
        "https://ballast.example.com:8443/a/path/",
        "https://ballast.example.com:443",
    ],
)
def test_a_webhook_is_an_address_that_telegram_takes(url: str):
    assert read(WEBHOOK_URL=url).webhook_url == url.rstrip("/")


@pytest.mark.parametrize("url", ["http://ballast.example.com", "https://ballast.example.com:5000"])
def test_another_address_is_for_a_bot_api_server_of_ones_own(url: str):
    (problem,) = problems_of(WEBHOOK_URL=url)

    assert problem.startswith("WEBHOOK_URL must begin with https://")
    assert read(WEBHOOK_URL=url, TELEGRAM_API_URL="http://localhost:8081").webhook_url == url


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80.0", "http", "१२", "1e3"])
def test_a_port_is_a_whole_number(port: str):
    (problem,) = problems_of(PORT=port)

    assert problem.startswith("PORT must be a whole number from 1 to 65535")
