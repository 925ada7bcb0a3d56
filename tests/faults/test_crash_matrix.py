"""The crash matrix: the process is killed (SIGKILL) at every named point, and started again.

Which points there are is read from the source, and which story passes a point is learned by
telling every story once without a crash; so a new step cannot be forgotten. `SOAK=1` crosses every
story with every point it passes.
"""

import asyncio
import fcntl
import itertools
import os
import shutil
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.e2e.process import until
from tests.e2e.world import OWNER, World
from tests.fakes.mexc import FakeMexc
from tests.fakes.telegram import FakeTelegram
from tests.faults.after_the_run import Books, violations
from tests.faults.crashing import CRASH_AT, PASSED, SITES, UNNAMED, write_down
from tests.faults.host import Host
from tests.faults.nursery import FromTheNursery
from tests.faults.points import module_of, sites
from tests.faults.stories import STORIES, Scene, Story

SOAK = os.environ.get("SOAK") == "1"  # noqa: TID251 - set by `make soak`
# In the short form every seventh point of these and every so manieth of the others: odd numbers, so
# that it is now the moment before and now the moment after.
PROTOCOL = (
    "engine.execution.executor",
    "engine.execution.reconciliation",
    "bot.updates.polling",
    "bot.updates.inbox",
    "engine.scheduling.queue_worker",
    "bot.messaging.outbox",
)
EVERY_OF_PROTOCOL, EVERY = 7, 41
# Points that no story passes, and why that is so.
NOT_REACHED: Mapping[str, str] = {
    "engine.scheduling.lease_manager:LeaseManager._give_up:writing#1": "beside other processes; tests/engine/test_shares.py",
    "bot.updates.webhook:Registration._look:get_webhook_info#1": "only asks",
    "bot.updates.webhook:Registration._look:set_webhook#1": "in the web process; set again by the next life",
    "bot.updates.inbox:UpdateStore.store:writing#2": "the ranks cannot be read; tests/bot/test_polling.py",
    "engine.notifications.digest:Digests.write_due:writing#1": "once a day; tests/engine/test_digest.py kills it",
    "engine.scheduling.dispatcher:Dispatcher._check:writing#1": "after a mistake of ours; there is none to make",
    "bot.routing.failed_updates:FailedUpdates._tell:writing#1": "after a mistake of ours; tests/bot/test_access_filter.py",
    # A card shows what is kept elsewhere, and the next round or tap puts it right.
    "bot.messaging.status_message:StatusMessages._not_taken:writing#1": "Telegram asks to wait; tests/bot/test_flow_status_message.py",
    "bot.messaging.status_message:StatusMessages._not_taken:writing#2": "a card that is gone; tests/bot/test_flow_status_message.py",
    "bot.messaging.sender:MessageSender.edit:edit_message_text#2": "as plain text; tests/bot/test_flow_status_message.py",
    # A picture is an answer that only shows, and is asked for again; a report's is sent once.
    "bot.messaging.sender:MessageSender.send_photo:send_photo#1": "tests/bot/test_delivery_policy.py loses its answer",
    "bot.messaging.sender:MessageSender.edit_photo:edit_message_media#1": "only shows; tests/bot/test_flow_chart.py",
    # Once a day, and what was deleted twice is deleted; tests/engine/test_pruning.py kills it.
    "engine.maintenance.pruning:Pruning._claimed:writing#1": "ten minutes after the start",
    "engine.maintenance.pruning:Pruning._some:writing#1": "ten minutes after the start",
    "engine.maintenance.pruning:Pruning._prices:writing#1": "ten minutes after the start",
    "engine.maintenance.pruning:Pruning._finish:writing#1": "ten minutes after the start",
    # An operator's commands.
    "engine.maintenance.key_rotation:_pass:writing#1": "tests/engine/test_key_rotation.py kills it anywhere",
    "engine.maintenance.backup:restore:writing#1": "one transaction; tests/engine/test_backup.py",
    "engine.membership.members:MemberService.move_alerts:writing#1": "tests/bot/test_flow_topics.py",
    # One transaction each, as the answer that keeps a deposit, which a story passes.
    "engine.accounts.deposits:DepositService.trade:writing#1": "tests/engine/test_deposits.py",
    "engine.accounts.deposits:DepositService.wait:writing#1": "tests/engine/test_deposits.py",
    "engine.accounts.flow_corrections:FlowCorrections.correct:writing#1": "tests/engine/test_profit_reports.py",
    # Before it the answer stays as it was said.
    "engine.notifications.pause_answers:PauseAnswers.shown:writing#1": "tests/bot/test_flow_execution.py",
    # An order that is not known here: told once, and the tap may be repeated.
    "engine.execution.stray_orders:StrayOrderFinder._tell:writing#1": "tests/engine/test_stray_orders.py",
    "engine.execution.stray_orders:StrayOrders.cancel:writing#1": "tests/engine/test_stray_orders.py",
    "engine.execution.stray_orders:StrayOrders._wake:writing#1": "tests/engine/test_stray_orders.py",
    # The crash guard, which no story has: one transaction each, and seen again.
    "engine.rebalancing.crash_guard:CrashGuards.observe:writing#1": "tests/engine/test_crash_guard.py",
    "engine.rebalancing.crash_guard:CrashGuards._change:writing#1": "tests/engine/test_crash_guard.py",
    # What is outside for the first time: before it the next check is the first.
    "engine.rebalancing.portfolio_planning:BandWidths.renew:writing#1": "once a day; tests/engine/test_band_widths.py",
    "engine.rebalancing.portfolio_checker:PortfolioChecker._looks_again:writing#1": "tests/engine/test_two_looks.py",
    "engine.rebalancing.portfolio_checker:PortfolioChecker._rests:writing#1": "tests/engine/test_two_looks.py",
    "engine.accounts.account_service:AccountService.lift_guard:writing#1": "tests/bot/test_flow_target_settings.py",
    # A start that is asked about, and a pause that ends after an hour.
    "engine.accounts.pending_changes:PendingChanges.start:writing#1": "tests/bot/test_flow_resume.py",
    "engine.accounts.timed_pause:TimedPauses.round:writing#1": "tests/engine/test_timed_pauses.py",
    "engine.accounts.timed_pause:TimedPauses._end:writing#1": "tests/engine/test_timed_pauses.py",
    "engine.accounts.timed_pause:TimedPauses._end:writing#2": "tests/engine/test_timed_pauses.py",
    # An account that is shared: one transaction each, and whoever asks again gets the same answer.
    "engine.membership.sharing:Sharing.make_link:writing#1": "tests/engine/test_sharing.py",
    "engine.membership.sharing:Sharing.withdraw:writing#1": "tests/bot/test_flow_share.py",
    "engine.membership.sharing:Sharing.redeem:writing#1": "tests/engine/test_sharing.py",
    "engine.membership.sharing:Sharing.remove:writing#1": "tests/engine/test_sharing.py",
    "engine.membership.sharing:Sharing.leave:writing#1": "tests/bot/test_flow_share.py",
    "engine.membership.group_requests:GroupRequests.ask:writing#1": "tests/engine/test_group_requests.py",
    "engine.membership.group_requests:GroupRequests.answer:writing#1": "tests/engine/test_group_requests.py",
    "engine.accounts.alert_preferences:AlertPreferenceService.change_shared:writing#1": "tests/bot/test_flow_shared_chats.py",
    "bot.access.command_menu:CommandMenu.show_shared:set_my_commands#1": "a menu; tests/bot/test_flow_share.py",
    "bot.access.command_menu:CommandMenu.show_shared:delete_my_commands#1": "a menu; tests/bot/test_flow_share.py",
    # Prices and lost streams, one transaction each: whoever looks next sees and tells the same.
    "engine.notifications.price_alert_changes:PriceAlertService.set:writing#1": "tests/engine/test_price_alerts.py",
    "engine.notifications.price_alert_changes:PriceAlertService.remove:writing#1": "tests/engine/test_price_alerts.py",
    "engine.notifications.price_alerts:PriceAlerts._is_ours:writing#1": "once a minute; tests/engine/test_price_alerts.py",
    "engine.notifications.price_alerts:PriceAlerts._look_at_page:writing#1": "once a minute; tests/engine/test_price_alerts.py",
    "engine.streaming.loss_alerts:StreamLossAlerts._publish:writing#1": "after minutes; tests/engine/test_stream_loss_alerts.py",
    # Orders that rest on paper.
    "engine.exchanges.paper.exchange:PaperExchange.cancel:writing#1": "tests/exchange/test_paper_exchange.py",
    "engine.exchanges.paper.exchange:PaperExchange._fill:writing#1": "tests/exchange/test_paper_exchange.py",
    # A draft that its own buttons show again, and fees that the next check books as well.
    "bot.interaction.confirmations:Confirmations.rewrite:writing#1": "tests/bot/test_flow_target.py",
    "engine.execution.executor:OrderExecutor.learn_late_fees:writing#1": "tests/engine/test_order_ledger.py",
    # Of a target of several tokens, one transaction each: what a person is told, who looks again.
    "engine.rebalancing.portfolio_checker:PortfolioChecker._changed:writing#1": "tests/engine/test_portfolio_checks.py",
    "engine.rebalancing.portfolio_checker:PortfolioChecker._note_outside:writing#1": "tests/engine/test_portfolio_run_ends.py",
    "engine.rebalancing.portfolio_checker:PortfolioChecker._run:writing#1": "tests/engine/test_portfolio_run_ends.py",
    "engine.rebalancing.portfolio_runs:PortfolioRunner._note_refused:writing#1": "tests/engine/test_portfolio_checks.py",
    "engine.rebalancing.portfolio_runs:PortfolioRunner.run:writing#1": "tests/engine/test_portfolio_run_ends.py",
    # What no story meets: a stranger, a clock that is set, a ban, another process, a bad key.
    "bot.access.authorization:Access.is_news:writing#1": "tests/bot/test_authors.py",
    "bot.messaging.message_actions:MessageActions.in_time:answer_callback_query#1": "only asks",
    "engine.membership.invitations:Invitations.void:writing#1": "tests/bot/test_flow_members.py",
    "engine.accounts.key_expiry:KeyExpiryMonitor._find_account:writing#1": "tests/bot/test_shared_accounts.py",
    "engine.accounts.key_expiry:KeyExpiryMonitor._stop_powerful:writing#1": "tests/bot/test_flow_key_expiry.py",
    "engine.scheduling.process_presence:ProcessPresence._free:writing#1": "tests/engine/test_process_presence.py",
    "engine.exchanges.rate_limit_memory:RateLimitMemory.round:writing#1": "tests/engine/test_rate_limit_memory.py",
    "engine.scheduling.clock_changes:ClockChanges._bring_forward:writing#1": "tests/engine/test_clock_changes.py",
}
# Passed only where a person is faster than a check: `a_tap_is_overtaken` tries, and
# tests/engine/test_taps.py makes sure of it. Or where an answer or a story takes long:
# tests/bot/test_flow_update_cancellation.py, tests/bot/test_flow_money.py, tests/engine/test_leases.py,
# tests/bot/test_flow_status_message.py.
# Or where a look-up is between two answers: tests/engine/test_crash.py kills a cancellation at each step.
BY_CHANCE = frozenset(
    {
        "bot.messaging.status_message:StatusMessages.refresh_soon:writing#2",
        "bot.messaging.status_message:StatusMessages.round:writing#1",
        "engine.execution.bounded_orders:BoundedOrderFollower._store_cancelling:writing#1",
        "engine.rebalancing.checker:Checker._rebalance:writing#1",
        "engine.scheduling.dispatcher:Dispatcher._keep_seen:writing#1",
        "engine.scheduling.lease_manager:LeaseManager._renew:writing#1",
        "engine.storage.database:Database.step_aside:writing#1",
    }
)
# A row is claimed by these or in the transaction that ends another, whichever is first; but by
# these for certain where the process that had claimed it, or was about to, is killed first.
CLAIMING = "engine.scheduling.queue_worker:QueueWorkers._keep_claiming:writing#1"
RACES: Mapping[str, tuple[str, str]] = {  # the story, and the point at which its first life ends
    f"{CLAIMING}[InboxRow]": ("a_pause", "bot.updates.inbox:UpdateStore.store:writing#1:after"),
    f"{CLAIMING}[OutboxRow]": (
        "a_drift",
        "engine.rebalancing.balance_changes:BalanceChangeMonitor.record:writing#1:after",
    ),
}
# How long a host seems to have taken to start it again: an order on its way is decided by then.
DOWN_FOR = timedelta(seconds=17)
_LONGEST_STORY_S = 60
_FIRST_UPDATE = {Scene.EMPTY: 1001, Scene.TRADING: 5001, Scene.LOST: 9001}


