"""Which accounts of this process have a connection that tells what changes, and how long it lives.

One task looks a few times a second at one heap of what is due: beats, renewals, back-offs. What may
wait for the exchange is a task of its own, so that no connection holds up another. A connection is
of one account under one fence; what it tells after that is dropped.
"""

import asyncio
import heapq
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from engine.clock import Clock, ClockSteps
from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.domain.streams.key_times import backoff, refused_again_in, renewal_due
from engine.domain.streams.losses import Losses
from engine.domain.streams.trust import Doubt
from engine.errors import EngineError, Rejected, Unavailable
from engine.exchanges.interface import AccountStream, AccountStreams
from engine.streaming.connections import Line, Member, all_over, end
from engine.streaming.live_accounts import LiveAccounts
from engine.streaming.refusals import ASKED_AGAIN_IN, Refusals
from engine.streaming.welcome import Welcome

logger = logging.getLogger(__name__)

# Five a turn are 18 a second, and never more than 20 within one, as they arrive.
TURN, CONNECTS_A_TURN = timedelta(milliseconds=275), 5
ACKNOWLEDGED_WITHIN = timedelta(seconds=10)
# A connection that stood so long was no failure; so many in a row that did not are not wanted.
STOOD, _MOST_CUT = timedelta(seconds=60), 6
_SLEPT = timedelta(seconds=30)
_LINES_IN_LOG, _SIDES = 3, 1001


StreamsFor = Callable[[Account], AccountStreams | None]


