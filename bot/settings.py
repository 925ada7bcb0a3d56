"""The process's settings: read once from the environment, checked together, frozen."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urlsplit

from sqlalchemy.exc import ArgumentError

from bot.inputs import NotUnderstood, parse_symbol
from engine.domain.money import ZERO, decimal_from_text
from engine.domain.pairs import Symbol
from engine.domain.target import MAX_INTERVAL, MAX_TARGET, MIN_INTERVAL, Settings, Threshold
from engine.storage.schema import DEFAULT_URL, sqlite_file
from engine.vault import is_key

MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)

_EXAMPLES = {
    "TELEGRAM_TOKEN": "TELEGRAM_TOKEN=123456789:AAExampleExampleExampleExampleExample",
    "TELEGRAM_API_URL": "TELEGRAM_API_URL=https://api.telegram.org",
    "MEXC_API_URL": "MEXC_API_URL=https://api.mexc.com",
    "AUTHORIZED_CHATS": "AUTHORIZED_CHATS=123456789,-1001234567890",
    "DATABASE_URL": "DATABASE_URL=postgres://user:password@host/name",
    "ENCRYPTION_KEYS": f"a key made by: {MAKE_A_KEY}",
    "TARGET_USDT": "TARGET_USDT=40",
    "TRADING_PAIR": "TRADING_PAIR=MNTLUSDT",
    "THRESHOLD": "THRESHOLD=0.05 or THRESHOLD=5%",
    "CHECK_INTERVAL": "CHECK_INTERVAL=120",
    "DELTA": "DELTA=120",
    "ERROR_BACKOFF": "ERROR_BACKOFF=60",
    "LOG_LEVEL": "LOG_LEVEL=INFO",
}
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_CENT_DECIMALS = 2
_SHORT = 16
_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]{3,}", re.ASCII)
_CHAT_ID = re.compile(r"-?[1-9][0-9]{0,15}", re.ASCII)
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)

T = TypeVar("T")
D = TypeVar("D")


class BadSettings(Exception):
    """The program cannot start. *problems* are lines for stderr, free of secrets."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """The first of *authorized_chats* is the owner. Without *encryption_keys* there is a
    *key_file*: that is so with SQLite only.
    """

    telegram_token: str | None = field(repr=False)
    telegram_api_url: str
    mexc_api_url: str
    authorized_chats: tuple[int, ...]
    database_url: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)
    default_settings: Settings
    error_backoff: timedelta
    log_level: str
    log_file: Path | None

    @property
    def is_demo(self) -> bool:
        return self.telegram_token is None

    @property
    def key_file(self) -> Path | None:
        """Beside the database, for `bot.keyfile.load_or_create_keys`; None if keys are given."""
        database = sqlite_file(self.database_url)
        return None if self.encryption_keys or not database else database.with_suffix(".key")

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raises BadSettings with every problem there is. A blank variable is not set."""
        reading = _Reading(env)
        settings = cls(
            telegram_token=reading.one("TELEGRAM_TOKEN", _token, None),
            telegram_api_url=reading.one(
                "TELEGRAM_API_URL", _http_url, "https://api.telegram.org"
            ),
            mexc_api_url=reading.one("MEXC_API_URL", _http_url, "https://api.mexc.com"),
            authorized_chats=reading.one("AUTHORIZED_CHATS", _chats, ()),
            database_url=reading.one("DATABASE_URL", _database_url, DEFAULT_URL),
            encryption_keys=reading.one("ENCRYPTION_KEYS", _keys, ()),
            default_settings=Settings(
                target=reading.one("TARGET_USDT", _target, Decimal(40)),
                threshold=reading.one("THRESHOLD", _threshold, Threshold(Decimal("0.05"))),
                interval=_interval(reading),
                symbol=reading.one("TRADING_PAIR", _pair, Symbol("MNTLUSDT")),
            ),
            error_backoff=reading.one("ERROR_BACKOFF", _seconds, timedelta(seconds=60)),
            log_level=reading.one("LOG_LEVEL", _level, "INFO"),
            log_file=reading.one("LOG_FILE", Path, None),
        )
        on_postgres = sqlite_file(settings.database_url) is None
        if on_postgres and not reading.is_set("ENCRYPTION_KEYS"):
            reading.refuse("ENCRYPTION_KEYS", "is required with PostgreSQL")
        if reading.is_set("DYNO") and not on_postgres and not settings.is_demo:
            reading.refuse(
                "DATABASE_URL",
                "must be PostgreSQL on this host, which erases its disk at each restart",
            )
        if reading.problems:
            raise BadSettings(reading.problems)
        return settings


