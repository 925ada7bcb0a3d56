"""The probes of `check`: database, keys, Telegram, MEXC, host. Nothing is changed.
No text here holds a token, a key, a password or a whole address.
"""

import os
import shutil
import ssl
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.config.settings import BadSettings, ProcessSettings
from bot.operations.database_access import vault_of
from bot.operations.report import ReportLine, broken, fine, look
from engine.clock import Clock
from engine.diagnosis.findings import HealthFinding, clock_finding
from engine.errors import BadData
from engine.exchanges.mexc import parsing
from engine.exchanges.mexc.aiohttp_transport import open_transport
from engine.exchanges.mexc.answer_origin import complaint_of, contents_of, refuses_host
from engine.exchanges.mexc.json_fields import parsed
from engine.exchanges.mexc.signing import PUBLIC_HEADERS
from engine.exchanges.mexc.transport import NeverLeft, NoAnswer
from engine.maintenance.key_rotation import Keyring, look_over
from engine.security.vault import Vault
from engine.storage import postgres_rights, schema
from engine.storage.coordination import key_values, processes
from engine.storage.database import Database

_SLOW = timedelta(seconds=1)
_CLOCK_PRECISION = timedelta(seconds=0.1)
_MOVE = (
    "Often the country or the address of this host is the cause. "
    "Move it to another region, or set MEXC_PROXY."
)
_MOST_NAMED = 10
_LITTLE_SPACE, _NO_SPACE = 200_000_000, 20_000_000
# Environment variables of hosts whose disks do not outlive the process.
_ERASING_HOSTS = {
    "DYNO": "Heroku",
    "RAILWAY_ENVIRONMENT_NAME": "Railway",
    "RENDER": "Render",
    "FLY_APP_NAME": "Fly",
}


async def database(settings: ProcessSettings, clock: Clock) -> list[ReportLine]:
    """Probe the database, and whether our keys decrypt its content."""
    file = schema.sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        says = f"there is no {file} yet; the first start makes it"
        return [look("database", says, "A new installation needs nothing more.")]
    try:
        async with Database.open(settings.database_url, clock=clock) as opened:
            return await _of_open(opened, settings, clock)
    except DBAPIError as e:
        remedy = "Look at the database at your host, and at DATABASE_URL."
        return [broken("database", postgres_rights.refusal(e, settings.database_url), remedy)]


async def _of_open(
    database: Database, settings: ProcessSettings, clock: Clock
) -> list[ReportLine]:
    file = schema.sqlite_file(settings.database_url)
    async with database.engine.connect() as connection:
        found = await connection.run_sync(schema.revision)
    if found != schema.newest():
        return [_other_schema(found, is_sqlite=file is not None)]
    if file is not None and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        remedy = f"Let the user Ballast runs as write {file} and its folder."
        return [broken("database", f"{file} cannot be written", remedy)]
    async with database.engine.connect() as connection:
        began = clock.now()
        # Tests the right to write; the transaction is rolled back.
        await connection.execute(text("UPDATE notes SET value = value WHERE name = ''"))
        await connection.rollback()
        took = clock.now() - began
    async with database.reading() as session:
        is_running = await processes.count(session, now=database.now()) > 0
    where = str(file) if file is not None else "PostgreSQL"
    state = "a Ballast is running on it" if is_running else "no Ballast is running on it"
    says = f"{where}, schema {found}, answers in {_ms(took)} ms; {state}"
    if took > _SLOW:
        first = look("database", says, "It is slow: look at its load and its distance.")
    else:
        first = fine("database", says)
    return [first, await _keys(database, settings)]


def _other_schema(found: str, *, is_sqlite: bool) -> ReportLine:
    says = f"has schema {found or 'none'}; this version needs {schema.newest()}"
    if is_sqlite:
        remedy = (
            "The next start brings an older one up to date. A newer one needs a newer Ballast."
        )
        return look("database", says, remedy)
    return broken("database", says, f"Run: {schema.HOW_TO_MIGRATE}")


