"""The operator's commands: `check`, `migrate`, `rotate-keys`, `backup`, `restore`, `prune`, `replay`.

Exit codes: 0 done, 1 not done or something is broken, 2 a bad setting, 3 the database cannot be
used or is in use, 5 an order that cannot be replayed.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from sqlalchemy.exc import DBAPIError

from bot.config.settings import ProcessSettings
from bot.observability.logs import configure
from bot.operations import backup
from bot.operations.backup import STANDARD_STREAM, NotDone
from bot.operations.check import examine, has_failed
from bot.operations.database_access import at_work, reason
from bot.operations.key_rotation import rotate_keys
from bot.operations.migrate import upgrade
from bot.operations.replay import replay_order
from bot.operations.report import written
from engine.clock import Clock, SystemClock
from engine.maintenance.pruning import Pruning

EXIT_DONE, EXIT_NOT_DONE = 0, 1

_CHECK = """
    Look at everything a start needs: settings, database, keys, Telegram, MEXC, the
    host. Nothing is changed, and a Ballast that runs is not disturbed. Ends with 0
    if nothing failed, with 1 if something did, with 2 if a setting is bad.
"""
_MIGRATE = """
    Bring the database to the schema of this version: all of it or nothing. It does
    what `alembic upgrade head` does in a checkout. On PostgreSQL run it before each
    start of a new version; an SQLite file is migrated by the start itself.
"""
_ROTATE = """
    Encrypt everything with the first key, so that an older key may go:

      1. ENCRYPTION_KEYS=new,old (with a key file: this command's --new-key)
      2. restart every process
      3. %(prog)s
      4. ENCRYPTION_KEYS=new, when this command says so

    On PostgreSQL it works beside running processes, on SQLite the program must be
    stopped. Stopped half way, it is simply run again.
"""
_BACKUP = """
    Write everything in the database into one file, encrypted under the first key.
    It may be restored into SQLite or PostgreSQL, whichever it came from.
"""
_RESTORE = """
    Read a backup into a database without accounts: all of it or nothing. Afterwards
    everything is halted, until the owner has looked and sends /halt off.
"""
_PRUNE = """
    Delete what is over for longer than KEEP_DAYS: handled updates, sent messages,
    old buttons, questions, invitations, decisions and prices that no account's
    history needs. Never orders, trades, movements or the audit. A running Ballast
    does this by itself once a day.
"""
_REPLAY = """
    Plan an order again from what was stored with it (balances, order book, rules,
    settings, limits and what was used of them), and compare. ORDER is its client
    order id, as the bot's /history and MEXC show it. Nothing is sent or changed,
    and a Ballast that runs is not disturbed. Ends with 0 if the same order comes
    out, with 1 if another one or none does, with 5 if it cannot be told: there is
    no such order, or a version without replays or with another planner sent it.
"""


@dataclass(frozen=True, slots=True)
class OperatorCommand:
    """The context of a command."""

    arguments: argparse.Namespace
    settings: ProcessSettings
    env: Mapping[str, str]
    clock: Clock


Work = Callable[[OperatorCommand], Coroutine[Any, Any, int]]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the operator's commands to the program's own."""

    def add(name: str, summary: str, description: str, work: Work) -> argparse.ArgumentParser:
        parser = commands.add_parser(
            name,
            help=summary,
            description=dedent(description).strip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(work=work)
        return parser

    add("check", "look at all that a start needs; changes nothing", _CHECK, _check)
    add("migrate", "bring the database to this version's schema", _MIGRATE, _upgrade)
    rotating = add("rotate-keys", "encrypt everything with the first key", _ROTATE, _rotate)
    rotating.add_argument(
        "--new-key", action="store_true", help="put a new key first in the key file before"
    )
    for name, summary, description, work in (
        ("backup", "write everything into one encrypted file", _BACKUP, _back_up),
        ("restore", "read a backup into an empty database", _RESTORE, _restore),
    ):
        stream = "standard output" if name == "backup" else "standard input"
        moved = add(name, summary, description, work)
        moved.add_argument("file", metavar="FILE", help=f"its name; - is {stream}")
    add("prune", "delete what is over for longer than KEEP_DAYS", _PRUNE, _prune)
    replaying = add("replay", "plan an order again, and compare", _REPLAY, _replay)
    replaying.add_argument("order", metavar="ORDER", help="its client order id")


def is_ours(arguments: argparse.Namespace) -> bool:
    return "work" in arguments


def run(arguments: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Run the command. Raises BadSettings, CannotStart."""
    settings = ProcessSettings.from_env(env)
    secrets = [*settings.encryption_keys, settings.telegram_token or ""]
    configure("WARNING", None, secrets)
    work: Work = arguments.work
    try:
        return asyncio.run(work(OperatorCommand(arguments, settings, env, SystemClock())))
    except NotDone as e:
        sys.stderr.write(f"ballast: {e}\n")
    except DBAPIError as e:
        sys.stderr.write(f"ballast: the database went away ({reason(e)}); run it again\n")
    except KeyboardInterrupt:
        sys.stderr.write("ballast: stopped before the end; it may be run again\n")
    return EXIT_NOT_DONE


async def _check(job: OperatorCommand) -> int:
    findings = await examine(job.settings, job.env, job.clock)
    sys.stdout.write(written(findings))
    return EXIT_NOT_DONE if has_failed(findings) else EXIT_DONE


async def _upgrade(job: OperatorCommand) -> int:
    sys.stdout.write(await upgrade(job.settings, job.clock))
    return EXIT_DONE


async def _rotate(job: OperatorCommand) -> int:
    is_complete, told = await rotate_keys(job.settings, job.clock, new_key=job.arguments.new_key)
    sys.stdout.write(told)
    return EXIT_DONE if is_complete else EXIT_NOT_DONE


async def _back_up(job: OperatorCommand) -> int:
    told = await backup.back_up(job.settings, job.arguments.file, job.clock)
    # The backup itself may be on standard output.
    (sys.stderr if job.arguments.file == STANDARD_STREAM else sys.stdout).write(told)
    return EXIT_DONE


async def _restore(job: OperatorCommand) -> int:
    sys.stdout.write(await backup.restore(job.settings, job.arguments.file, job.clock))
    return EXIT_DONE


async def _prune(job: OperatorCommand) -> int:
    async with at_work(job.settings, clock=job.clock) as database:
        pruning = Pruning(database=database, clock=job.clock, keep=job.settings.keep)
        deleted = await pruning.everything()
    days = job.settings.keep.days
    sys.stdout.write("".join(f"{count:>8} {kind}\n" for kind, count in deleted.items()))
    sys.stdout.write(f"Rows deleted that were over for {days} days: {deleted.total()}\n")
    return EXIT_DONE


async def _replay(job: OperatorCommand) -> int:
    code, told = await replay_order(job.settings, job.clock, job.arguments.order)
    sys.stdout.write(told)
    return code