@cache
def all_points() -> tuple[str, ...]:
    return tuple(point for site in sites() for point in site.points)


def reachable() -> list[str]:
    passed_over = {*NOT_REACHED, *BY_CHANCE}
    return [p for p in all_points() if p.rpartition(":")[0] not in passed_over]


def chosen() -> list[str]:
    """Every point in the long form."""
    if SOAK:
        return reachable()
    protocol = [p for p in reachable() if module_of(p) in PROTOCOL]
    others = [p for p in reachable() if module_of(p) not in PROTOCOL]
    return protocol[::EVERY_OF_PROTOCOL] + others[::EVERY]


class Library:
    """What is made once for all tests and workers: scenes, and which points a story passes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sites = folder / f"sites-{os.getpid()}.json"
        write_down(sites(), self._sites)

    async def passed(self, story: Story) -> Counter[str]:
        """How often an undisturbed telling of *story* passes each point."""
        record = self._folder / f"{story.name}.passed"
        with self._alone(story.name):
            if not record.exists():
                unfinished = self._new_folder("record") / "passed"
                unfinished.touch()
                async with self.told(story, {PASSED: str(unfinished)}) as host:
                    assert host.kills == 0
                unfinished.rename(record)
        return Counter(record.read_text().splitlines())

    async def stories_of(self, point: str) -> AsyncGenerator[tuple[Story, list[str]]]:
        """And where each of its lives but the last is killed, so that it is surely killed there."""
        race = RACES.get(point.rpartition(":")[0])
        for story in STORIES:
            if race is not None:
                if story.name == race[0]:
                    yield story, [race[1], point]
            elif point in await self.passed(story):
                yield story, [point]

    @asynccontextmanager
    async def told(self, story: Story, *lives: Mapping[str, str]) -> AsyncGenerator[Host]:
        """Tell *story* from its scene to its end, check what must hold, and hand over the host.
        *lives* are added to the environments of its first lives.
        """
        folder = self._new_folder(story.name)
        first_update = await self._set(story.scene, folder)
        async with self._world(folder, tells=story.streams) as world:
            if story.scene is not Scene.EMPTY:
                world.telegram._update_ids = itertools.count(first_update)
                world.telegram.open_chat(OWNER)
            if story.scene is Scene.TRADING:
                world.account.of("USDT").free = Decimal(40)
            host = Host(world, story, down_for=DOWN_FOR)
            async with host.keeps_alive(*lives), asyncio.timeout(_LONGEST_STORY_S):
                await story.tell(world)
                await until(
                    lambda: not host.books.unfinished(), lambda: str(host.books.unfinished())
                )

            assert violations(world, host.books, first_update=first_update) == []
            yield host
        shutil.rmtree(folder)

    async def _set(self, scene: Scene, folder: Path) -> int:
        """Put the scene's database into *folder*; the number of the first update after it."""
        if scene is Scene.EMPTY:
            return _FIRST_UPDATE[scene]
        made = self._folder / f"scene-{scene.value}"
        with self._alone(made.name):
            if not made.exists():
                await self._play(scene, made)
        shutil.copytree(made / "data", folder / "data")
        if scene is Scene.LOST:
            Books(folder).order_is(DOWN_FOR)
        return _FIRST_UPDATE[scene]

    async def _play(self, scene: Scene, made: Path) -> None:
        playing = self._new_folder(made.name)
        if scene is Scene.LOST:
            await self._set(Scene.TRADING, playing)
        async with self._world(playing) as world:
            if scene is Scene.TRADING:
                world.account.of("USDT").free = Decimal(40)
                program = world.start()
                await program.ready()
                await world.connect()
                await world.ask("/resume", "Trading is on")
                await world.checks(2)
                await program.kill()
            else:
                world.telegram.open_chat(OWNER)
                lost_at = "engine.execution.executor:OrderExecutor.execute:place#1:before"
                program = world.start(**{CRASH_AT: lost_at})
                await program.exit_code()
        playing.rename(made)

    @asynccontextmanager
    async def _world(self, folder: Path, *, tells: bool = False) -> AsyncGenerator[World]:
        async with FakeTelegram() as telegram, FakeMexc() as mexc:
            world = World(folder=folder, telegram=telegram, mexc=mexc)
            world.launcher = FromTheNursery("bot")
            world.env[SITES] = str(self._sites)
            if tells:
                await world.streams.start()
            try:
                yield world
            finally:
                if tells:
                    await world.streams.stop()
                for program in world.programs:
                    program.end()

    def _new_folder(self, name: str) -> Path:
        return Path(mkdtemp(prefix=f"{name}-", dir=self._folder))

    def _alone(self, name: str) -> "_Lock":
        return _Lock(self._folder / f"{name}.lock")


