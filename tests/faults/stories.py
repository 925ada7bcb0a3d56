"""What the crash matrix tells again and again: short stories of a person, money and the program.

A story only looks at the chats and at MEXC, and waits, as its person would; so it reads the same
whether the program lives through it once or is killed somewhere and started again. It passes on
to its end without ever asking which life it is in.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import Enum

from engine.clock import SystemClock, to_millis
from tests.e2e.process import until
from tests.e2e.world import ACCOUNT, API_KEY, API_SECRET, ORDER, OWNER, World
from tests.fakes.mexc_books import mntl
from tests.fakes.mexc_connection import AtExpiry
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault, json_reply, refusal
from tests.fakes.mexc_rows import order_row
from tests.fakes.telegram_faults import refused
from tests.fakes.telegram_messages import SentMessage
from tests.faults.after_the_run import Books
from tests.faults.crashing import KEYS_IN_A_HURRY

LOOK_UP = ("GET", "/api/v3/order")
GROUP, SUPERGROUP, STRANGER, FRIEND = -5001, -1005001, 6006, 6008
_NEXT_PAGE_S = 5.0
_CODE = re.compile(r"/start ([A-Za-z0-9_-]+)$", re.MULTILINE)


class Scene(Enum):
    """What was there before: nothing, a chat that trades, or an order that never reached MEXC.

    But for the first, the program was killed there, not stopped.
    """

    EMPTY = "empty"
    TRADING = "trading"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Story:
    """*env* is added to what the program is started with, *without* names what it does not get; with
    *streams* MEXC tells what changes.
    """

    tell: Callable[[World], Awaitable[None]]
    scene: Scene = Scene.TRADING
    env: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    streams: bool = False

    @property
    def name(self) -> str:
        return self.tell.__name__


async def the_first_day(world: World) -> None:
    await let_in(world)
    # Killed between the note that a stranger was answered and the answer, it never answers that
    # one: better than answering twice. The next one is answered.
    for stranger in (STRANGER, STRANGER + 1):
        world.telegram.say(stranger, "hello")
    await until(lambda: world.told(STRANGER) or world.told(STRANGER + 1))
    while not heard(world, "Key connected"):
        step = await world.ask("/connect", "Step 1 of 2")
        if "Step 2 of 2" in (await said(world, API_KEY, after=step)).text:
            await said(world, API_SECRET, after=heard(world, "Step 2 of 2"))
    await world.ask("/resume", "Trading is on")
    await world.hears("Bought")


async def a_drift(world: World) -> None:
    world.drift("17.10")
    await world.hears("Bought")


async def a_stream_that_tells(world: World) -> None:
    """Its key is extended, then MEXC knows it no more and says nothing, and the next one goes with
    the API key.
    """
    keys, streams = world.mexc.listen_keys, world.streams
    await until(streams.subscribed, lambda: world.programs[-1].log)
    world.drift("17.10")
    await world.hears("Bought")
    await until(lambda: keys.put_ages, lambda: world.programs[-1].log)
    streams.at_expiry = AtExpiry.MUTE
    for key in keys.of(API_KEY):
        keys.expire(key)
    await until(
        lambda: any(one.channels and not one.is_muted for one in streams.connections),
        lambda: world.programs[-1].log,
    )
    await the_key_is_forgotten(world)


async def an_answer_is_lost(world: World) -> None:
    """And the order is still open when it is first looked up."""
    world.mexc.inject(Fault(*ORDER, reply=DROPPED, executes=True))
    world.drift("17.10")
    await world.orders(1)
    world.mexc.inject(_still_open(world, times=1))
    await world.hears("Confirmed late")


async def an_order_never_arrived(world: World) -> None:
    await world.hears("The order never arrived")
    await world.hears("Bought")


async def an_order_needs_a_person(world: World) -> None:
    """Who is not believed at first, because the balances say something else."""
    silence = world.mexc.inject(Fault(*LOOK_UP, reply=BAD_GATEWAY, times=None))
    Books(world.folder).pass_time(timedelta(minutes=16))
    card = await world.hears("Please look at MEXC")
    await tapped(world, "It was filled", card)
    await world.hears("I cannot confirm that")
    await tapped(world, "It was not", card)
    await any_of(world, "Taken as not filled", "It did not trade")
    world.mexc.remove(silence)
    await world.hears("Bought")


async def mexc_knows_better(world: World) -> None:
    """While a person is asked, the order turns up: open at first, then filled."""
    world.mexc.inject(Fault(*ORDER, reply=DROPPED, executes=True))
    silence = world.mexc.inject(Fault(*LOOK_UP, reply=BAD_GATEWAY, times=None))
    world.drift("17.10")
    await world.hears("An order is unclear")
    Books(world.folder).pass_time(timedelta(minutes=16))
    card = await world.hears("Please look at MEXC")
    if not world.mexc.orders:  # killed before it left: there is nothing to know better
        world.mexc.remove(silence)
        await world.hears("Bought")
        return
    is_open = world.mexc.inject(_still_open(world, times=None))
    world.mexc.remove(silence)
    await tapped(world, "It was filled", card)
    known = await world.hears("MEXC has it now")
    await tapped(world, "Look again", card)
    await any_of(world, "MEXC has it now", after=known.message_id)
    world.mexc.remove(is_open)
    if card.button("Look again"):  # else the program looks again in a while
        await tapped(world, "Look again", card)
    await world.hears("Bought")


async def an_order_is_refused(world: World) -> None:
    """First its type, by the test order; then for the clock, which is measured and made good at once;
    then for good.
    """
    world.mexc.ledger.pairs["MNTLUSDT"].ioc = False
    for code in (700003, 30005):
        world.mexc.inject(Fault(*ORDER, reply=refusal(code, "no")))
    world.drift("17.10")
    await any_of(world, "refused an order", "The order never arrived")
    await world.hears("Bought")


async def mexc_is_away(world: World) -> None:
    world.mexc.inject(Fault(*ACCOUNT, reply=BAD_GATEWAY, times=2))
    await world.hears("MEXC does not answer")
    await world.hears("MEXC answers again")


async def a_trade_is_not_possible(world: World) -> None:
    tokens = world.account.of("MNTL")
    tokens.free = Decimal(0)
    world.drift("-10")
    await world.hears("I could not trade")
    tokens.free = Decimal(100_000)
    await world.hears("Sold")
    await world.checks(2)  # back in its band, it forgets since when it was outside


async def the_balance_is_old(world: World) -> None:
    """MEXC shows the balances from before the fill for longer than a minute."""
    usdt, tokens = world.account.of("USDT"), world.account.of("MNTL")
    world.drift("17.10")
    before = usdt.free, tokens.free
    await world.hears("Bought")
    after = usdt.free, tokens.free
    usdt.free, tokens.free = before
    Books(world.folder).pass_time(timedelta(minutes=2))
    await world.hears("MEXC's balance is old")
    usdt.free, tokens.free = after


async def a_plan_is_tapped(world: World) -> None:
    """Inside the band, where nothing but the tap would trade."""
    world.drift("1.90")
    plan = await world.ask("/rebalance", "Plan for")
    await tapped(world, "Trade", plan)
    await any_of(world, "Bought", "The order never arrived", "Nothing traded")


async def a_sale_by_hand(world: World) -> None:
    """It pauses trading with its order, so that nothing buys it back."""
    plan = await world.ask("/sell 50%", "Sell MNTL?")
    await tapped(world, "Sell, then pause", plan)
    if "Nothing traded" in (await any_of(world, "Sold", "never arrived", "Nothing traded")).text:
        return
    await world.ask("/status", "PAUSED")


async def a_sale_over_time(world: World) -> None:
    """Its first slice is begun, and the rest is stopped. A slice that was begun is not sent again."""
    plan = await world.ask("/sell 30 USDT of MNTL over 15m", "Sell MNTL over")
    await tapped(world, "Sell, then pause", plan)
    begun = "SELECT 1 FROM sliced_trades WHERE last > 0"
    await until(lambda: Books(world.folder).rows(begun), lambda: world.programs[-1].log)
    await ask_any(world, "/sell stop", "No further slice leaves", "Nothing to stop")
    await any_of(world, "MNTL over time", "Nothing sold over time")


async def a_basket(world: World) -> None:
    """Of three tokens. What it needs is over a limit first; then one token is sold for the others,
    order by order.
    """
    for base, price, free in (("ABC", "0.5", 40), ("XYZ", "0.02", 1000)):
        pair = mntl(price)
        pair.symbol, pair.base = f"{base}USDT", base
        world.mexc.add_pair(pair)
        world.account.of(base).free = Decimal(free)
    await world.ask("/limits order 5", "5.00 USDT")
    shares = "MNTL 40%, ABC 20%, XYZ 20%, USDT 20%"
    while not heard(world, f"Target set to {shares}", f"Target is {shares} already"):
        card = await ask_any(world, f"/target {shares}", "Set this target?", "already")
        if card.button("Set"):
            await tapped(world, "Set", card)
    await world.hears("I could not trade")

    assert world.mexc.orders == []

    await world.ask("/limits order 500", "500.00 USDT")
    await world.orders(3)


async def a_set_time(world: World) -> None:
    """The first is missed, the second comes when all is inside, the third when there is a drift."""
    books = Books(world.folder)

    async def dealt_with(within: timedelta) -> None:
        oldest = to_millis(SystemClock().now() - within)
        stored = f"SELECT 1 FROM accounts WHERE slot_at > {oldest}"  # noqa: S608 - a number of ours
        await until(lambda: books.rows(stored), lambda: world.programs[-1].log)

    async def begins(ago: timedelta) -> None:
        await world.ask(f"/schedule {SystemClock().now() - ago:%H:%M}", "Schedule")
        await dealt_with(timedelta(minutes=2))
        books.set_time_is_due(timedelta(hours=2))

    await begins(timedelta(minutes=90))
    await world.hears("A set time was missed")
    await begins(timedelta(minutes=10))
    await dealt_with(timedelta(hours=1))
    world.drift("17.10")
    await world.checks(2)

    assert world.mexc.orders == []

    books.set_time_is_due(timedelta(hours=2))
    if "never arrived" in (await any_of(world, "Bought", "The order never arrived")).text:
        books.set_time_is_due(timedelta(hours=2))  # it was let out, so that set time is over
        await world.hears("Bought")


async def a_tap_is_overtaken(world: World) -> None:
    """The target is changed while the tapped plan is priced again."""
    world.drift("1.90")
    plan = await world.ask("/rebalance", "Plan for")
    await tapped(world, "Trade", plan)
    slow = world.mexc.inject(Fault(*ACCOUNT, delay=timedelta(seconds=1), times=None))
    await world.checks(1)
    await world.ask("/settarget 41", "41.00 USDT")
    world.mexc.remove(slow)
    await any_of(world, "Nothing traded", "Bought", "The order never arrived")


async def a_pause(world: World) -> None:
    await world.ask("/pause", "PAUSED")
    world.drift("17.10")
    await world.ask("/status", "PAUSED")

    assert world.mexc.orders == []

    await world.ask("/resume", "Trading is on")
    await world.hears("Bought")


async def a_limit_and_a_halt(world: World) -> None:
    await world.ask("/limits order 500", "500.00 USDT")
    await world.ask("/halt", "HALTED")
    world.drift("17.10")
    await world.ask("/status", "HALTED")

    assert world.mexc.orders == []

    while not heard(world, "The halt is lifted", "There is no halt"):
        question = await ask_any(world, "/halt off", "Lift the halt?", "There is no halt")
        if question.button("Yes, lift it"):
            await tapped(world, "Yes, lift it", question)
    await world.hears("Bought")


async def a_token_runs_low(world: World) -> None:
    await world.ask("/alerts recovery silent", "Solved   silent")
    await world.ask("/warn MNTL 10000000", "below 10,000,000 MNTL")
    await world.hears("MNTL runs low")
    await ask_any(world, "/warn MNTL off", "Warning removed", "I did not watch it")


async def a_big_target(world: World) -> None:
    """So much would be sold that the person is asked first."""
    while not heard(world, "Target set to 110.00 USDT", "Target is 110.00 USDT already"):
        question = await ask_any(
            world, "/settarget 110", "Set the target to 110.00 USDT?", "is 110.00 USDT already"
        )
        if question.button("Set 110.00 USDT"):
            await tapped(world, "Set 110.00 USDT", question)
    await world.hears("Sold")


async def a_value_is_entered(world: World) -> None:
    """In the panel, in the place of the page that asks for it."""
    while not heard(world, "Interval set to 7 s", "Interval is 7 s already"):
        panel = await world.ask("/settings", "· Settings")
        await tapped(world, "⏱ Interval", panel)
        await _shown(panel, "✏️ Other…")
        await tapped(world, "✏️ Other…", panel)
        await _shown(panel, "✖️ Cancel")
        await said(world, "7s", after=panel)


async def a_card_is_pinned(world: World) -> None:
    """And taken down. A life that was killed in between may have put up another card."""
    await world.ask("/status", "Next     ")
    for label, pinned in (("Pin", True), ("Unpin", False)):
        while any(m.pinned for m in world.telegram.sent(OWNER)) is not pinned:
            card = heard(world, "Next     ")
            if card is not None and card.button(label):
                await tapped(world, label, card)
            await SystemClock().sleep(timedelta(milliseconds=100))


async def the_price_jumps(world: World) -> None:
    """And a person looks at the plan before the program does, inside the band."""
    world.drift("17.10")
    await world.hears("Bought")
    world.drift("1.70")
    world.mexc.ledger.pairs["MNTLUSDT"].move(Decimal("1.5"))
    while not heard(world, "away from the one I saw last", "at about 0.003"):
        await world.ask("/rebalance", "LIVE")


async def a_plan_is_offered(world: World) -> None:
    """And put off; its drift ends by itself, and the next one is traded without a question."""
    await world.ask("/mode ask", "Mode")
    world.drift("-17.10")
    card = await world.hears("Shall I trade?")

    assert world.mexc.orders == []

    await tapped(world, "Skip", card)
    world.drift("17.10")
    await world.checks(2)
    world.drift("17.10")
    await world.ask("/mode auto", "Mode")
    await world.hears("Bought")


async def a_deposit_raises_the_target(world: World) -> None:
    await world.ask("/mode notify", "Mode")
    world.drift("100")
    told = await world.hears("100.00 USDT arrived")
    await tapped(world, "Keep: target 140.00", told)
    await world.ask("/status", "target 140 ±")


async def the_key_is_forgotten(world: World) -> None:
    while not heard(world, "Key forgotten", "This chat has no key"):
        question = await ask_any(world, "/disconnect", "Forget the key", "This chat has no key")
        if question.button("Forget the key"):
            await tapped(world, "Forget the key", question)


async def telegram_is_away(world: World) -> None:
    """The answer and the alert wait in the outbox until it is back."""
    world.telegram_is_away("sendMessage")
    world.telegram.say(OWNER, "/settarget 50")
    await world.orders(1)
    world.telegram_is_back()
    await world.hears("Band 47.50 – 52.50 USDT")
    await world.hears("Sold")


async def the_person_blocks_the_bot(world: World) -> None:
    world.telegram.block(OWNER)
    world.drift("17.10")
    await until(lambda: world.telegram.called("sendMessage"), lambda: world.programs[-1].log)
    world.telegram.unblock(OWNER)
    await world.ask("/start", "Hello")
    # Who cannot be told is not traded for, so it depends on which was first: the order, or the
    # message of what arrived. Whatever was traded has been told when the story comes to rest.
    await any_of(world, "17.10 USDT arrived")


async def a_group_moves(world: World) -> None:
    """It trades on paper, and becomes a supergroup before the answer to its last wish."""
    _say_in_group(world, "/dryrun on")
    await world.hears("Dry run is on", chat=GROUP)
    _say_in_group(world, "/resume")
    # One order brings it to its target; its alert must not meet the move.
    await until(lambda: any("Bought" in text for text in world.told(GROUP)))
    _say_in_group(world, "/settarget 60")
    world.telegram.migrate(GROUP, SUPERGROUP)
    await world.hears("60.00 USDT", chat=SUPERGROUP)
    await world.hears("Sold", chat=SUPERGROUP)


async def a_friend_is_let_in(world: World) -> None:
    """Into a group that only paper trades in, by an owner's code; then may only look, as all may."""
    world.telegram.open_chat(OWNER)
    _say_in_group(world, "/invite trader")
    offered = await world.hears("/start ", chat=OWNER)
    code = _CODE.findall(offered.text)[0]
    world.telegram.say(GROUP, f"/start {code}", user_id=FRIEND, chat_type="group")
    await until(lambda: any(t in m for m in world.told(GROUP) for t in ("Welcome", "in already")))
    await _in_the_list(
        world,
        f"User {FRIEND}",
        "Make viewer",
        "Yes, viewer",
        until_it_has="viewer, since",
    )
    await _in_the_list(world, "Let all look", "Yes", until_it_has="Everybody else in the group")


