"""Reading environment variables one by one, and collecting what is wrong with them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from engine.dotenv import unquoted

MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)

_EXAMPLES = {
    "TELEGRAM_TOKEN": "TELEGRAM_TOKEN=123456789:AAExampleExampleExampleExampleExample",
    "TELEGRAM_API_URL": "TELEGRAM_API_URL=https://api.telegram.org",
    "TELEGRAM_PROXY": "TELEGRAM_PROXY=http://user:password@proxy.example.com:8080",
    "MEXC_API_URL": "MEXC_API_URL=https://api.mexc.com",
    "MEXC_PROXY": "MEXC_PROXY=http://user:password@proxy.example.com:8080",
    "MEXC_WEIGHT": "MEXC_WEIGHT=300",
    "MEXC_ORDERS_PER_SECOND": "MEXC_ORDERS_PER_SECOND=12",
    "MEXC_READS_PER_SECOND": "MEXC_READS_PER_SECOND=2",
    "AUTHORIZED_CHATS": "AUTHORIZED_CHATS=123456789,-1001234567890",
    "DATABASE_URL": "DATABASE_URL=postgres://user:password@host/name",
    "ENCRYPTION_KEYS": f"a key made by: {MAKE_A_KEY}",
    "TARGET_USDT": "TARGET_USDT=40",
    "TRADING_PAIR": "TRADING_PAIR=MNTLUSDT",
    "THRESHOLD": "THRESHOLD=0.05 or THRESHOLD=5%",
    "CHECK_INTERVAL": "CHECK_INTERVAL=120",
    "DELTA": "DELTA=120",
    "ERROR_BACKOFF": "ERROR_BACKOFF=60",
    "WEBHOOK_URL": "WEBHOOK_URL=https://ballast.example.com",
    "PORT": "PORT=8080",
    "LISTEN_ADDRESS": "LISTEN_ADDRESS=127.0.0.1",
    "LOG_LEVEL": "LOG_LEVEL=INFO",
    "KEEP_DAYS": "KEEP_DAYS=30",
    "LOG_FORMAT": "LOG_FORMAT=json",
    "METRICS_TOKEN": "a long random word, made by: openssl rand -hex 24",
    "SENTRY_DSN": "SENTRY_DSN=https://key@o1.ingest.sentry.io/2",
    "SSL_CERT_FILE": "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
    "SSL_CERT_DIR": "SSL_CERT_DIR=/etc/ssl/certs",
    "LOG_FILE": "LOG_FILE=ballast.log",
    "HEARTBEAT_URL": "HEARTBEAT_URL=https://hc-ping.com/your-check",
}

T = TypeVar("T")
D = TypeVar("D")


class InvalidValue(Exception):
    """What is wrong with a value, in words that do not tell a secret."""


class EnvReader:
    """Takes variables one by one and collects what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def is_set(self, name: str) -> bool:
        return bool(self._text(name))

    def one(self, name: str, parse: Callable[[str], T], default: D) -> T | D:
        """*default* also stands in for a value that cannot be used, so that reading goes on."""
        if not self.is_set(name):
            return default
        try:
            self._text(name).encode()  # what no person can have written breaks what it is given to
            return parse(self._text(name))
        except UnicodeEncodeError:
            self.refuse(name, "has characters that this machine cannot read: set LC_ALL=C.UTF-8")
            return default
        except InvalidValue as e:
            self.refuse(name, str(e))
            return default

    def _text(self, name: str) -> str:
        return unquoted(self._env.get(name, ""))

    def refuse(self, name: str, why: str) -> None:
        self.problems.append(f"{name} {why}; for example {_EXAMPLES[name]}")
