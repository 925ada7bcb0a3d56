"""How loud an alert is when it is sent, and to which message it answers: over the real relay."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from telegram import Bot
from telegram.request import HTTPXRequest

from bot.interaction.message import Message, to_payload
from bot.messaging import alert_pictures
from bot.messaging.alert_pictures import AlertPictures
from bot.messaging.outbox import OutboxSender, render_queued
from bot.messaging.responder import ANSWER
from engine.accounts.deliverability import Deliverability
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share, SharedAlerts
from engine.domain.alerts.alerts import (
    Alert,
    Halted,
    IncidentResolved,
    OrderNeedsPerson,
    OrderUnclear,
    RunDeclined,
    trade_settled,
)
from engine.domain.alerts.deposit_alerts import DepositWaiting
from engine.domain.alerts.preferences import AlertLevel, AlertPreferences, QuietHours
from engine.domain.alerts.report_alerts import WeeklyReport
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.pairs import Side
from engine.domain.orders.order import Order, OrderState, Trigger
from engine.domain.rebalancing.planner import InsideBand
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, alert_preferences, shares
from engine.storage.chat import confirmations
from engine.storage.database import Database
from engine.storage.models.accounts import AlertPreferencesRow
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox, reply_threads
from engine.storage.trading import orders
from tests import builders
from tests.builders import MNTLUSDT
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import statements
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.tasks import a_moment, running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import LOST_ANSWER, Fault, refused
from tests.fakes.telegram_messages import SentMessage
from tests.fakes.telegram_server import TOKEN

ANNA, BEN = 7, 8
PNG = b"\x89PNG drawn"
D = Decimal
OVER = IncidentResolved(
    dry_run=False, kind=IncidentKind.UNREACHABLE, count=1, since=START, at=START
)
DEPOSIT = DepositWaiting(
    dry_run=False,
    symbol=MNTLUSDT,
    moved=(),
    quantity_step=None,
    held=D(140),
    target=D(40),
    amount=D(100),
    buys=D(100),
    new_target=None,
    until=START,
    asks=False,
    question_id="q",
)
UNCLEAR = OrderUnclear(dry_run=False, symbol=MNTLUSDT, side=Side.BUY, expected_quote=D("17.10"))


class Chat:
    """One chat with an account, and the relay that tells it."""

    def __init__(self, database: Database, clock: FakeClock, api: FakeTelegram, bot: Bot) -> None:
        self.database, self.clock, self.api, self.bot = database, clock, api, bot
        self.relay = self.a_relay()

    def a_relay(
        self,
        render: Callable[[str, str], Message] = render_queued,
        draw: Callable[[str], Awaitable[bytes | None]] | None = None,
    ) -> OutboxSender:
        async def nothing(*_: int) -> None: ...

        async def nobody(_: int) -> list[int]:
            return []

        return OutboxSender(
            database=self.database,
            clock=self.clock,
            bot=self.bot,
            render=render,
            deliverability=Deliverability(database=self.database, clock=self.clock, others=nobody),
            on_migrated=nothing,
            pictures=draw and AlertPictures(database=self.database, clock=self.clock, draw=draw),
        )

    async def open(self) -> Account:
        async with self.database.writing() as session:
            return await accounts.get_or_create(
                session, chat_id=ANNA, settings=builders.settings(), now=START
            )

    async def wants(self, account: Account, settings: AlertPreferences) -> None:
        async with self.database.writing() as session:
            await alert_preferences.put(session, account.id, settings, now=self.clock.now())

    async def queue(self, alert: Alert, key: str) -> None:
        async with self.database.writing() as session:
            await publish(session, ANNA, alert, key=key, now=self.clock.now())

    async def tapped_plan(self, chat_id: int, *, shown_in: int = ANNA) -> int:
        """A plan that was shown; its button, under the id "tap-1", was tapped in *chat_id*."""
        plan = await self.bot.send_message(shown_in, "The plan")
        question = Confirmation(
            id="tap-1",
            chat_id=chat_id,
            user_id=1,
            kind="rebalance",
            payload="",
            asked_at=START,
            expires_at=START + timedelta(minutes=1),
        )
        async with self.database.writing() as session:
            await confirmations.ask(session, question)
            await confirmations.take(
                session,
                "tap-1",
                chat_id=chat_id,
                user_id=1,
                now=START,
                message_id=plan.message_id,
            )
        return plan.message_id

    async def order(self, **changes: object) -> Order:
        intent = builders.intent(
            state=OrderState.FILLED, execution=builders.execution(), **changes
        )
        async with self.database.writing() as session:
            await orders.add(session, intent)
        return intent

    async def share(self, account: Account, **changes: Any) -> None:
        """The account is shared with Ben's private chat."""
        self.api.open_chat(BEN)
        values: dict[str, Any] = {
            "chat_id": BEN,
            "account_id": account.id,
            "role": Role.TRADER,
            "user_id": BEN,
            "name": "Ben",
            "shared_by": ANNA,
            "created_at": START,
        }
        async with self.database.writing() as session:
            await shares.remove(session, BEN)
            await shares.add(session, Share(**values | changes))

    async def told(self) -> list[SentMessage]:
        """All that arrived, once nothing waits any more."""
        async with running(self.relay.run()):
            while any(row.done_at is None for row in await self.rows()):
                await a_moment()
        return self.api.sent(ANNA)

    async def rows(self) -> list[OutboxRow]:
        async with self.database.reading() as session:
            return list((await session.scalars(select(OutboxRow).order_by(OutboxRow.id))).all())


