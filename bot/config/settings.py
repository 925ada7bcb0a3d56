"""The process's settings: read once from the environment, checked together, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from bot.config.env import TELEGRAM, VARIABLES, EnvReader
from bot.config.library_environment import loader_paths, missing_files
from bot.observability.redaction import login_of, whole_of
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import ExecutionMode
from engine.domain.streams.trust import StreamsOff
from engine.domain.targets.target import FixedUsdt
from engine.exchanges.rate_limiter import RateLimits
from engine.storage.postgres import with_tls
from engine.storage.schema import sqlite_file

_WEBHOOK_PORTS = {None, 443, 80, 88, 8443}


class BadSettings(Exception):
    """The program cannot start. *problems* are lines for stderr, free of secrets."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """The first of *authorized_chats* is the owner. Without *encryption_keys* there is a
    *key_file*: that is so with SQLite only. *streams*: accounts have streams of their own.
    *loader_paths* are the variables of a child process.
    """

    telegram_token: str | None = field(repr=False)
    telegram_api_url: str
    telegram_proxy: str | None = field(repr=False)
    mexc_api_url: str
    mexc_proxy: str | None = field(repr=False)
    mexc_limits: RateLimits
    mexc_stream_url: str
    mexc_streams_per_address: int
    streams: bool
    authorized_chats: tuple[int, ...]
    database_url: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)
    default_settings: Settings
    error_backoff: timedelta
    webhook_url: str | None
    port: int | None
    listen_address: str | None
    log_level: str
    log_file: Path | None
    keep: timedelta
    log_format: str
    metrics_token: str | None = field(repr=False)
    sentry_dsn: str | None = field(repr=False)
    heartbeat_url: str | None = field(repr=False)
    ssl_cert_file: str | None
    ssl_cert_dir: str | None
    loader_paths: Mapping[str, str] = field(default_factory=dict)

    @property
    def streams_off(self) -> StreamsOff | None:
        """Why no account has a stream; None where they have."""
        if self.streams:
            return None
        is_mexc = self.mexc_api_url == VARIABLES["MEXC_API_URL"].default
        is_same = self.mexc_stream_url == VARIABLES["MEXC_STREAM_URL"].default
        return StreamsOff.BY_ADDRESS if is_same and not is_mexc else StreamsOff.BY_SETTING

    @property
    def is_demo(self) -> bool:
        return self.telegram_token is None

    @property
    def on_postgres(self) -> bool:
        return sqlite_file(self.database_url) is None

    @property
    def secrets(self) -> set[str]:
        """Every secret, in each form in which a log or a report could hold it."""
        return {
            *self.encryption_keys,
            *login_of(self.database_url),
            *(w for url in (self.mexc_proxy, self.telegram_proxy) if url for w in login_of(url)),
            *(word for word in (self.telegram_token, self.metrics_token) if word),
            *(w for url in (self.sentry_dsn, self.heartbeat_url) if url for w in whole_of(url)),
        }

    @property
    def key_file(self) -> Path | None:
        """Beside the database, for `bot.config.key_file.load_or_create_keys`; None if keys are given."""
        database = sqlite_file(self.database_url)
        return None if self.encryption_keys or not database else database.with_suffix(".key")

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raises BadSettings with every problem there is. A blank variable is not set."""
        reading = EnvReader(env)
        values = {name: reading.value(name) for name in VARIABLES}
        if reading.is_set("DYNO"):
            # Heroku's addresses do not say that its databases want TLS, and are reached from outside.
            values["DATABASE_URL"] = with_tls(values["DATABASE_URL"])
        if values["MEXC_API_URL"] != VARIABLES["MEXC_API_URL"].default and not reading.is_set(
            "MEXC_STREAM_URL"
        ):
            values["STREAMS"] = False  # a key of one exchange must not reach another
        names = [one.name for one in fields(cls) if one.name.upper() in values]
        settings = cls(
            **{name: values[name.upper()] for name in names},
            mexc_limits=RateLimits(
                weight=values["MEXC_WEIGHT"],
                orders=values["MEXC_ORDERS_PER_SECOND"],
                account_reads=values["MEXC_READS_PER_SECOND"],
            ),
            default_settings=Settings(
                target=FixedUsdt(values["TARGET_USDT"]),
                threshold=values["THRESHOLD"],
                interval=_interval(reading, values),
                symbol=values["TRADING_PAIR"],
                # An account that was made by a version without it keeps what it had.
                execution=ExecutionMode.AUTO,
            ),
            keep=values["KEEP_DAYS"],
            loader_paths=loader_paths(env),
        )
        if settings.on_postgres and not reading.is_set("ENCRYPTION_KEYS"):
            reading.refuse("ENCRYPTION_KEYS", "is required with PostgreSQL")
        if reading.is_set("DYNO") and not settings.on_postgres and not settings.is_demo:
            reading.refuse(
                "DATABASE_URL",
                "must be PostgreSQL on this host, which erases its disk at each restart",
            )
        token = settings.telegram_token
        if token and int(token.partition(":")[0]) in settings.authorized_chats:
            reading.refuse("AUTHORIZED_CHATS", "has the id of the bot itself, which is no person")
        if _is_refused_by_telegram(settings):
            reading.refuse(
                "WEBHOOK_URL", "must begin with https:// and have port 443, 80, 88 or 8443"
            )
        unread = missing_files(env) if settings.on_postgres else []
        if problems := [*reading.problems, *unread]:
            raise BadSettings(problems)
        return settings


def _is_refused_by_telegram(settings: ProcessSettings) -> bool:
    """Another Bot API server than Telegram's own may take any address."""
    if settings.webhook_url is None or settings.telegram_api_url != TELEGRAM:
        return False
    address = urlsplit(settings.webhook_url)
    return address.scheme != "https" or address.port not in _WEBHOOK_PORTS


def _interval(reading: EnvReader, values: Mapping[str, Any]) -> timedelta:
    """DELTA is what the script before this program called it."""
    interval, delta = values["CHECK_INTERVAL"], values["DELTA"]
    if interval and delta and interval != delta:
        reading.refuse("DELTA", "is the old name of CHECK_INTERVAL, and the two differ: keep one")
    return interval or delta or timedelta(seconds=120)
