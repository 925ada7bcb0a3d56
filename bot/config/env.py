"""The environment's variables: what each may be, what it is where it is not set, an example of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.exc import ArgumentError

from bot.parsing.settings import NotUnderstood, parse_symbol
from engine.domain.accounts.settings import MAX_INTERVAL, MAX_TARGET, MIN_INTERVAL
from engine.domain.market.decimals import ZERO, decimal_from_text
from engine.domain.market.pairs import Symbol
from engine.domain.targets.bands import Threshold
from engine.dotenv import unquoted
from engine.exchanges.rate_limiter import RateLimits
from engine.security.vault import is_key
from engine.storage.postgres import BadAddress
from engine.storage.schema import DEFAULT_URL, sqlite_file

TELEGRAM = "https://api.telegram.org"
MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)
_NOT_HTTP = "is not an http:// or https:// address"
_NOT_WS = "is not a ws:// or wss:// address"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_FORMATS = ("text", "json")
_SWITCH = ("on", "off")
_CENT_DECIMALS = 2
_SHORT = 16
_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]{3,}", re.ASCII)
_CHAT_ID = re.compile(r"-?[1-9][0-9]{0,15}", re.ASCII)
# Ids that Telegram fills in where no user is the author.
_SHARED_IDS = {
    136817688: "every channel speaks",
    1087968824: "every anonymous administrator speaks",
    777000: "Telegram itself speaks",
}
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_LAST_PORT = 65535
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*", re.ASCII)
_PROJECT = re.compile(r"/(?:.+/)?[0-9]+", re.ASCII)


class InvalidValue(Exception):
    """What is wrong with a value, without the value where it may be a secret."""


@dataclass(frozen=True, slots=True)
class Variable:
    """*parse* raises InvalidValue. Without an *example* the default is one; *instruction* says how
    to make a value of which no example may be copied.
    """

    parse: Callable[[str], Any]
    default: Any = None
    example: str = ""
    instruction: str = ""


class EnvReader:
    """Takes variables one by one and collects what is wrong with them. A blank one is not set."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def is_set(self, name: str) -> bool:
        return bool(self._text(name))

    def value(self, name: str) -> Any:
        """Returns the default for a value that cannot be used, so that all problems are found."""
        variable, text = VARIABLES[name], self._text(name)
        if not text:
            return variable.default
        try:
            text.encode()  # a lone surrogate would fail wherever it is used
            return variable.parse(text)
        except UnicodeEncodeError:
            self.refuse(name, "has characters that this machine cannot read: set LC_ALL=C.UTF-8")
        except InvalidValue as e:
            self.refuse(name, str(e))
        return variable.default

    def refuse(self, name: str, why: str) -> None:
        variable = VARIABLES[name]
        example = variable.instruction or f"{name}={variable.example or variable.default}"
        self.problems.append(f"{name} {why}; for example {example}")

    def _text(self, name: str) -> str:
        return unquoted(self._env.get(name, ""))


def token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise InvalidValue(
            "is not a bot token as BotFather gives it: digits, a colon, 35 characters"
        )
    return text


def http_url(text: str) -> str:
    """Without a slash at its end."""
    _http_address(text)
    if not _PRINTABLE.fullmatch(text) or any(mark in text for mark in "@?#"):
        raise InvalidValue("must be a bare address: no user, no ? or #, no spaces")
    return text.rstrip("/")


def stream_url(text: str) -> str:
    address = _split(text, _NOT_WS)
    is_bare = _PRINTABLE.fullmatch(text) and not any(mark in text for mark in "@?#")
    if address.scheme not in {"ws", "wss"} or not address.hostname or address.port == 0:
        raise InvalidValue(_NOT_WS)
    if not is_bare:
        raise InvalidValue("must be a bare address: no user, no ? or #, no spaces")
    return text.rstrip("/")


def proxy(text: str) -> str:
    """Never quoted: it mostly holds a password."""
    address = _split(text, "is not the http:// address of a proxy")
    if address.scheme.startswith("socks"):
        raise InvalidValue(
            "is a SOCKS proxy, which cannot be used; such programs mostly have an "
            "http:// port as well"
        )
    is_bare = address.path in {"", "/"} and not address.query and not address.fragment
    if address.scheme != "http" or not address.hostname or not address.port or not is_bare:
        raise InvalidValue(
            "is not the http:// address of a proxy, with its port and nothing behind"
        )
    if not _PRINTABLE.fullmatch(text):
        raise InvalidValue("has characters that a proxy's address cannot have; write them as %XX")
    return text.rstrip("/")