async def _in_the_list(world: World, *labels: str, until_it_has: str) -> None:
    """Tap through the list of members until it shows that it was done.

    A card loses its buttons a moment before it gets the next ones, and never gets them from a
    program that was killed in between: then the list is asked for again.
    """
    while True:
        after = world.newest(GROUP)
        _say_in_group(world, "/members")
        listed = await world.hears("else in the group", after=after, chat=GROUP)
        if until_it_has in listed.text:
            return
        for label in labels:
            if not await _is_shown(listed, label):
                break
            await tapped(world, label, listed, chat=GROUP)
            await _gone(listed, label)


async def a_file_and_plain_text(world: World) -> None:
    world.drift("17.10")
    await world.hears("Bought")
    world.telegram.say(OWNER, "/export")
    await until(lambda: any(m.document for m in world.telegram.sent(OWNER)))
    world.telegram.fail("sendMessage", refused(400, "Bad Request: can't parse entities: no"))
    await world.ask("/version", "Ballast")


async def a_key_is_ending(world: World) -> None:
    """And a person asks what is wrong."""
    world.account.days_left = 3
    while not heard(world, "Your MEXC key ends in 3 days"):
        Books(world.folder).key_is_due()
        await ask_any(world, "/doctor", "ends in 3 days. To renew it")


