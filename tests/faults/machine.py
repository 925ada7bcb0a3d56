"""Anything in any order: what people, markets, networks, hosts and clocks do to the program.

A small model knows what the person wished for; everything else is judged by the invariants.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from bot.messaging.responder import ANSWER
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.execution.bound import ExecutionMode
from engine.domain.orders.order import OrderState
from engine.domain.rebalancing.check_result import NoTrade
from engine.domain.rebalancing.planner import InsideBand
from engine.storage.database import Database
from engine.storage.migrations import migrate
from engine.storage.models.queues import InboxRow, OutboxRow
from tests.fakes.clock import FakeClock
from tests.fakes.http import Reply
from tests.fakes.mexc_connection import AtExpiry, Connection, Refusal, Trouble, UnknownKey
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, TRUNCATED, Fault, json_reply, refusal
from tests.fakes.mexc_pushes import PRIVATE, as_it_happened, shuffled
from tests.fakes.mexc_streams import CUT, NO_ANSWER
from tests.fakes.telegram_faults import HANG, server_error, too_many_requests
from tests.fakes.telegram_messages import SentMessage
from tests.faults.bench import BALANCES, BOOK, ORDER, PEOPLE, Bench, Life, Person
from tests.faults.invariants import broken_at_rest

T = TypeVar("T")
# Whoever is away for this long has lost its leases (90 s).
_PAST_THE_LEASE = timedelta(seconds=95)
_MOST_LIVES = 3
_HEALS_WITHIN = timedelta(hours=3)
_WHICH = st.integers(0, _MOST_LIVES - 1)

_NOT_A_NUMBER = json_reply({"balances": [{"asset": "USDT", "free": "NaN", "locked": "0"}]})
_CUT_SHORT = json_reply({"balances": [{"asset": "MNTL", "free": "2000000", "locked": "0"}]})
_HTML = Reply(body=b"<html>maintenance</html>", content_type="text/html")
_SILENCE = {"Retry-After": "30"}

ORDER_FAULTS: Mapping[str, tuple[Reply | None, bool]] = {
    "lost on the way": (DROPPED, False),
    "executed, the answer lost": (DROPPED, True),
    "bad gateway": (BAD_GATEWAY, False),
    "bad gateway, executed": (BAD_GATEWAY, True),
    "cut off": (TRUNCATED, True),
    "no id in the answer": (json_reply({}), True),
    "a page instead": (_HTML, True),
    "too little money": (refusal(30004, "Insufficient position"), False),
    "refused for the stamp": (refusal(700003, "outside of the recvWindow"), False),
    "too many": (refusal(429, "Too many requests", status=429, headers=_SILENCE), False),
    "banned": (refusal(418, "banned", status=418, headers=_SILENCE), False),
    "firewall": (Reply(status=403, body=b"<html>", content_type="text/html"), False),
    "no answer": (None, True),
}
READ_FAULTS: Mapping[str, Reply] = {
    "lost": DROPPED,
    "bad gateway": BAD_GATEWAY,
    "cut off": TRUNCATED,
    "empty": json_reply({}),
    "a list": json_reply([]),
    "not a number": _NOT_A_NUMBER,
    "cut short": _CUT_SHORT,
    "a page": _HTML,
    "too many": refusal(429, "Too many requests", status=429, headers=_SILENCE),
    "key refused": refusal(10072, "Api key info invalid"),
    "refused for the stamp": refusal(700003, "outside of the recvWindow"),
}
_READS = (BALANCES, BOOK, ORDER, "/api/v3/myTrades", "/api/v3/time", "/api/v3/exchangeInfo")


@dataclass(slots=True)
class Wishes:
    """What a person asked for and was told is so. None: a fault left it open, either may be.

    *taps* are those on "Trade" since the mode was set.
    """

    target: Decimal | None = Decimal(40)
    paused: bool | None = False
    autonomy: TradingMode | None = TradingMode.AUTO
    posts: int = 0
    posts_before_mode: int = 0
    taps: int = 0


class Machine(RuleBasedStateMachine):
    """*steps* counts every rule that ran, in all runs of the process, by its name."""

    steps: ClassVar[Counter[str]] = Counter()
    template: ClassVar[Path | None] = None

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = Path(tempfile.mkdtemp(prefix="ballast-"))
        self._stack = AsyncExitStack()
        self.clock = FakeClock()
        self.excuses = 0
        self.wishes = {person.chat_id: Wishes() for person in PEOPLE[:2]}

    @initialize()
    def begin(self) -> None:
        url = f"sqlite:///{shutil.copy(self._migrated(), self._folder / 'ballast.db')}"
        opened = Database.open(url, clock=self.clock)
        self.bench = Bench(self._run(self._stack.enter_async_context(opened)), self.clock)
        self.bench.longest_step = timedelta(seconds=60)
        self.streams = self.bench.with_streams()
        for person in PEOPLE[:2]:
            self.bench.add_person(person, USDT="40", MNTL="2000000")
        self._run(self.bench.start("life-1"))
        for person in PEOPLE[:2]:
            self._run(self.bench.connect(person))

    people = st.sampled_from(PEOPLE[:2])

    @rule(seconds=st.integers(1, 120))
    def tick(self, seconds: int) -> None:
        self._count("tick")
        self._run(self.bench.pass_time(timedelta(seconds=seconds)))

    @rule(person=people, cents=st.integers(-4000, 6000))
    def deposit(self, person: Person, cents: int) -> None:
        self._count("deposit")
        usdt = max(Decimal(cents) / 100, 1 - self.bench.usdt(person))
        self.bench.mexc.deposit(person.api_key, "USDT", usdt)

    @rule(percent=st.integers(-40, 60))
    def move_price(self, percent: int) -> None:
        self._count("price move")
        price = self.bench.mexc.ledger.pairs["MNTLUSDT"].last
        factor = 1 + Decimal(percent) / 100
        if Decimal("0.0005") < price * factor < Decimal("0.01"):
            self.bench.mexc.move_price("MNTLUSDT", factor)

    @rule(refills=st.booleans(), quantity=st.sampled_from(["250000", "5000", "400"]))
    def thin_book(self, refills: bool, quantity: str) -> None:
        self._count("book change")
        self._stock_book(quantity, refills=refills)

    def _stock_book(self, quantity: str, *, refills: bool) -> None:
        pair = self.bench.mexc.ledger.pairs["MNTLUSDT"]
        pair.refills = refills
        pair.bids = [(price, Decimal(quantity)) for price, _ in pair.bids]
        pair.asks = [(price, Decimal(quantity)) for price, _ in pair.asks]

    @rule(person=people, usdt=st.integers(20, 60))
    def set_target(self, person: Person, usdt: int) -> None:
        self._say(person, f"/settarget {usdt}", target=Decimal(usdt))

    @rule(person=people)
    def pause(self, person: Person) -> None:
        self._say(person, "/pause", paused=True)

    @rule(person=people)
    def resume(self, person: Person) -> None:
        self._say(person, "/resume", paused=False)

    @rule(person=people, text=st.sampled_from(["/status", "/why", "/balance", "/history", "ok?"]))
    def ask(self, person: Person, text: str) -> None:
        self._say(person, text)

    @rule(person=people, twice=st.booleans(), seconds=st.sampled_from([0, 5, 100]))
    def rebalance(self, person: Person, twice: bool, seconds: int) -> None:
        self._say(person, "/rebalance")
        shown = self.bench.telegram.sent(person.chat_id)
        if not shown or not any(label.startswith("Trade") for label in shown[-1].labels):
            return
        self._run(self.bench.pass_time(timedelta(seconds=seconds)))
        self._answer_card(person, shown[-1], "Trade", twice=twice)

    @rule(person=people, mode=st.sampled_from(TradingMode))
    def set_mode(self, person: Person, mode: TradingMode) -> None:
        self._say(person, f"/mode {mode.value}", autonomy=mode)

    @rule(person=people, mode=st.sampled_from(ExecutionMode))
    def set_execution(self, person: Person, mode: ExecutionMode) -> None:
        self._say(person, f"/execution {mode.value}")

    @rule(share=st.sampled_from(["0.3", "1"]))
    def somebody_takes_what_rests(self, share: str) -> None:
        self._count("fill of what rests")
        for order in self.bench.resting:
            taken = (order.left * Decimal(share)).to_integral_value()
            if taken:
                self.bench.mexc.ledger.fill(order, taken)

    @rule(person=people, answer=st.sampled_from(["Trade", "Skip"]), twice=st.booleans())
    def answer_card(self, person: Person, answer: str, twice: bool) -> None:
        """The newest card with such a button, whatever became of its plan."""
        self._count("user command")
        shown = self.bench.telegram.sent(person.chat_id)
        card = next((one for one in reversed(shown) if _label(one, answer)), None)
        if card is not None:
            self._answer_card(person, card, answer, twice=twice)

    def _answer_card(self, person: Person, card: SentMessage, answer: str, *, twice: bool) -> None:
        label = _label(card, answer)
        if answer == "Trade":
            self.wishes[person.chat_id].taps += 1
        for _ in range(1 + twice):
            self.bench.telegram.tap(person.chat_id, label or "", message=card)
        self._run(self.bench.turn())

    @rule(
        name=st.sampled_from(sorted(ORDER_FAULTS)),
        lost_lookups=st.integers(0, 4),
    )
    def order_fault(self, name: str, lost_lookups: int) -> None:
        self._count("fault")
        reply, executes = ORDER_FAULTS[name]
        self.bench.mexc.inject(
            Fault("POST", ORDER, reply=reply, executes=executes, hang=reply is None)
        )
        if lost_lookups:
            self.bench.mexc.inject(Fault("GET", ORDER, reply=DROPPED, times=lost_lookups))

    @rule(name=st.sampled_from(sorted(READ_FAULTS)), executes=st.booleans())
    def cancel_fault(self, name: str, executes: bool) -> None:
        """The answer to the next cancellation is lost or makes no sense."""
        self._count("fault")
        fault = Fault("DELETE", ORDER, reply=READ_FAULTS[name], executes=executes)
        self.bench.mexc.inject(fault)

    @rule(
        path=st.sampled_from(_READS),
        name=st.sampled_from(sorted(READ_FAULTS)),
        times=st.integers(1, 12),
    )
    def read_fault(self, path: str, name: str, times: int) -> None:
        self._count("fault")
        self.bench.mexc.inject(Fault("GET", path, reply=READ_FAULTS[name], times=times))

    @rule(lookups=st.integers(0, 1), reads=st.integers(0, 3), seconds=st.integers(0, 9))
    def lag(self, lookups: int, reads: int, seconds: int) -> None:
        """No longer than the resolver waits for. If MEXC hid an order for longer, in both look-ups
        and in the balances, nobody could know of it: see docs/promises.md.
        """
        self._count("fault")
        ledger = self.bench.mexc.ledger
        ledger.invisible_lookups, ledger.stale_reads = lookups, reads
        ledger.invisible_for = ledger.stale_for = timedelta(seconds=seconds)

    @rule(milliseconds=st.integers(100, 7000))
    def late_orders(self, milliseconds: int) -> None:
        self._count("fault")
        self.bench.hold_orders_for = timedelta(milliseconds=milliseconds)

    @rule(
        method=st.sampled_from(["sendMessage", "editMessageText", "answerCallbackQuery"]),
        fault=st.sampled_from([server_error(), too_many_requests(3), HANG]),
        times=st.integers(1, 5),
    )
    def telegram_fault(self, method: str, fault: Any, times: int) -> None:
        self._count("fault")
        self.bench.telegram.fail(method, fault, times=times)

    @rule(before=st.integers(0, 3), lost=st.integers(0, 1))
    def database_fault(self, before: int, lost: int) -> None:
        self._count("fault")
        self.excuses += before + lost
        self.bench.database_faults.before += before
        self.bench.database_faults.lost += lost

    @rule(trouble=st.sampled_from(["deaf", "dead", "duplicate", "swap"]), is_on=st.booleans())
    def stream_trouble(self, trouble: str, is_on: bool) -> None:
        self._count("stream fault")
        setattr(self.streams.trouble, trouble, is_on)

    @rule(channel=st.sampled_from(PRIVATE), frames=st.integers(1, 3))
    def lost_frames(self, channel: str, frames: int) -> None:
        self._count("stream fault")
        self.streams.trouble.drop[channel] += frames

    @rule(
        how=st.sampled_from(
            [
                lambda one: one.abort(),
                lambda one: one.freeze(),
                lambda one: one.garbage(),
                lambda one: one.say("what?"),
                lambda one: one.ping(),
            ]
        ),
        times=st.integers(1, 4),
    )
    def something_on_each_connection(self, how: Callable[[Connection], None], times: int) -> None:
        self._count("stream fault")
        for connection in self.streams.connections * times:
            how(connection)

    @rule(how=st.sampled_from(AtExpiry), unknown=st.sampled_from(UnknownKey))
    def keys_expire(self, how: AtExpiry, unknown: UnknownKey) -> None:
        self._count("stream fault")
        self.streams.at_expiry, self.streams.unknown_key = how, unknown
        for key in self.bench.mexc.listen_keys.left():
            self.bench.mexc.listen_keys.expire(key.value)

    @rule(
        handshakes=st.lists(st.sampled_from([403, 429, 502, CUT, NO_ANSWER]), max_size=4),
        refusal=st.sampled_from([None, *Refusal]),
        channel=st.sampled_from(PRIVATE),
    )
    def no_welcome(
        self, handshakes: list[int | None], refusal: Refusal | None, channel: str
    ) -> None:
        self._count("stream fault")
        self.streams.handshakes.extend(handshakes)
        self.streams.refusals.clear()
        if refusal is not None:
            self.streams.refusals[channel] = refusal

    @rule(
        behind=st.sampled_from([0, 0.5, 2]),
        delay=st.sampled_from([0, 0.3, 5, 40]),
        seed=st.integers(0, 9),
        split=st.booleans(),
    )
    def what_is_told_and_read_differs(
        self, behind: float, delay: float, seed: int, split: bool
    ) -> None:
        self._count("stream fault")
        self.bench.mexc.ledger.journal.rest_behind = timedelta(seconds=behind)
        self.streams.event_delay, self.streams.split = timedelta(seconds=delay), split
        self.streams.arrange = shuffled(Random(seed)) if seed else as_it_happened  # noqa: S311

    @rule(
        path=st.sampled_from(["POST", "PUT", "DELETE"]), name=st.sampled_from(sorted(READ_FAULTS))
    )
    def listen_key_fault(self, path: str, name: str) -> None:
        self._count("stream fault")
        self.excuses += 1
        fault = Fault(path, "/api/v3/userDataStream", reply=READ_FAULTS[name], executes=True)
        self.bench.mexc.inject(fault)

    @rule(steps=st.integers(1, 60), which=_WHICH)
    def crash(self, steps: int, which: int) -> None:
        """Dies at a step of whatever it does next."""
        self._count("crash")
        self.excuses += 1
        for life in self._one(which):
            life.fuse.steps, life.fuse.freezes = steps, False

    @rule(which=_WHICH)
    def kill(self, which: int) -> None:
        """Dies while it does nothing, or stands still."""
        self._count("crash")
        self.excuses += 1
        for life in self._one(which):
            self._run(life.kill())

    @rule(which=_WHICH)
    def stop(self, which: int) -> None:
        """As a host ends it: SIGTERM, and time to finish."""
        self._count("stop")
        for life in self._one(which):
            life.thaw()
            self._run(life.end())

    @rule(polls=st.booleans())
    def start(self, polls: bool) -> None:
        """A restart, or a second process beside those that live; some leave the polling to others."""
        self._count("second process" if self.bench.alive else "restart")
        if len(self.bench.alive) < _MOST_LIVES:
            name = f"life-{len(self.bench.lives) + 1}"
            self._run(self.bench.start(name, polls=polls))

    @rule(steps=st.integers(1, 40), which=_WHICH)
    def freeze(self, steps: int, which: int) -> None:
        """Stands still in the middle of something, until its leases have run out."""
        self._count("lease expiry")
        self.excuses += 1
        for life in self._one(which):
            if not life.fuse.is_frozen:
                life.fuse.steps, life.fuse.freezes = steps, True
                self._run(self.bench.pass_time(_PAST_THE_LEASE))

    @rule()
    def thaw(self) -> None:
        self._count("thaw")
        for life in self.bench.alive:
            life.thaw()
        self._run(self.bench.turn())

    @rule(seconds=st.integers(-90, 90))
    def clock_step(self, seconds: int) -> None:
        """The host's clock is set; MEXC's goes on as before."""
        self._count("clock step")
        if not any(life.fuse.is_frozen for life in self.bench.alive):
            step = timedelta(seconds=seconds)
            self.clock.shift(step)
            self.bench.mexc.clock_offset -= step

    @invariant()
    def no_order_is_sent_twice(self) -> None:
        if self.bench.hold_orders_for is not None and self.bench._held:
            self.bench.hold_orders_for = None

        assert max(self.bench.mexc.order_posts.values(), default=0) <= 1, (
            self.bench.mexc.order_posts
        )
        assert self.bench.collisions == [], self.bench.collisions

    @invariant()
    def no_order_rests_beside_another(self) -> None:
        keys = Counter(order.api_key for order in self.bench.resting)
        assert max(keys.values(), default=0) <= 1, self.bench.resting

    @invariant()
    def no_order_leaves_after_a_pause(self) -> None:
        for person in PEOPLE[:2]:
            wishes = self.wishes[person.chat_id]
            if wishes.paused:
                assert self._posts(person) == wishes.posts, person

    @invariant()
    def no_order_leaves_without_a_tap_where_a_person_wants_to_be_asked(self) -> None:
        for person in PEOPLE[:2]:
            wishes = self.wishes[person.chat_id]
            if wishes.autonomy not in {None, TradingMode.AUTO}:
                # An order that is refused for its time stamp is sent once more, with a new one.
                assert self._posts(person) - wishes.posts_before_mode <= 2 * wishes.taps, person

    @invariant()
    def no_more_listen_keys_than_were_lost(self) -> None:
        """One an account; a death or a lost answer may leave one behind."""
        valid = len(self.bench.mexc.listen_keys.left())
        assert valid <= len(PEOPLE[:2]) + self.excuses, valid

    def teardown(self) -> None:
        try:
            if hasattr(self, "bench"):
                self._run(self._heal())
        finally:
            for life in (getattr(self, "bench", None) and self.bench.alive) or ():
                self._run(life.kill())
            self._run(self._stack.aclose())
            self._runner.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _heal(self) -> None:
        """Everything works again: within hours all is told, and everybody is where they want."""
        bench = self.bench
        bench.mexc._faults.clear()
        bench.telegram._faults.clear()
        bench.hold_orders_for = None
        self.streams.trouble = Trouble()
        self.streams.handshakes.clear()
        self.streams.refusals.clear()
        self.streams.event_delay = bench.mexc.ledger.journal.rest_behind = timedelta()
        self.streams.cut_all()
        bench.database_faults.before = bench.database_faults.lost = 0
        self._stock_book("250000", refills=True)
        ledger = bench.mexc.ledger
        ledger.invisible_lookups = ledger.stale_reads = 0
        ledger.invisible_for = ledger.stale_for = timedelta()
        for life in bench.alive:
            life.thaw()
            life.fuse.steps = None
        if not any(life.polls for life in bench.alive):
            await bench.start("healer")
        await bench.pass_time(timedelta(minutes=12))
        for person in PEOPLE[:2]:
            await self._judge_wishes(person)
            await bench.say(person, "/mode auto")
            await bench.trade(person)
        await bench.pass_time(timedelta(minutes=12))
        for person in PEOPLE[:2]:
            await self._answer_for_orders(person)
        await bench.until_quiet(most=_HEALS_WITHIN)

        broken = await broken_at_rest(bench)
        assert broken == [], broken
        for person in PEOPLE[:2]:
            await self._assert_on_target(person)

    async def _answer_for_orders(self, person: Person) -> None:
        """Say of an order that the bot cannot clear up what MEXC's own list of orders says."""
        executed = {order.client_order_id for order in self.bench.mexc.orders if order.executed}
        for order in await self.bench.intents(person):
            if order.state is not OrderState.NEEDS_HUMAN:
                continue
            self._count("answer for an order")
            await self.bench.say(person, "/resume")
            was_filled = order.client_order_id in executed
            await self.bench.tap(person, "It was filled" if was_filled else "It was not")
            shown = self.bench.telegram.sent(person.chat_id)[-1]
            if _label(shown, "I am sure"):
                await self.bench.tap(person, "I am sure, put it aside")
            await self.bench.trade(person)

    async def _judge_wishes(self, person: Person) -> None:
        settings = (await self.bench.account(person)).settings
        wishes = self.wishes[person.chat_id]

        assert wishes.target in {None, settings.fixed_goal.target}, (wishes, settings)
        assert wishes.autonomy in {None, settings.autonomy}, (wishes, settings)
        assert settings.paused or not wishes.paused, (wishes, settings)

    async def _assert_on_target(self, person: Person) -> None:
        """In the band, or a sentence says why not."""
        account = await self.bench.account(person)
        if account.settings.fixed_goal.band.holds(self.bench.usdt(person)):
            return
        verdicts = [_verdict(life, account) for life in self.bench.alive]

        assert any(
            isinstance(v, NoTrade) and not isinstance(v.reason, InsideBand) for v in verdicts
        ), (self.bench.usdt(person), verdicts, self.bench.texts(person)[-5:])

    def _say(self, person: Person, text: str, **wish: Any) -> None:
        """Write to the bot. Where nothing was in the way the wish must now be so; else it may be."""
        self._count("user command")
        wishes = self.wishes[person.chat_id]
        disturbed = self._disturbed()
        if wish.get("paused") is False:
            wishes.paused = None
        known = len(self.bench.telegram.sent(person.chat_id))
        update_id = self.bench.telegram.say(person.chat_id, text)
        self._run(self.bench.turn())
        # What moves much is asked about first; while Telegram is away, the question waits.
        # It may come too late then, or after something else has changed.
        yes = "Start" if text == "/resume" else f"Set {wish.get('target', 0):.2f} USDT"
        shown = self.bench.telegram.sent(person.chat_id)[known:]
        if asked := next((one for one in reversed(shown) if yes in one.labels), None):
            update_id = self.bench.telegram.tap(person.chat_id, yes, message=asked)
            self._run(self.bench.turn())
        if not wish:
            return
        said = "".join(self.bench.texts(person)[known:])
        undisturbed = not disturbed and not self._disturbed()
        if asked:
            undisturbed &= "Target set to" in said or "Trading is on" in said
        obeyed = undisturbed and self._run(self._handled(update_id, person))
        settings = self._run(self.bench.account(person)).settings
        for name, value in wish.items():
            setattr(wishes, name, value if obeyed else None)

            is_now = settings.fixed_goal.target if name == "target" else getattr(settings, name)
            assert not obeyed or value is False or is_now == value, text
        wishes.posts = self._posts(person)
        if "autonomy" in wish:  # a tap that was not carried out yet may come after it
            wishes.posts_before_mode, wishes.taps = wishes.posts, min(wishes.taps, 1)

    async def _handled(self, update_id: int, person: Person) -> bool:
        """And answered."""
        over = select(InboxRow.id).where(
            InboxRow.update_id == update_id,
            InboxRow.done_at.is_not(None),
            InboxRow.failure.is_(None),
        )
        unsaid = select(OutboxRow.id).where(
            OutboxRow.chat_id == person.chat_id,
            OutboxRow.kind == ANSWER,
            OutboxRow.done_at.is_(None),
        )
        async with self.bench.database.reading() as session:
            return await session.scalar(over) is not None and await session.scalar(unsaid) is None

    def _one(self, which: int) -> list[Life]:
        """One of those that live, or none: what is drawn must not depend on how a run went."""
        return self.bench.alive[which : which + 1]

    def _disturbed(self) -> bool:
        faults = self.bench.database_faults
        fused = any(life.fuse.steps is not None for life in self.bench.alive)
        return bool(faults.before or faults.lost or fused)

    def _posts(self, person: Person) -> int:
        return sum(
            exchange.request.method == "POST"
            and exchange.request.path == ORDER
            and exchange.request.headers.get("x-mexc-apikey") == person.api_key
            for exchange in self.bench.exchanges
        )

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(doing)

    def _count(self, step: str) -> None:
        type(self).steps[step] += 1

    @classmethod
    def _migrated(cls) -> Path:
        if cls.template is None:
            cls.template = Path(tempfile.mkdtemp(prefix="ballast-")) / "template.db"
            migrate(f"sqlite:///{cls.template}")
        return cls.template


def _label(message: SentMessage, start: str) -> str | None:
    return next((label for label in message.labels if label.startswith(start)), None)


def _verdict(life: Life, account: Account) -> object:
    standing = life.parts.dispatcher.standing(account.id)
    return standing and standing.look and standing.look.verdict