def chats(text: str) -> tuple[int, ...]:
    chats: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        if not _CHAT_ID.fullmatch(part):
            raise InvalidValue(
                f"has {_shown(part)}, which is not a chat id: those are "
                "numbers, with commas between them"
            )
        if int(part) in chats:
            raise InvalidValue(f"has {part} twice")
        if (speaker := _SHARED_IDS.get(int(part))) is not None:
            raise InvalidValue(f"has {part}, under which {speaker}: it is no one person's id")
        chats.append(int(part))
    if chats[0] < 0:
        raise InvalidValue("begins with a group; the first id must be a person's: the owner's")
    return tuple(chats)


def database_url(text: str) -> str:
    try:
        file = sqlite_file(text)
    except BadAddress as e:
        raise InvalidValue(str(e)) from None
    except (ValueError, ArgumentError):
        raise InvalidValue(
            "is not a postgres://, postgresql:// or sqlite:/// address of a database"
        ) from None
    is_folder = text.partition("?")[0].endswith(("/", "/.", "/.."))
    if text.startswith("sqlite") and (file is None or is_folder):
        raise InvalidValue(
            "names no file: SQLite addresses have three slashes, sqlite:///data/x.db"
        )
    return text


def keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(","))
    for position, key in enumerate(keys, start=1):
        if not is_key(key):
            raise InvalidValue(f"has {len(keys)} key(s) and number {position} is not a Fernet key")
    return keys


def target(text: str) -> Decimal:
    target = _number(text)
    if not ZERO < target <= MAX_TARGET or target != round(target, _CENT_DECIMALS):
        raise InvalidValue(f"must be from 0.01 to {MAX_TARGET} USDT, in whole cents")
    return target


def threshold(text: str) -> Threshold:
    is_percent = text.endswith("%")
    number = _number(text.removesuffix("%").rstrip())
    most, decimals = (100, 2) if is_percent else (1, 4)
    if not ZERO < number < most or number != round(number, decimals):
        raise InvalidValue("must be from 0.0001 to 0.9999 of the target, or from 0.01% to 99.99%")
    return Threshold(relative=number.scaleb(-2) if is_percent else number)


def seconds(text: str) -> timedelta:
    least, most = (int(limit.total_seconds()) for limit in (MIN_INTERVAL, MAX_INTERVAL))
    return timedelta(seconds=count(text, of=" of seconds", least=least, most=most))


def port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 0 < int(text) <= _LAST_PORT:
        raise InvalidValue(f"must be a whole number from 1 to {_LAST_PORT}")
    return int(text)