def a_request() -> HTTPXRequest:
    """Loading certificates takes long."""
    return HTTPXRequest(httpx_kwargs={"verify": NO_CERTIFICATES})


@pytest.fixture
async def chat(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Chat]:
    async with (
        Database.open(sqlite_url, clock=clock) as database,
        FakeTelegram(clock=clock) as api,
        Bot(
            TOKEN,
            base_url=f"{api.url}/bot",
            request=a_request(),
            get_updates_request=a_request(),
        ) as bot,
    ):
        api.open_chat(ANNA)
        yield Chat(database, clock, api, bot)


async def test_an_alert_is_read_once(chat: Chat):
    def read_again(kind: str, payload: str) -> Message:
        raise AssertionError(f"{kind} {payload}")

    await chat.open()
    await chat.queue(OVER, "over")
    chat.relay = chat.a_relay(read_again)
    [told] = await chat.told()

    assert "MEXC" in told.text
    assert [row.failure for row in await chat.rows()] == [None]


async def test_what_is_off_is_not_sent_and_says_so_in_its_row(chat: Chat):
    account = await chat.open()
    await chat.wants(account, AlertPreferences().with_level(AlertKind.RECOVERY, AlertLevel.OFF))
    await chat.queue(OVER, "over:1:x")
    await chat.queue(UNCLEAR, "order:bl1:unclear")

    [sent] = await chat.told()
    off, on = await chat.rows()

    assert "An order is unclear" in sent.text
    assert (off.failure, off.message_id, on.failure) == ("off", None, None)


async def test_a_small_trade_is_kept_for_the_digest(chat: Chat):
    account = await chat.open()
    await chat.wants(account, AlertPreferences(smallest=D(20)))
    order = await chat.order()
    await chat.queue(trade_settled(order, late=False), f"order:{order.client_order_id}:filled")

    assert await chat.told() == []
    assert [row.failure for row in await chat.rows()] == ["too small to tell"]


async def test_the_time_of_sending_decides_whether_it_is_quiet(chat: Chat, clock: FakeClock):
    account = await chat.open()
    night = AlertPreferences(quiet=QuietHours(13 * 60, 14 * 60), errors_break_through=False)
    await chat.wants(account, night)
    await chat.queue(OVER, "over:1:a")
    clock.shift(timedelta(hours=1))  # Telegram was away: it is 13:00 when this can be sent
    await chat.told()
    await chat.queue(OVER, "over:1:b")
    clock.shift(timedelta(hours=1))

    assert [message.silent for message in await chat.told()] == [True, False]


async def test_a_change_holds_for_what_waits_already(chat: Chat):
    account = await chat.open()
    await chat.queue(OVER, "over:1:a")
    await chat.wants(account, AlertPreferences().with_level(AlertKind.RECOVERY, AlertLevel.SILENT))

    assert [message.silent for message in await chat.told()] == [True]