# The first that passes a point is told when the program is killed there, so the short ones lead.
STORIES = (
    Story(a_drift),
    Story(a_pause),
    Story(a_plan_is_tapped),
    Story(a_plan_is_offered),
    Story(a_deposit_raises_the_target),
    Story(the_key_is_forgotten),
    Story(a_limit_and_a_halt),
    Story(a_stream_that_tells, env={KEYS_IN_A_HURRY: "1"}, streams=True),
    Story(a_token_runs_low),
    Story(a_card_is_pinned),
    Story(a_big_target),
    Story(a_value_is_entered),
    Story(an_order_is_refused),
    Story(an_answer_is_lost),
    Story(an_order_never_arrived, Scene.LOST),
    Story(a_file_and_plain_text),
    Story(a_key_is_ending),
    Story(telegram_is_away),
    Story(the_person_blocks_the_bot),
    Story(the_first_day, Scene.EMPTY, without=("AUTHORIZED_CHATS",)),
    Story(a_trade_is_not_possible),
    Story(mexc_is_away),
    Story(the_price_jumps),
    Story(a_sale_over_time),
    Story(a_basket),
    Story(a_set_time),
    Story(a_tap_is_overtaken),
    Story(the_balance_is_old),
    Story(an_order_needs_a_person, Scene.LOST),
    Story(mexc_knows_better),
    Story(a_friend_is_let_in, env={"AUTHORIZED_CHATS": f"{OWNER},{GROUP}"}),
    Story(a_sale_by_hand),
    Story(a_group_moves, env={"AUTHORIZED_CHATS": f"{OWNER},{GROUP},{SUPERGROUP}"}),
)