class _Lock:
    """Between the workers of one test run, by a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Library:
    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        base = base.parent  # what all workers share
    folder = base / "crash-matrix"
    folder.mkdir(exist_ok=True)
    return Library(folder)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_a_story_comes_to_its_end_and_passes_named_points_only(
    library: Library, story: Story
):
    passed = await library.passed(story)

    assert not [point for point in passed if point.startswith(UNNAMED)]
    assert set(passed) <= set(all_points())


async def test_every_point_is_passed_by_a_story_or_has_a_reason_not_to_be(library: Library):
    passed: set[str] = set()
    for story in STORIES:
        passed |= set(await library.passed(story))
    excused = {p for p in all_points() if p.rpartition(":")[0] in NOT_REACHED}

    assert sorted(set(reachable()) - passed) == []
    assert sorted(excused & passed) == []
    assert len(excused) == 2 * len(NOT_REACHED)
    assert {p.rpartition(":")[0] for p in reachable()} >= RACES.keys()


@pytest.mark.parametrize("point", chosen())
async def test_killed_at_the_point_nothing_is_lost_doubled_or_left_open(
    library: Library, point: str, record_property
):
    told = []
    record_property("crash_point", point)
    async for story, deaths in library.stories_of(point):
        told.append(story.name)
        async with library.told(story, *({CRASH_AT: death} for death in deaths)) as host:
            assert host.kills == len(deaths)
            if host.reconciled_after is not None:
                seconds = round(host.reconciled_after.total_seconds(), 2)
                record_property("restart_to_reconciled_s", seconds)
        if not SOAK:
            break
    record_property("stories", told)

    assert told