async def test_answers_are_never_held_back(chat: Chat):
    account = await chat.open()
    levels = dict.fromkeys(AlertKind, AlertLevel.OFF)
    await chat.wants(account, AlertPreferences(levels=levels, quiet=QuietHours(0, 1439)))
    async with chat.database.writing() as session:
        await outbox.add(
            session,
            chat_id=ANNA,
            kind=ANSWER,
            payload=to_payload(Message("You hold 40.00 USDT.")),
            dedupe_key="answer:1",
            now=START,
        )

    [sent] = await chat.told()

    assert (sent.text, sent.silent) == ("You hold 40.00 USDT.", False)


async def test_settings_that_cannot_be_read_silence_nothing(chat: Chat):
    account = await chat.open()
    await chat.wants(account, AlertPreferences().with_level(AlertKind.RECOVERY, AlertLevel.OFF))
    async with chat.database.writing() as session:
        await session.execute(update(AlertPreferencesRow).values(levels="[]"))
    await chat.queue(OVER, "over:1:a")

    [sent] = await chat.told()

    assert not sent.silent


async def test_alerts_that_leave_together_are_read_together(chat: Chat):
    account = await chat.open()
    await chat.share(account)
    await chat.queue(OVER, "over:1:a")  # and a copy of it for Ben
    with statements(chat.database) as asked:
        await chat.told()

    assert sum(AlertPreferencesRow.__tablename__ in one for one in asked) == 1
    assert [len(chat.api.sent(chat_id)) for chat_id in (ANNA, BEN)] == [1, 1]


async def test_an_alert_that_breaks_what_reads_it_lets_those_beside_it_pass(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
):
    read = reply_threads.begun_by

    async def break_with_bens(session: AsyncSession, rows: Collection[OutboxRow]) -> Any:
        if any(row.chat_id == BEN for row in rows):
            raise LookupError("a bug of ours")
        return await read(session, rows)

    monkeypatch.setattr(reply_threads, "begun_by", break_with_bens)
    account = await chat.open()
    await chat.share(account)
    await chat.queue(OVER, "over:1:a")
    async with running(chat.relay.run()), asyncio.timeout(30):
        while {row.chat_id for row in await chat.rows() if row.failure} != {BEN}:
            await a_moment()
        while not chat.api.sent(ANNA):
            await a_moment()

    assert [row.attempts for row in await chat.rows() if row.chat_id == ANNA] == [1]


async def test_the_story_of_an_order_is_one_thread(chat: Chat):
    await chat.open()
    order = await chat.order()
    key = f"order:{order.client_order_id}"
    needs = OrderNeedsPerson(
        dry_run=False,
        symbol=MNTLUSDT,
        side=Side.BUY,
        expected_quote=D("17.10"),
        client_order_id=order.client_order_id,
    )
    await chat.queue(UNCLEAR, f"{key}:unclear")
    await chat.queue(OVER, "over:1:a")
    await chat.queue(needs, f"{key}:person")
    await chat.told()
    chat.relay = chat.a_relay()  # a restart between two chapters
    await chat.queue(trade_settled(order, late=True), f"{key}:filled")

    unclear, over, person, filled = await chat.told()

    assert (unclear.reply_to, over.reply_to) == (None, None)
    assert (person.reply_to, filled.reply_to) == (unclear.message_id, unclear.message_id)


async def test_a_first_message_that_was_deleted_is_no_obstacle(chat: Chat):
    await chat.open()
    order = await chat.order()
    await chat.queue(UNCLEAR, f"order:{order.client_order_id}:unclear")
    [unclear] = await chat.told()
    await chat.bot.delete_message(ANNA, unclear.message_id)
    await chat.queue(trade_settled(order, late=True), f"order:{order.client_order_id}:filled")

    [_, filled] = await chat.told()

    assert filled.reply_to is None
    assert "Bought" in filled.text


async def test_an_answer_of_telegrams_about_the_reply_does_not_cost_the_message(chat: Chat):
    await chat.open()
    order = await chat.order()
    await chat.queue(UNCLEAR, f"order:{order.client_order_id}:unclear")
    await chat.told()
    await chat.queue(trade_settled(order, late=True), f"order:{order.client_order_id}:filled")
    chat.api.fail("sendMessage", refused(400, "Bad Request: invalid reply parameters"))

    [_, filled] = await chat.told()

    assert (filled.reply_to, "Bought" in filled.text) == (None, True)