async def let_in(world: World) -> None:
    """Every start without an owner logs another code, and the former one is worthless."""
    tried: set[str] = set()

    def is_in() -> bool:
        offered = {code for program in world.programs for code in _CODE.findall(program.log)}
        for code in offered - tried:
            world.telegram.say(OWNER, f"/start {code}")
        tried.update(offered)
        return heard(world, "Welcome", "You need no code") is not None

    await until(is_in, lambda: world.programs[-1].log)


def heard(world: World, *texts: str, after: int = 0) -> SentMessage | None:
    """The newest message with one of *texts* in it."""
    messages = [m for m in world.telegram.sent(OWNER) if m.message_id > after]
    return next((m for m in reversed(messages) if any(t in m.text for t in texts)), None)


async def any_of(world: World, *texts: str, after: int = 0) -> SentMessage:
    await until(
        lambda: heard(world, *texts, after=after),
        lambda: f"none of {texts} in {world.told()}\n{world.programs[-1].log}",
    )
    found = heard(world, *texts, after=after)

    assert found is not None
    return found


async def ask_any(world: World, text: str, *answers: str) -> SentMessage:
    after = world.newest()
    world.telegram.say(OWNER, text)
    return await any_of(world, *answers, after=after)


async def said(world: World, text: str, *, after: SentMessage | None) -> SentMessage:
    """Say *text*, and hear whatever comes after that message; *text* is a step of a dialog, and
    a program that was killed in between may not know any more what it had asked for.
    """
    shown = after.message_id if after else 0
    world.telegram.say(OWNER, text)
    return await any_of(world, "", after=shown)