async def _keys(database: Database, settings: ProcessSettings) -> ReportLine:
    try:
        vault = vault_of(settings)
    except BadSettings as e:
        return broken("keys", e.problems[0], "Restore the key file from your copy.")
    async with database.reading() as session:
        canary = await key_values.get(session, key_values.VAULT_CANARY)
        keyring = await look_over(session, vault)
    return _of_keys(vault, canary, keyring)


def _of_keys(vault: Vault, canary: str | None, keyring: Keyring) -> ReportLine:
    opened = keyring.keys - len(keyring.unreadable)
    says = f"MEXC keys that can be read: {opened} of {keyring.keys}"
    if not keyring.keys:
        says = "no MEXC key is stored yet"
    if canary is not None and not vault.knows(canary):
        says = "ENCRYPTION_KEYS are not the keys this database was written with"
        return broken("keys", says, "Put the key back that was used before, behind the new one.")
    if keyring.unreadable:
        some = ", ".join(str(account_id) for account_id in keyring.unreadable[:_MOST_NAMED])
        more = ", ..." if len(keyring.unreadable) > _MOST_NAMED else ""
        return broken("keys", says, f"Send /connect again in the chats of accounts: {some}{more}")
    if keyring.older or (canary is not None and vault.under_first_key(canary)):
        says = f"{says}; with an older key: {keyring.older}"
        remedy = "Run: python -m bot rotate-keys. Remove no key before that."
        return look("keys", says, remedy)
    return fine("keys", says)


async def telegram(settings: ProcessSettings, tls: ssl.SSLContext) -> ReportLine:
    """Probe Telegram through the program's own client and proxy."""
    if settings.telegram_token is None:
        says = "TELEGRAM_TOKEN is not set: python -m bot would be the demo"
        return broken("Telegram", says, "Set the token that @BotFather gave you.")
    address = f"{settings.telegram_api_url}/bot{settings.telegram_token}"
    try:
        async with httpx.AsyncClient(
            verify=tls, proxy=settings.telegram_proxy, trust_env=False
        ) as http:
            me = await http.get(f"{address}/getMe")
            if me.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
                remedy = "Copy it again from @BotFather (/mybots, API Token)."
                return broken("Telegram", "does not know this TELEGRAM_TOKEN", remedy)
            hook = await http.get(f"{address}/getWebhookInfo")
        name = _result(me)["username"]
        return _of_webhook(f"@{name}", _result(hook), settings.webhook_url or "")
    except httpx.HTTPStatusError as e:
        says = f"answers HTTP {e.response.status_code}"
        return broken("Telegram", says, "Run this again in some minutes.")
    except httpx.HTTPError as e:
        remedy = "Look whether this host reaches api.telegram.org."
        if settings.telegram_proxy:
            remedy = "Look at the proxy in TELEGRAM_PROXY."
        return broken("Telegram", _unreached(e), remedy)
    except (ValueError, LookupError, TypeError):
        remedy = "Look whether TELEGRAM_API_URL or a proxy leads to another server."
        return broken("Telegram", "something else answered in its place", remedy)


def _unreached(error: httpx.HTTPError) -> str:
    match error:
        case httpx.TimeoutException():
            return "did not answer in time"
        case httpx.ProxyError():
            return "cannot be reached through the proxy"
        case httpx.ConnectError():
            return "cannot be reached: no connection"
        case _:
            return "cannot be reached: the connection was lost"


def _of_webhook(name: str, hook: Mapping[str, Any], wanted: str) -> ReportLine:
    there = str(hook.get("url") or "")
    waiting = int(hook.get("pending_update_count") or 0)
    state = f"{name}, updates waiting: {waiting}"
    if hook.get("last_error_message") and there:
        says = f"{state}; its last delivery to the webhook failed"
        return look("Telegram", says, "Look whether the web process is up at WEBHOOK_URL.")
    if wanted and not there.startswith(wanted.rstrip("/")):
        says = f"{state}; its webhook is not at WEBHOOK_URL"
        return look("Telegram", says, "The web process sets it when it starts.")
    if there and not wanted:
        says = f"{state}; a webhook is set at {urlsplit(there).hostname}, so polls get nothing"
        return look("Telegram", says, "A worker removes it when it starts. Or set WEBHOOK_URL.")
    return fine("Telegram", f"{state}, {'webhook' if wanted else 'polling'}")