@pytest.mark.parametrize("tapped_in", [ANNA, BEN], ids=["here", "in another chat"])
async def test_a_run_that_somebody_tapped_answers_to_the_plan(chat: Chat, tapped_in: int):
    await chat.open()
    plan = await chat.tapped_plan(tapped_in)
    order = await chat.order(run_id="tap-1")
    await chat.queue(trade_settled(order, late=False), f"order:{order.client_order_id}:filled")

    [_, filled] = await chat.told()

    assert filled.reply_to == (plan if tapped_in == ANNA else None)


async def test_a_tap_that_came_to_nothing_answers_to_the_plan(chat: Chat):
    await chat.open()
    plan = await chat.tapped_plan(ANNA)
    declined = RunDeclined(
        dry_run=False, symbol=MNTLUSDT, held=D(40), target=D(40), reason=InsideBand()
    )
    await chat.queue(declined, "run:tap-1:declined")

    [_, told] = await chat.told()

    assert told.reply_to == plan


async def test_a_chat_that_an_account_is_shared_with_gets_its_alerts_once(chat: Chat):
    account = await chat.open()
    await chat.share(account)
    await chat.queue(UNCLEAR, "order:bl1:unclear")
    await chat.queue(UNCLEAR, "order:bl1:unclear")
    await chat.told()

    [own], [shared] = chat.api.sent(ANNA), chat.api.sent(BEN)

    assert own.text == shared.text


async def test_each_chat_hears_what_it_wants_itself_in_its_own_time_zone(chat: Chat):
    account = await chat.open()
    await chat.wants(account, AlertPreferences().with_level(AlertKind.TRADE, AlertLevel.OFF))
    await chat.share(account, time_zone="Asia/Tokyo")
    await chat.queue(DEPOSIT, "deposit:1")
    await chat.share(account, alerts=SharedAlerts.TROUBLES)
    await chat.queue(trade_settled(await chat.order(), late=False), "order:bl1:filled")
    await chat.share(account, time_zone="Asia/Tokyo")
    await chat.told()

    [own], [shared] = chat.api.sent(ANNA), chat.api.sent(BEN)

    assert "12:00" in own.text
    assert "21:00" in shared.text


async def test_a_chat_that_was_removed_hears_nothing_that_was_written_before(chat: Chat):
    account = await chat.open()
    await chat.share(account)
    await chat.queue(UNCLEAR, "order:bl1:unclear")
    async with chat.database.writing() as session:
        await shares.remove(session, BEN)
    await chat.told()
    own, shared = await chat.rows()

    assert chat.api.sent(BEN) == []
    assert (own.failure, shared.failure) == (None, "not shared any more")


async def test_a_chat_with_another_share_by_now_hears_nothing_of_the_former_one(chat: Chat):
    account = await chat.open()
    await chat.share(account)
    await chat.queue(UNCLEAR, "order:bl1:unclear")
    async with chat.database.writing() as session:
        other = await accounts.get_or_create(
            session, chat_id=9, settings=builders.settings(), now=START
        )
    await chat.share(other)
    await chat.told()

    assert chat.api.sent(BEN) == []


async def test_a_shared_chat_that_is_away_holds_up_and_pauses_nothing(
    chat: Chat, clock: FakeClock
):
    account = await chat.open()
    await chat.share(account)
    async with chat.database.writing() as session:  # its own account stands aside
        await accounts.get_or_create(session, chat_id=BEN, settings=builders.settings(), now=START)
    chat.api.mute(BEN)
    await chat.queue(UNCLEAR, "order:bl1:unclear")
    async with running(chat.relay.run()):
        while not (await chat.rows())[1].failure:
            await a_moment()
    clock.shift(timedelta(hours=25))
    chat.api.unmute(BEN)
    await chat.told()
    async with chat.database.reading() as session:
        paused = [account.settings.paused for account in await accounts.every(session)]
    own, shared = await chat.rows()

    assert [message.text for message in chat.api.sent(ANNA)] != []
    assert (own.failure, shared.failure) == (None, "too old to tell")
    assert paused == [False, False]
    assert len(await chat.rows()) == 2


async def test_a_trade_that_was_asked_for_in_a_shared_chat_answers_there(chat: Chat):
    account = await chat.open()
    await chat.share(account, alerts=SharedAlerts.OFF)
    plan = await chat.tapped_plan(BEN, shown_in=BEN)
    order = await chat.order(run_id="tap-1", trigger=Trigger.PERSON)
    await chat.queue(trade_settled(order, late=False), f"order:{order.client_order_id}:filled")
    await chat.told()

    assert [message.reply_to for message in chat.api.sent(BEN)] == [None, plan]