async def tapped(world: World, label: str, message: SentMessage, *, chat: int = OWNER) -> None:
    """Tap, and see the tap acknowledged."""
    tap = str(world.telegram.tap(chat, label, user_id=OWNER, message=message))
    await until(
        lambda: tap in world.telegram.answers,
        lambda: f"{label} was not acknowledged\n{world.programs[-1].log}",
    )


async def _shown(message: SentMessage, label: str) -> None:
    """Until the message was edited to have that button."""
    await until(lambda: message.button(label), lambda: message.text)


async def _is_shown(message: SentMessage, label: str) -> bool:
    """Whether the message gets that button in the time that a living program needs."""
    try:
        await until(lambda: message.button(label), within=_NEXT_PAGE_S)
    except TimeoutError:
        return False
    return True


async def _gone(message: SentMessage, label: str) -> None:
    """Until the message was edited to have that button no more."""
    await until(lambda: not message.button(label), lambda: message.text)


def _still_open(world: World, *, times: int | None) -> Fault:
    row = order_row(world.mexc.orders[0])
    nothing_yet = {"status": "NEW", "executedQty": "0", "cummulativeQuoteQty": "0"}
    return Fault(*LOOK_UP, reply=json_reply(row | nothing_yet), times=times)


def _say_in_group(world: World, text: str) -> None:
    world.telegram.say(GROUP, text, user_id=OWNER, chat_type="group")
