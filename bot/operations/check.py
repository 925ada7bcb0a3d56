"""`check`: runs all probes at the same time, with short timeouts."""

import asyncio
from collections.abc import Awaitable, Mapping
from urllib.parse import urlsplit

from bot.config import library_environment
from bot.config.certificates import trusted
from bot.config.settings import ProcessSettings
from bot.operations import probes, stream_probe
from bot.operations.report import ReportLine, broken, fine
from engine.clock import Clock
from engine.diagnosis.findings import Grade
from engine.storage import schema

_PATIENCE_S = 8


async def examine(
    settings: ProcessSettings, env: Mapping[str, str], clock: Clock
) -> list[ReportLine]:
    """Change nothing, and do not disturb a running Ballast. Raises BadSettings."""
    tls = trusted(settings)
    async with asyncio.TaskGroup() as tasks:
        stored = tasks.create_task(_patiently("database", probes.database(settings, clock)))
        telegram = tasks.create_task(_patiently("Telegram", probes.telegram(settings, tls)))
        mexc = tasks.create_task(_patiently("MEXC", probes.mexc(settings, clock, tls)))
        streams = tasks.create_task(
            _patiently("streams", stream_probe.streams(settings, clock, tls))
        )
    return [
        _of_settings(settings),
        _of_proxies(settings, env),
        *stored.result(),
        *telegram.result(),
        *mexc.result(),
        *streams.result(),
        *probes.host(settings, env),
    ]


def has_failed(findings: list[ReportLine]) -> bool:
    return any(finding.grade is Grade.BROKEN for finding in findings)


def _of_settings(settings: ProcessSettings) -> ReportLine:
    kind = "SQLite" if schema.sqlite_file(settings.database_url) else "PostgreSQL"
    count = len(settings.encryption_keys)
    keys = f"key file {settings.key_file}" if settings.key_file else f"ENCRYPTION_KEYS: {count}"
    chats = len(settings.authorized_chats)
    who = f"AUTHORIZED_CHATS: {chats}" if chats else "no AUTHORIZED_CHATS: a code pairs the owner"
    return fine("settings", f"{kind}; {keys}; {who}")


def _of_proxies(settings: ProcessSettings, env: Mapping[str, str]) -> ReportLine:
    ways = ", ".join(
        f"{name} through {variable} ({_where(proxy)})" if proxy else f"{name} directly"
        for name, variable, proxy in (
            ("Telegram", "TELEGRAM_PROXY", settings.telegram_proxy),
            ("MEXC", "MEXC_PROXY", settings.mexc_proxy),
        )
    )
    unused = ", ".join(library_environment.proxies(env))
    return fine("proxies", f"{ways}; ignored: {unused}" if unused else ways)


def _where(proxy: str) -> str:
    """Return the address without user name and password."""
    return urlsplit(proxy).netloc.rpartition("@")[2]


async def _patiently(
    about: str, probe: Awaitable[ReportLine] | Awaitable[list[ReportLine]]
) -> list[ReportLine]:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            found = await probe
    except TimeoutError:
        remedy = "Try again. If it lasts, look at it and at the network between."
        return [broken(about, f"did not answer within {_PATIENCE_S} s", remedy)]
    return found if isinstance(found, list) else [found]