async def test_a_halt_is_told_once_where_another_chats_account_is_seen(chat: Chat):
    account = await chat.open()
    await chat.share(account)
    async with chat.database.writing() as session:
        for one in (ANNA, BEN):
            await publish(session, one, Halted(dry_run=False), key=f"halt:{one}", now=START)
    await chat.told()

    assert [len(chat.api.sent(one)) for one in (ANNA, BEN)] == [1, 1]


WEEKLY = WeeklyReport(dry_run=False, since=START - timedelta(days=7), at=START, trading=True)


class Drawer:
    """Draws whatever it is asked for; *broken* is what it does instead."""

    def __init__(self, broken: Callable[[], Awaitable[bytes | None]] | None = None) -> None:
        self.asked: list[str] = []
        self._broken = broken

    async def __call__(self, svg: str) -> bytes | None:
        self.asked.append(svg)
        return await self._broken() if self._broken else PNG


async def nothing_drawn() -> None:
    return None


async def drawn_too_late() -> None:
    await asyncio.Event().wait()


async def a_bug() -> None:
    raise RuntimeError("a bug")


async def test_a_report_comes_below_its_picture_where_its_chat_wants_one(
    chat: Chat, clock: FakeClock
):
    account = await chat.open()
    await chat.order(price=D("0.002"))
    clock.shift(timedelta(minutes=1))
    draw = Drawer()
    chat.relay = chat.a_relay(draw=draw)
    await chat.queue(WEEKLY, "weekly:1")
    await chat.queue(UNCLEAR, "order:1:unclear")
    await chat.wants(account, AlertPreferences(light_pictures=True))
    weekly, unclear = await chat.told()
    await chat.wants(account, AlertPreferences(weekly_picture=False))
    await chat.queue(WEEKLY, "weekly:2")
    clock.shift(timedelta(hours=1, seconds=1))  # its picture would be of another time
    await chat.wants(account, AlertPreferences())
    await chat.queue(WEEKLY, "weekly:3")
    *_, unwanted, late = await chat.told()
    rows = await chat.rows()

    assert weekly.photo == PNG
    assert "Report of 7 days" in weekly.text
    assert weekly.labels == ["/profit", "/chart", "/alerts"]
    assert [told.photo for told in (unclear, unwanted, late)] == [None] * 3
    assert ['fill="#FFFFFF"' in svg for svg in draw.asked] == [True]
    assert [row.failure for row in rows] == [None] * 4
    assert rows[0].message_id == weekly.message_id


@pytest.mark.parametrize("broken", [nothing_drawn, drawn_too_late, a_bug])
async def test_without_a_picture_the_report_comes_alone_and_once(
    chat: Chat, clock: FakeClock, broken: Any, monkeypatch: pytest.MonkeyPatch
):
    if broken is drawn_too_late:
        monkeypatch.setattr(alert_pictures, "_PATIENCE_S", 0.05)
    await chat.open()
    await chat.order(price=D("0.002"))
    clock.shift(timedelta(minutes=1))
    chat.relay = chat.a_relay(draw=Drawer(broken))
    await chat.queue(WEEKLY, "weekly:1")
    [told] = await chat.told()

    assert told.photo is None
    assert "Report of 7 days" in told.text


@pytest.mark.parametrize(
    ("fault", "photos"),
    [
        (refused(400, "Bad Request: not enough rights to send photos to the chat"), [None]),
        (LOST_ANSWER, [PNG, None]),
    ],
    ids=["no right", "lost answer"],
)
async def test_a_report_whose_picture_telegram_does_not_take_is_not_lost(
    chat: Chat, clock: FakeClock, fault: Fault, photos: list[bytes | None]
):
    await chat.open()
    await chat.order(price=D("0.002"))
    clock.shift(timedelta(minutes=1))
    chat.api.fail("sendPhoto", fault)
    chat.relay = chat.a_relay(draw=Drawer())
    await chat.queue(WEEKLY, "weekly:1")
    async with running(chat.relay.run()):
        while any(row.done_at is None for row in await chat.rows()):
            await a_moment()
            clock.shift(timedelta(seconds=1))
    told = chat.api.sent(ANNA)

    assert [one.photo for one in told] == photos
    assert ["(repeat?)" in one.text for one in told] == [False, True][: len(photos)]
