"""`python -m bot`, installed as `ballast`: read the environment and `./.env`, run until a signal.

Exit codes: 0 stopped as asked, 1 broke (the log says how), 2 a bad setting, 3 cannot start
(the database is in use or has another schema, Telegram does not know the token), 4 stalled
(Telegram answered no poll for so long that only a new process may help).

The operator's commands (bot/operations/cli.py) end with 0 done, 1 not done or `check` found
something broken, 2 a bad setting, 3 the database cannot be used or is in use, 5 an order that
`replay` cannot plan again.
"""

import argparse
import asyncio
import gc
import io
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from bot.config import library_environment
from bot.config.process_type import ProcessType
from bot.config.settings import BadSettings, ProcessSettings
from bot.demo.run import run_demo
from bot.observability.error_reporting import report_errors
from bot.observability.event_loop import watched_loop
from bot.observability.logs import configure
from bot.operations import cli
from bot.runtime.live import run_live
from bot.runtime.startup import CannotStart
from bot.updates.poll_watchdog import PollsStalled
from bot.updates.polling import TokenRefused
from bot.version import VERSION
from engine import dotenv
from engine.dotenv import UnreadableFile

EXIT_BROKE, EXIT_BAD_SETTING, EXIT_CANNOT_START, EXIT_STALLED = 1, 2, 3, 4

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_ROLES = {
    ProcessType.WORKER: "the bot; asks Telegram for updates, unless WEBHOOK_URL is set (the default)",
    ProcessType.WEB: "the bot; Telegram brings the updates to WEBHOOK_URL, at $PORT",
    ProcessType.ENGINE: "checks, trades and sends alerts, for more machines; takes no updates",
}

logger = logging.getLogger("bot")


def main() -> int:
    _mend_streams()
    arguments = _parser().parse_args()
    os.environ["PTB_TIMEDELTA"] = "true"  # durations instead of numbers, as later versions do
    try:
        return _start(arguments)
    except BaseExceptionGroup as group:
        if group.subgroup(TokenRefused) is not None:
            return _refuse(["Telegram does not know this TELEGRAM_TOKEN"], EXIT_CANNOT_START)
        logger.critical("process failed", exc_info=group)
    except (BadSettings, UnreadableFile) as e:
        return _refuse(e.problems, EXIT_BAD_SETTING)
    except CannotStart as e:
        return _refuse([str(e)], EXIT_CANNOT_START)
    except PollsStalled as e:
        return _refuse([f"{e}; start me again"], EXIT_STALLED)
    except Exception:
        # Last handler for any exception: the host restarts the process, and it recovers from the
        # database.
        logger.critical("process failed", exc_info=True)
    finally:
        _ignore_signals()
    return EXIT_BROKE


def _start(arguments: argparse.Namespace) -> int:
    """Raises what ended the program, unless it stopped as asked."""
    try:
        Path.cwd()
    except OSError as e:
        raise BadSettings([f"the folder it was started in is gone: {e.strerror}"]) from e
    dotenv.load(Path(".env"), os.environ)
    env = dict(os.environ)
    library_environment.leave_out(os.environ)
    library_environment.raise_file_limit()
    library_environment.shrink_tls_buffers()
    os.umask(0o077)  # files are readable by their owner only
    if cli.is_ours(arguments):
        return cli.run(arguments, env)
    return asyncio.run(_run(_read_settings(env), arguments.role))


def _read_settings(env: Mapping[str, str]) -> ProcessSettings:
    """Read the settings and set up logging by them. Raises BadSettings."""
    settings = ProcessSettings.from_env(env)
    # The demo's screen shows the conversation: a slow machine is none of its business.
    level = "ERROR" if settings.is_demo else settings.log_level
    try:
        as_json = settings.log_format == "json" and not settings.is_demo
        configure(level, settings.log_file, settings.secrets, as_json=as_json)
    except OSError as e:
        why = e.strerror
        raise BadSettings([f"LOG_FILE {settings.log_file} cannot be written: {why}"]) from e
    if settings.sentry_dsn is not None and not settings.is_demo:
        report_errors(settings.sentry_dsn, settings.secrets)
    return settings


async def _run(settings: ProcessSettings, role: ProcessType | None) -> int:
    """Run a worker, or the demo where no token is set, unless *role* says otherwise."""
    stop = asyncio.Event()
    _set_on_signal(stop)
    # Exclude imported modules from garbage collection: a full collection then takes no 70 ms.
    gc.freeze()
    with watched_loop() as turning:
        if settings.is_demo and role is None:
            return await run_demo(settings, stop=stop)
        await run_live(settings, role=role or ProcessType.WORKER, stop=stop, turning=turning)
    return 0


def _set_on_signal(event: asyncio.Event) -> None:
    """Set *event* on SIGTERM and SIGINT; a second signal changes nothing.
    The loop's own handlers are removed when it is closed, before the process exits.
    """
    loop = asyncio.get_running_loop()

    def on_signal(*_: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(event.set)

    for number in _SIGNALS:
        signal.signal(number, on_signal)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _mend_streams() -> None:
    """Keep characters that the terminal cannot encode, and a closed output, from raising."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the parent process
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for good
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot" if Path(sys.argv[0]).name == "__main__.py" else "ballast",
        description="A Telegram bot that keeps a MEXC account's USDT balance on target.",
        epilog="Settings come from the environment and from ./.env; docs/settings.md lists them. Without "
        "TELEGRAM_TOKEN this is the demo: paper money in your terminal.",
    )
    parser.add_argument("--version", action="version", version=f"Ballast {VERSION}")
    parser.set_defaults(role=None)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for role, does in _ROLES.items():
        subparsers.add_parser(role.value, help=does, description=does).set_defaults(role=role)
    cli.register(subparsers)
    return parser


def _refuse(problems: list[str], code: int) -> int:
    for problem in problems:
        sys.stderr.write(f"ballast: {problem}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
