"""The crash points, read from the source: just before and just after each effect of the program.

An effect is what another life cannot take back: a transaction that writes, the POST of an order, a
call of the Bot API, a poll that brings updates or confirms them. Whoever adds one to `engine/` or
`bot/` adds two crash points; nobody has to remember to. A point is named by where it stands:

    engine.execution.executor:OrderExecutor._start:writing#1:before    engine.scheduling.queue_worker:QueueWorkers._keep_claiming:writing#1[InboxRow]:after
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEFORE, AFTER = "before", "after"

# The demo has no money, no Telegram and no second life: its database is forgotten with it.
_ONLY_IN_THE_DEMO = frozenset(
    {
        "bot.demo.console",
        "bot.demo.run",
        "bot.demo.terminal",
        "bot.demo.tour",
        "engine.exchanges.paper.simulated_market",
    }
)
_WRITING, _ORDER, _POLL = "writing", "place", "fetch"
_BOTS = frozenset({"bot", "_bot"})
_QUEUE_WORKERS = "QueueWorkers"
# Two of three modules have no effect, and need not be parsed.
_MAY_HAVE_ONE = re.compile(
    rf"\.({_WRITING}|{_ORDER}|{_POLL})\b|\b_?bot\)?\s*\.\w+\(|{_QUEUE_WORKERS}\("
)


@dataclass(frozen=True, slots=True)
class Site:
    """Where an effect stands: the lines of the call, and its name without the moment.

    *queues* are the tables that the code works for; one class serves the inbox and the outbox.
    """

    file: str
    kind: str
    first_line: int
    last_line: int
    name: str
    queues: tuple[str, ...] = ()

    @property
    def points(self) -> list[str]:
        names = [f"{self.name}[{queue}]" for queue in self.queues] or [self.name]
        return [f"{name}:{when}" for name in names for when in (BEFORE, AFTER)]

    @property
    def module(self) -> str:
        return self.name.partition(":")[0]


@cache
def sites() -> tuple[Site, ...]:
    """Every effect of the live program, in the order of modules and lines."""
    queues: set[str] = set()
    found = []
    for folder in ("bot", "engine"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            module, text = _module(path), path.read_text()
            if module in _ONLY_IN_THE_DEMO or not _MAY_HAVE_ONE.search(text):
                continue
            tree = ast.parse(text, filename=str(path))
            found += _sites_in(module, path, tree)
            if _QUEUE_WORKERS in text:
                queues.update(_queues(tree))
    tables = tuple(sorted(queues))
    return tuple(
        replace(site, queues=tables) if f":{_QUEUE_WORKERS}." in site.name else site
        for site in found
    )


def module_of(point: str) -> str:
    return point.partition(":")[0]


def _sites_in(module: str, path: Path, tree: ast.Module) -> list[Site]:
    found: list[Site] = []
    counts: Counter[str] = Counter()
    for scope, call, kind in _effects(tree, ()):
        place = f"{module}:{'.'.join(scope)}:{kind}"
        counts[place] += 1
        found.append(
            Site(
                file=str(path),
                kind=kind,
                first_line=call.lineno,
                last_line=call.end_lineno or call.lineno,
                name=f"{place}#{counts[place]}",
            )
        )
    return found


def _effects(
    node: ast.AST, scope: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], ast.Call, str]]:
    for child in ast.iter_child_nodes(node):
        inner = scope
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = (*scope, child.name)
        if isinstance(child, ast.Call) and (kind := _kind(child)):
            yield inner, child, kind
        yield from _effects(child, inner)


def _kind(call: ast.Call) -> str | None:
    """What of ours the call does to the world; None if nothing."""
    if not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr in {_WRITING, _ORDER, _POLL}:
        return call.func.attr
    receiver = call.func.value
    name = receiver.attr if isinstance(receiver, ast.Attribute) else getattr(receiver, "id", "")
    return call.func.attr if name in _BOTS else None


def _queues(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == _QUEUE_WORKERS:
            yield from (ast.unparse(k.value) for k in node.keywords if k.arg == "table")


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)