class Fleet:
    """Satisfies `Following`: opens and ends the accounts' connections, *most* at once. *streams_for*
    says where the stream of an account is, None where it has none.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        live: LiveAccounts,
        streams_for: StreamsFor,
        most: int,
        dice: Callable[[], int] = lambda: secrets.randbelow(_SIDES),
    ) -> None:
        self._clock = clock
        self._live = live
        self._streams_for = streams_for
        self._most = most
        self._dice = dice
        self._members: dict[AccountId, Member] = {}
        self._refusals = Refusals()
        self._waiting: dict[Member, None] = {}
        self._at_hand: dict[Member, None] = {}  # they wait too, and for no connection
        self._renewing: dict[Line, None] = {}
        self._using: set[Member] = set()
        self._standing: set[Member] = set()
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()
        self._tasks: asyncio.TaskGroup | None = None
        self._leaving: dict[AccountId, asyncio.Task[None]] = {}
        self._losses = Losses()
        self._lost_now: list[tuple[AccountId, Doubt]] = []
        self._welcome = Welcome()
        self._stopping = False
        self.attempts = 0
        self.failed_attempts = 0
        self.incidents = 0
        self.lost: Counter[Doubt] = Counter()
        live.on_doubt = self._doubted

    # What the dispatcher says.

    def wanted(self, account: Account, *, fence: int) -> None:
        streams = self._streams_for(account)
        if streams is None or self._stopping:
            self.unwanted(account.id)
            return
        member = self._members.get(account.id)
        if member is not None and member.fence == fence and member.means(account):
            member.account = account
            return
        self.unwanted(account.id)
        if self._refusals.keep_out(account, self._clock.steady()):
            return
        member = self._members[account.id] = Member(account, fence, streams)
        self._wait(member)

    def unwanted(self, account_id: AccountId) -> None:
        member = self._members.pop(account_id, None)
        if member is None:
            return
        self._live.close(account_id)  # first: what is still told is dropped
        self._waiting.pop(member, None)
        self._at_hand.pop(member, None)
        self._standing.discard(member)
        before = self._leaving.get(account_id)
        self._leaving[account_id] = self._spawn(self._leave(member, after=before))

    # What the screens ask.

    def refusal(self, account_id: AccountId) -> Rejected | None:
        """Returns why the account's key may not have a stream, so far; None once it has one."""
        return self._refusals.why(account_id)

    @property
    def standing(self) -> int:
        """How many accounts have a connection that is subscribed."""
        return len(self._standing)

    @property
    def waiting(self) -> int:
        """How many accounts are to have one and have none."""
        return len(self._members) - len(self._standing)

    @property
    def wanted_now(self) -> int:
        """How many accounts are to have one, as far as there is room for them."""
        remote = sum(member.streams.is_remote for member in self._members.values())
        return len(self._members) - max(remote - self._most, 0)

    @property
    def is_full(self) -> bool:
        """True if no more accounts may have one here."""
        return len(self._using) >= self._most

    @property
    def is_adding(self) -> bool:
        """False while the exchange wants no more connections from here."""
        return self._welcome.allows(self._clock.steady())

    # Its life.

    async def run(self) -> None:
        """Run until cancelled; then all connections are closed, within two seconds in all."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await self._turns()
            finally:
                await self._stop()

    async def _turns(self) -> None:
        steps, looked_at = ClockSteps(self._clock), self._clock.steady()
        while True:
            await self._clock.sleep(TURN)
            now, step = self._clock.steady(), steps.look()
            # A suspend may stop the steady clock: then the wall clock seems to be set ahead.
            if now - looked_at > _SLEPT or (step is not None and step > _SLEPT):
                logger.warning("streams in doubt: the machine slept or stood still")
                self._try(partial(self._live.doubt_all, Doubt.SLEPT))
            looked_at = now
            self.turn()

    def turn(self) -> None:
        """Do what is due, and open a few of the connections that are to be."""
        now = self._clock.steady()
        while self._due and self._due[0][0] <= now:
            self._try(heapq.heappop(self._due)[2])
        self._try(self._open_some)
        self._try(partial(self._log_losses, now))

    def _try(self, what: Callable[[], None]) -> None:
        """A mistake about one account ends no other's stream."""
        try:
            what()
        except Exception:
            logger.exception("turn of the streams failed")

    def _open_some(self) -> None:
        for member in [*self._at_hand][:CONNECTS_A_TURN]:
            del self._at_hand[member]
            self._open(member, replaces=None)
        now = self._clock.steady()
        room = self._welcome.room(now, most=CONNECTS_A_TURN, lines=self._lines())
        for _ in range(room):
            if self._renewing:
                former = next(iter(self._renewing))
                del self._renewing[former]
                if not former.is_over and former.member.lines == [former]:
                    self._open(former.member, replaces=former)
            elif self._waiting and len(self._using) < self._most:
                member = next(iter(self._waiting))
                del self._waiting[member]
                self._open(member, replaces=None)

    def _lines(self) -> list[Line]:
        return [line for member in self._using for line in member.lines]

    def _wait(self, member: Member) -> None:
        (self._waiting if member.streams.is_remote else self._at_hand)[member] = None

    def _open(self, member: Member, *, replaces: Line | None) -> None:
        feed = self._live.open(member.account, fence=member.fence)
        line = Line(member, feed, replaces=replaces, told=lambda: self._acknowledged(line))
        member.lines.append(line)
        if member.streams.is_remote:
            self._using.add(member)
            self.attempts += 1
        line.task = self._spawn(self._serve(line))

    async def _serve(self, line: Line) -> None:
        """From the attempt to the end of the connection."""
        member, why = line.member, Doubt.CLOSED
        try:
            if (former := self._leaving.get(member.account.id)) is not None:
                await asyncio.wait([former])
            line.stream = await member.streams.open(
                member.account, feed=line, renew=member.new_key
            )
            self._opened(line)
            why = await line.stream.run()
        except (Rejected, Unavailable) as e:
            line.problem = e
        except Exception as e:
            # Last resort: one account's stream must not end the others'.
            logger.exception("stream crashed", extra={"account": member.account.id})
            line.problem = EngineError(type(e).__name__)
        finally:
            self._over(line)
            try:
                self._ended(line, why)
            except Exception:
                logger.exception("end of a stream failed", extra={"account": member.account.id})
                self._at(self._clock.steady() + ASKED_AGAIN_IN, partial(self._queue, member))

    def _opened(self, line: Line) -> None:
        now = self._clock.steady()
        line.opened_at = now
        line.renewed_at = renewal_due(now, dice=self._dice())
        line.member.new_key = False
        self._at(now + ACKNOWLEDGED_WITHIN, partial(self._look_whether_subscribed, line))
        self._at(now, partial(self._beat, line))

    def _look_whether_subscribed(self, line: Line) -> None:
        if not line.is_acknowledged and not line.is_over:
            line.is_late = True
            self._end(line, Doubt.CLOSED)

    def _acknowledged(self, line: Line) -> None:
        line.acknowledged_at = self._clock.steady()
        if line.member.streams.is_remote:
            self._welcome.acknowledged()
        if self._members.get(line.member.account.id) is line.member:
            self._standing.add(line.member)
            self._refusals.end(line.member.account.id)
        if line.replaces is not None:
            self._end(line.replaces, Doubt.CLOSED)

    def _beat(self, line: Line) -> None:
        if line.is_over or line.stream is None:
            return
        now = self._clock.steady()
        self._live.beat(line.member.account.id)
        if line.is_acknowledged and line.renewed_at is not None and line.renewed_at <= now:
            self._renewing[line] = None
        self._spawn(self._keep(line, line.stream))

    async def _keep(self, line: Line, stream: AccountStream) -> None:
        try:
            again_in = await stream.beat()
        except Exception:
            logger.exception("beat failed", extra={"account": line.member.account.id})
            self._end(line, Doubt.CLOSED)
            return
        if not line.is_over:
            self._at(self._clock.steady() + max(again_in, TURN), partial(self._beat, line))

    def _end(self, line: Line, why: Doubt) -> None:
        if line.task is not None and not line.is_over:
            self._spawn(end(line, line.task, why))

    def _over(self, line: Line) -> None:
        """The connection is over, or there was none."""
        line.is_over = True
        line.member.lines.remove(line)
        self._renewing.pop(line, None)
        if not line.member.lines:
            self._using.discard(line.member)

    def _ended(self, line: Line, why: Doubt) -> None:
        """Say so, and plan the next one."""
        member = line.member
        if self._members.get(member.account.id) is not member:
            self._standing.discard(member)
            return
        line.feed.end(why)
        if line.is_acknowledged and not member.is_standing:
            self._lost(member, why)
        now = self._clock.steady()
        self.failed_attempts += member.streams.is_remote and line.problem is not None
        if isinstance(line.problem, Rejected):
            self.unwanted(member.account.id)
            self._refusals.add(member, line.problem, now)
        elif line.replaces in member.lines and line.replaces is not None:
            self._welcome.ended(line, now)
            line.replaces.renewals += 1
            line.replaces.renewed_at = now + refused_again_in(line.replaces.renewals)
        elif not member.lines:
            again_at = now + self._again_in(line, why, now)
            alone_until = self._live.trust(member.account.id).alone_until or now
            self._at(max(again_at, alone_until), partial(self._queue, member))

    def _queue(self, member: Member) -> None:
        if self._members.get(member.account.id) is member and not member.lines:
            self._wait(member)

    def _again_in(self, line: Line, why: Doubt, now: datetime) -> timedelta:
        """Returns the wait before the next attempt, and notes what came of this one."""
        member, stood_since = line.member, line.acknowledged_at
        if why is Doubt.KEY:
            member.new_key = True
        self._welcome.ended(line, now)
        is_unwanted = stood_since is None or member.failures >= _MOST_CUT
        is_refused = line.is_turned_away or (line.opened_at is not None and is_unwanted)
        if stood_since is not None and now - stood_since >= STOOD:
            member.failures = member.refusals = 0
        elif is_refused or why is Doubt.KEY or type(line.problem) is EngineError:
            member.refusals += 1
            # No answer may mean a key that is not valid: once another one.
            member.new_key = member.new_key or (line.is_late and member.refusals == 1)
            return refused_again_in(member.refusals)
        again_in = backoff(member.failures, dice=self._dice())
        member.failures += 1
        return again_in

    def _doubted(self, account_id: AccountId, why: Doubt) -> None:
        """A stream is not believed any more. Where only an event is missing it stays."""
        member = self._members.get(account_id)
        if member is None or why is Doubt.BROKEN:
            return
        is_deaf_again = why is Doubt.DEAF and self._live.trust(account_id).wants_new_key
        member.new_key = member.new_key or is_deaf_again or why is Doubt.KEY
        for line in member.lines:
            if line.is_acknowledged or why is Doubt.KEY:
                self._end(line, why)

    def _lost(self, member: Member, why: Doubt) -> None:
        self._standing.discard(member)
        self.lost[why] += 1
        if self._losses.lost(self._clock.steady(), standing=self.standing):
            self.incidents += 1
            logger.warning(
                "streams lost together",
                extra={"lost": self._losses.count, "standing": self.standing, "why": why.value},
            )
        self._lost_now.append((member.account.id, why))

    def _log_losses(self, now: datetime) -> None:
        lost, self._lost_now = self._lost_now, []
        if self._losses.is_incident:
            self._losses.look(now)
        elif len(lost) > _LINES_IN_LOG:
            logger.info("streams lost", extra={"lost": len(lost), "standing": self.standing})
        else:
            for account_id, why in lost:
                logger.info("stream lost", extra={"account": account_id, "why": why.value})

    async def _leave(self, member: Member, *, after: asyncio.Task[None] | None) -> None:
        """End what the account has, and let its key be; one after the other."""
        account_id, me = member.account.id, asyncio.current_task()
        await all_over(member.lines)
        if after is not None:
            await asyncio.wait([after])
        try:
            await member.streams.close(account_id)
        except Exception:
            logger.exception("stream not left", extra={"account": account_id})
        if self._leaving.get(account_id) is me:
            del self._leaving[account_id]

    async def _stop(self) -> None:
        self._stopping = True
        lines = self._lines()
        for account_id in self._members:
            self._live.close(account_id)
        self._members.clear()
        self._standing.clear()
        await all_over(lines)

    def _at(self, at: datetime, do: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), do))

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        if self._tasks is None:
            raise RuntimeError("the fleet is not run yet")
        return self._tasks.create_task(work)