class _Unusable(Exception):
    """What is wrong with a value, in words that do not tell a secret."""


class _Reading:
    """Takes variables one by one and collects what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def is_set(self, name: str) -> bool:
        return bool(self._env.get(name, "").strip())

    def one(self, name: str, parse: Callable[[str], T], default: D) -> T | D:
        """*default* also stands in for a value that cannot be used, so that reading goes on."""
        if not self.is_set(name):
            return default
        try:
            return parse(self._env[name].strip())
        except _Unusable as e:
            self.refuse(name, str(e))
            return default

    def refuse(self, name: str, why: str) -> None:
        self.problems.append(f"{name} {why}; for example {_EXAMPLES[name]}")


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise _Unusable("is not a bot token as BotFather gives it: digits, a colon, 35 characters")
    return text


def _http_url(text: str) -> str:
    """Without a slash at its end."""
    not_an_address = "is not an http:// or https:// address"
    try:
        address = urlsplit(text)
        port = address.port
    except ValueError:
        raise _Unusable(not_an_address) from None
    if address.scheme not in {"http", "https"} or not address.hostname or port == 0:
        raise _Unusable(not_an_address)
    if not _PRINTABLE.fullmatch(text) or any(mark in text for mark in "@?#"):
        raise _Unusable("must be a bare address: no user, no ? or #, no spaces")
    return text.rstrip("/")


def _chats(text: str) -> tuple[int, ...]:
    chats: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        if not _CHAT_ID.fullmatch(part):
            raise _Unusable(f"has {_shown(part)}, which is not a chat id")
        if int(part) in chats:
            raise _Unusable(f"has {part} twice")
        chats.append(int(part))
    return tuple(chats)


def _database_url(text: str) -> str:
    try:
        file = sqlite_file(text)
    except (ValueError, ArgumentError):
        raise _Unusable(
            "is not a postgres://, postgresql:// or sqlite:/// address of a database"
        ) from None
    is_folder = text.partition("?")[0].endswith(("/", "/.", "/.."))
    if text.startswith("sqlite") and (file is None or is_folder):
        raise _Unusable("names no file: SQLite addresses have three slashes, sqlite:///data/x.db")
    return text


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(","))
    for position, key in enumerate(keys, start=1):
        if not is_key(key):
            raise _Unusable(f"has {len(keys)} key(s) and number {position} is not a Fernet key")
    return keys


def _target(text: str) -> Decimal:
    target = _number(text)
    if not ZERO < target <= MAX_TARGET or target != round(target, _CENT_DECIMALS):
        raise _Unusable(f"must be from 0.01 to {MAX_TARGET} USDT, in whole cents")
    return target


def _threshold(text: str) -> Threshold:
    is_percent = text.endswith("%")
    number = _number(text.removesuffix("%").rstrip())
    most, decimals = (100, 2) if is_percent else (1, 4)
    if not ZERO < number < most or number != round(number, decimals):
        raise _Unusable("must be from 0.0001 to 0.9999 of the target, or from 0.01% to 99.99%")
    return Threshold(number.scaleb(-2) if is_percent else number)


def _interval(reading: _Reading) -> timedelta:
    """DELTA is what the script before this program called it."""
    interval = reading.one("CHECK_INTERVAL", _seconds, None)
    delta = reading.one("DELTA", _seconds, None)
    if interval and delta and interval != delta:
        reading.refuse("DELTA", "is the old name of CHECK_INTERVAL, and the two differ: keep one")
    return interval or delta or timedelta(seconds=120)


def _seconds(text: str) -> timedelta:
    seconds = _number(text)
    least, most = (int(limit.total_seconds()) for limit in (MIN_INTERVAL, MAX_INTERVAL))
    if not least <= seconds <= most or seconds != int(seconds):
        raise _Unusable(f"must be a whole number of seconds from {least} to {most}")
    return timedelta(seconds=int(seconds))


def _pair(text: str) -> Symbol:
    try:
        return parse_symbol(text)
    except NotUnderstood:
        raise _Unusable(f"is {_shown(text)}, which is not a pair against USDT") from None


def _level(text: str) -> str:
    level = text.upper()
    if level not in _LEVELS:
        raise _Unusable(f"is {_shown(text)}, which is none of {', '.join(_LEVELS)}")
    return level


def _number(text: str) -> Decimal:
    try:
        return decimal_from_text(text)
    except ValueError:
        raise _Unusable(f"is {_shown(text)}, which is not a number") from None


def _shown(text: str) -> str:
    """On one line; a long text may be a secret that went into the wrong variable."""
    return ascii(text) if len(text) <= _SHORT else f"a text of {len(text)} characters"