def _result(response: httpx.Response) -> Any:
    return response.raise_for_status().json()["result"]


async def mexc(settings: ProcessSettings, clock: Clock, tls: ssl.SSLContext) -> ReportLine:
    """Probe MEXC through the program's own client and proxy."""
    proxy = settings.mexc_proxy
    where = "through MEXC_PROXY" if proxy else "from this host"
    try:
        async with open_transport(proxy=proxy, tls=tls) as transport:
            url = f"{settings.mexc_api_url}/api/v3"
            await transport.send("GET", f"{url}/ping", headers=PUBLIC_HEADERS)  # to connect
            sent = clock.now()
            answer = await transport.send("GET", f"{url}/time", headers=PUBLIC_HEADERS)
            took = clock.now() - sent
        if refuses_host(answer, complaint_of(contents_of(answer))):
            says = f"something in front of MEXC refuses this server: HTTP {answer.status}, {where}"
            return broken("MEXC", says, _MOVE)
        if not answer.ok:
            says = f"MEXC answers HTTP {answer.status}, asked {where}"
            return broken("MEXC", says, "Run this again in some minutes.")
        ahead = parsing.server_time(parsed(answer.body)) - (sent + took / 2)
    except (NeverLeft, NoAnswer) as e:
        says = (
            f"MEXC cannot be reached {where}: no connection"
            if isinstance(e, NeverLeft)
            else f"MEXC was asked {where} and did not answer"
        )
        remedy = "Look at the proxy and its address." if proxy else "Look at this host's network."
        return broken("MEXC", says, remedy)
    except BadData:
        says = f"something else answered in MEXC's place, asked {where}"
        return broken("MEXC", says, "Look at the network, the proxy and MEXC_API_URL.")
    says = f"MEXC answers {where} in {_ms(took)} ms; {_clocks(ahead)}"
    if clock_finding(ahead) is HealthFinding.CLOCK_FINE:
        return fine("MEXC", says)
    return look("MEXC", says, "Orders follow MEXC's clock. Set this host's clock right.")


def _clocks(ahead: timedelta) -> str:
    """*ahead* is how far MEXC's clock is ahead of ours."""
    if abs(ahead) < _CLOCK_PRECISION:
        return "its clock and ours agree"
    seconds = f"{abs(ahead).total_seconds():.1f} s"
    return f"its clock is {seconds} {'ahead of' if ahead > timedelta() else 'behind'} ours"


def host(settings: ProcessSettings, env: Mapping[str, str]) -> list[ReportLine]:
    """Probe for known problems of hosts."""
    found = []
    file = schema.sqlite_file(settings.database_url)
    if file is not None:
        if mark := next((mark for mark in _ERASING_HOSTS if env.get(mark)), None):
            says = f"{_ERASING_HOSTS[mark]} may erase {file} at each restart"
            remedy = "Use PostgreSQL (DATABASE_URL), or a volume that is kept."
            finding = broken if mark == "DYNO" else look
            found.append(finding("host", says, remedy))
        folder = next(folder for folder in file.absolute().parents if folder.exists())
        free = shutil.disk_usage(folder).free
        if free < _LITTLE_SPACE:
            says = f"free space where {file} is: {free // 1_000_000} MB"
            finding = broken if free < _NO_SPACE else look
            found.append(finding("host", says, "Make room. With a full disk nothing trades."))
    try:
        ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        says = "no time zones are installed: all times are in UTC"
        found.append(look("host", says, "Install the system's package tzdata."))
    return found or [fine("host", "no known problem of this host")]


def _ms(took: timedelta) -> int:
    return took // timedelta(milliseconds=1)
