"""`python -m bot`: read the environment, run until a signal, say how it ended.

Exit codes: 0 stopped as asked, 1 broke (the log says how), 2 a bad setting, 3 cannot start
(the database is in use or has another schema, Telegram does not know the token).
"""

import argparse
import asyncio
import logging
import os
import signal
import sys

from bot.demo import run_demo
from bot.live import run_live
from bot.logs import configure
from bot.settings import BadSettings, ProcessSettings
from bot.updates import TokenRefused
from bot.version import VERSION
from bot.wiring import CannotStart

EXIT_BROKE, EXIT_BAD_SETTING, EXIT_CANNOT_START = 1, 2, 3

logger = logging.getLogger("bot")


def main() -> int:
    _parser().parse_args()
    os.environ["PTB_TIMEDELTA"] = "true"  # durations instead of numbers, as later versions do
    try:
        settings = ProcessSettings.from_env(os.environ)
    except BadSettings as e:
        return _refuse(e.problems, EXIT_BAD_SETTING)
    secrets = [*settings.encryption_keys, settings.telegram_token or ""]
    # The demo's screen belongs to the conversation.
    level = "WARNING" if settings.is_demo else settings.log_level
    configure(level, settings.log_file, secrets)
    try:
        return asyncio.run(_run(settings))
    except BaseExceptionGroup as group:
        if group.subgroup(TokenRefused) is not None:
            return _refuse(["Telegram does not know this TELEGRAM_TOKEN"], EXIT_CANNOT_START)
        logger.critical("broke", exc_info=group)
    except BadSettings as e:
        return _refuse(e.problems, EXIT_BAD_SETTING)
    except CannotStart as e:
        return _refuse([str(e)], EXIT_CANNOT_START)
    except Exception:
        # The last net: whatever it is, the host restarts us and we recover.
        logger.critical("broke", exc_info=True)
    return EXIT_BROKE


async def _run(settings: ProcessSettings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)  # a second signal changes nothing
    if settings.is_demo:
        return await run_demo(settings, stop=stop)
    await run_live(settings, stop=stop)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="A Telegram bot that keeps a MEXC account's USDT balance on target.",
        epilog="Settings come from the environment; README.md lists them. Without "
        "TELEGRAM_TOKEN this is the demo: paper money in your terminal.",
    )
    parser.add_argument("--version", action="version", version=f"Ballast {VERSION}")
    return parser


def _refuse(problems: list[str], code: int) -> int:
    for problem in problems:
        sys.stderr.write(f"ballast: {problem}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