def address(text: str) -> str:
    try:
        return str(ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise InvalidValue(
            "is not an address of this machine: 127.0.0.1, ::1, 0.0.0.0 or :: for example"
        ) from None


def pair(text: str) -> Symbol:
    try:
        return parse_symbol(text)
    except NotUnderstood:
        raise InvalidValue(f"is {_shown(text)}, which is not a pair against USDT") from None


def days_kept(text: str) -> timedelta:
    """Seven days at least: `/doctor` counts the failures of the last seven."""
    return timedelta(days=count(text, of=" of days", least=7, most=3650))


def bearer(text: str) -> str:
    """Not quoted in any complaint, as it is a secret; so are the addresses below."""
    if not _BEARER.fullmatch(text):
        raise InvalidValue("must be 16 or more letters, digits and . _ ~ + / -")
    return text


def dsn(text: str) -> str:
    address = _secret_address(text)
    if not address.username or not _PROJECT.fullmatch(address.path):
        raise InvalidValue("is not a DSN as Sentry shows it: https://, a key, @, a host, a number")
    return text


def ping_url(text: str) -> str:
    _secret_address(text)
    return text


def _secret_address(text: str) -> SplitResult:
    address = _http_address(text)
    if not _PRINTABLE.fullmatch(text):
        raise InvalidValue(_NOT_HTTP)
    return address


def _http_address(text: str) -> SplitResult:
    address = _split(text, _NOT_HTTP)
    if address.scheme not in {"http", "https"} or not address.hostname or address.port == 0:
        raise InvalidValue(_NOT_HTTP)
    return address


def _split(text: str, complaint: str) -> SplitResult:
    """The address's port can be read without an error, and its host be looked up."""
    try:
        address = urlsplit(text)
        _ = address.port, (address.hostname or "").encode("idna")
    except ValueError:
        raise InvalidValue(complaint) from None
    return address


def count(text: str, *, of: str = "", least: int, most: int) -> int:
    number = _number(text)
    if not least <= number <= most or number != int(number):
        raise InvalidValue(f"must be a whole number{of} from {least} to {most}")
    return int(number)


def on_or_off(text: str) -> bool:
    return one_of(text, words=_SWITCH) == "on"


def one_of(text: str, *, words: Sequence[str]) -> str:
    for word in words:
        if text.lower() == word.lower():
            return word
    raise InvalidValue(f"is {_shown(text)}, which is none of {', '.join(words)}")


def _number(text: str) -> Decimal:
    try:
        return decimal_from_text(text)
    except ValueError:
        raise InvalidValue(f"is {_shown(text)}, which is not a number") from None


def _shown(text: str) -> str:
    """On one line; a long text may be a secret that went into the wrong variable."""
    return ascii(text) if len(text) <= _SHORT else f"a text of {len(text)} characters"


# The heaviest question weighs 25, and something is kept free for orders.
_WEIGHT = partial(count, least=50, most=1_000_000)
_RATE = partial(count, least=1, most=1_000_000)
_STREAMS = partial(count, least=1, most=50_000)

VARIABLES: Mapping[str, Variable] = {
    "TELEGRAM_TOKEN": Variable(token, None, "123456789:AAExampleExampleExampleExampleExample"),
    "TELEGRAM_API_URL": Variable(http_url, TELEGRAM),
    "TELEGRAM_PROXY": Variable(proxy, None, "http://user:password@proxy.example.com:8080"),
    "MEXC_API_URL": Variable(http_url, "https://api.mexc.com"),
    "MEXC_PROXY": Variable(proxy, None, "http://user:password@proxy.example.com:8080"),
    "MEXC_WEIGHT": Variable(_WEIGHT, RateLimits().weight),
    "MEXC_ORDERS_PER_SECOND": Variable(_RATE, RateLimits().orders),
    "MEXC_READS_PER_SECOND": Variable(_RATE, RateLimits().account_reads),
    "MEXC_STREAM_URL": Variable(stream_url, "wss://wbs-api.mexc.com/ws"),
    "MEXC_STREAMS_PER_ADDRESS": Variable(_STREAMS, 1000),
    "STREAMS": Variable(on_or_off, True, "off"),
    "AUTHORIZED_CHATS": Variable(chats, (), "123456789,-1001234567890"),
    "DATABASE_URL": Variable(database_url, DEFAULT_URL, "postgres://user:password@host/name"),
    "ENCRYPTION_KEYS": Variable(keys, (), instruction=f"a key made by: {MAKE_A_KEY}"),
    "TARGET_USDT": Variable(target, Decimal(40)),
    "THRESHOLD": Variable(threshold, Threshold(relative=Decimal("0.05")), "0.05 or THRESHOLD=5%"),
    "CHECK_INTERVAL": Variable(seconds, None, "120"),
    "DELTA": Variable(seconds, None, "120"),
    "TRADING_PAIR": Variable(pair, Symbol("MNTLUSDT")),
    "ERROR_BACKOFF": Variable(seconds, timedelta(seconds=60), "60"),
    "WEBHOOK_URL": Variable(http_url, None, "https://ballast.example.com"),
    "PORT": Variable(port, None, "8080"),
    "LISTEN_ADDRESS": Variable(address, None, "127.0.0.1"),
    "LOG_LEVEL": Variable(partial(one_of, words=_LEVELS), "INFO"),
    "LOG_FILE": Variable(Path, None, "ballast.log"),
    "KEEP_DAYS": Variable(days_kept, timedelta(days=30), "30"),
    "LOG_FORMAT": Variable(partial(one_of, words=_FORMATS), "text", "json"),
    "METRICS_TOKEN": Variable(
        bearer, instruction="a long random word, made by: openssl rand -hex 24"
    ),
    "SENTRY_DSN": Variable(dsn, None, "https://key@o1.ingest.sentry.io/2"),
    "HEARTBEAT_URL": Variable(ping_url, None, "https://hc-ping.com/your-check"),
    "SSL_CERT_FILE": Variable(str, None, "/etc/ssl/certs/ca-certificates.crt"),
    "SSL_CERT_DIR": Variable(str, None, "/etc/ssl/certs"),
}
