"""An order that stays unclear: told, looked up, and at last answered for by the person."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.domain.orders.order import OrderState
from engine.storage.accounts import accounts
from engine.storage.models.accounts import AuditRow
from engine.storage.models.trading import OrderRow
from engine.storage.trading import orders
from tests.bot.harness import FRIEND, GROUP, KEY, OWNER, STRANGER, Program, World
from tests.builders import intent
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault
from tests.fakes.telegram_messages import SentMessage

LOOK_UP = Fault("GET", "/api/v3/order", reply=BAD_GATEWAY, times=None)
ASKED = ["It was filled", "It was not", "Look again"]


async def left_in_the_dark(world: World, bot: Program, *, executes: bool) -> SentMessage:
    """MEXC swallowed the answer to an order and has answered no look-up for a quarter of an hour:
    the card that asks the person.
    """
    await bot.connect()
    world.mexc.inject(Fault("POST", "/api/v3/order", reply=DROPPED, executes=executes))
    world.mexc.inject(LOOK_UP)
    await bot.checked()
    world.clock.shift(timedelta(minutes=16))  # the leases run out; nobody else is there
    await bot.check()
    return (await bot.told(OWNER))[-1]


@pytest.fixture
async def card(world: World, bot: Program) -> SentMessage:
    """The order had been filled."""
    return await left_in_the_dark(world, bot, executes=True)


async def state(bot: Program) -> OrderState:
    return OrderState(await bot.scalar(select(OrderRow.state).order_by(OrderRow.id)))


async def audit(bot: Program) -> list[tuple[int, int, str]]:
    """Who said what of an order in which chat."""
    said = select(AuditRow).where(AuditRow.action.startswith("order_")).order_by(AuditRow.id)
    async with bot.database.reading() as session:
        rows = await session.scalars(said)
        return [(row.chat_id, row.user_id, row.detail.rpartition("; ")[2]) for row in rows]


async def test_after_a_quarter_of_an_hour_the_person_is_asked_with_three_buttons(
    bot: Program, card: SentMessage
):
    assert "🛑 HALTED · Please look at MEXC" in card.text
    assert card.labels == ASKED
    assert await state(bot) is OrderState.NEEDS_HUMAN


async def test_who_says_it_was_filled_is_believed_because_the_balances_show_it(
    world: World, bot: Program, card: SentMessage
):
    [answer] = await bot.tap(OWNER, "It was filled")

    assert "🟢 LIVE · Taken as filled" in answer.text
    assert "MNTL  91,858 → " in answer.text
    assert card.labels == []
    assert await state(bot) is OrderState.SET_ASIDE
    assert await audit(bot) == [(OWNER, OWNER, "did: set_aside")]
    history = await bot.ask(OWNER, "/history")
    assert "17.10" not in history.text
    await bot.live_for(timedelta(minutes=3))
    assert len(world.mexc.orders) == 1  # the balance is on target


async def test_who_says_it_was_not_filled_is_believed_and_the_order_is_planned_afresh(
    world: World, bot: Program
):
    card = await left_in_the_dark(world, bot, executes=False)

    [answer] = await bot.tap(OWNER, "It was not")
    world.mexc.remove(LOOK_UP)
    await bot.live_for(timedelta(seconds=20))
    [bought] = await bot.told(OWNER)

    assert "🟢 LIVE · Taken as not filled" in answer.text
    assert card.labels == []
    assert await state(bot) is OrderState.NOT_EXECUTED
    assert "🟢 LIVE · Bought" in bought.text
    assert len(world.mexc.orders) == 1


async def test_who_is_contradicted_by_the_balances_is_told_and_may_insist(
    world: World, bot: Program, card: SentMessage
):
    [doubt] = await bot.tap(OWNER, "It was not")
    still = await state(bot)
    await bot.tap(OWNER, "I am sure, put it aside")

    assert "🛑 HALTED · I cannot confirm that" in doubt.edits[0]
    assert "Your balances speak against that:" in doubt.edits[0]
    assert "⏸ PAUSED · Put aside" in doubt.text
    assert still is OrderState.NEEDS_HUMAN
    assert await state(bot) is OrderState.SET_ASIDE
    assert (await bot.account()).settings.paused
    assert await audit(bot) == [
        (OWNER, OWNER, "did: nothing"),
        (OWNER, OWNER, "did: set_aside, paused"),
    ]


async def test_insisting_is_good_for_90_seconds_and_asking_again_is_free(
    world: World, bot: Program, card: SentMessage
):
    [doubt] = await bot.tap(OWNER, "It was not")
    world.clock.shift(timedelta(seconds=91))
    await bot.tap(OWNER, "I am sure, put it aside")

    assert doubt.labels == []
    assert await state(bot) is OrderState.NEEDS_HUMAN
    assert card.labels == ASKED


async def test_balances_that_cannot_be_read_change_nothing(
    world: World, bot: Program, card: SentMessage
):
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None))

    [doubt] = await bot.tap(OWNER, "It was filled")

    assert "I cannot read your balances now" in doubt.text
    assert await state(bot) is OrderState.NEEDS_HUMAN
    assert card.labels == ASKED


async def test_another_look_without_news_keeps_the_card(
    world: World, bot: Program, card: SentMessage
):
    [nothing] = await bot.tap(OWNER, "Look again")

    assert "🛑 HALTED · Still unclear" in nothing.text
    assert "MEXC does not answer." in nothing.text
    assert card.labels == ASKED


@pytest.mark.parametrize("label", ASKED)
async def test_when_mexc_knows_the_order_its_word_counts_and_the_trade_is_told_at_once(
    world: World, bot: Program, card: SentMessage, label: str
):
    world.mexc.remove(LOOK_UP)

    [known] = await bot.tap(OWNER, label)
    await bot.check()
    [late] = await bot.told(OWNER)

    assert "🛑 HALTED · MEXC has it now" in known.text
    assert "Confirmed late" in late.text
    assert card.labels == []
    assert await state(bot) is OrderState.FILLED
    assert len(world.mexc.orders) == 1


async def test_a_second_tap_hears_that_it_is_done_already(bot: Program, card: SentMessage):
    data = str(card.buttons[0][1].data)
    await bot.tap(OWNER, "It was filled")

    [again] = await bot.push(OWNER, lambda: bot.world.api.tap(OWNER, data, forged=True))

    assert "It was put aside already" in again.text
    assert await state(bot) is OrderState.SET_ASIDE
    assert len(await audit(bot)) == 1


async def test_a_card_from_before_an_outcome_loses_its_buttons_at_the_first_tap(
    world: World, bot: Program, card: SentMessage
):
    world.mexc.remove(LOOK_UP)
    await bot.live_for(timedelta(minutes=1))
    [told] = await bot.tap(OWNER, "It was not")

    assert "MEXC has told me since: it bought" in told.text
    assert card.labels == []
    assert await state(bot) is OrderState.FILLED


async def test_the_card_outlives_the_program(world: World):
    async with world.program() as bot:
        card = await left_in_the_dark(world, bot, executes=True)
    async with world.program() as bot:
        [answer] = await bot.tap(OWNER, "It was filled")

        assert "Taken as filled" in answer.text
        assert card.labels == []
        assert await state(bot) is OrderState.SET_ASIDE


async def test_a_chat_cannot_answer_for_anothers_order(bot: Program, card: SentMessage):
    await bot.ask(FRIEND, "/status")
    forged = str(card.buttons[0][0].data)

    [answer] = await bot.push(FRIEND, lambda: bot.world.api.tap(FRIEND, forged, forged=True))

    assert "no such order in this chat" in answer.text
    assert await state(bot) is OrderState.NEEDS_HUMAN
    assert await audit(bot) == []


async def test_in_a_group_everybody_of_it_may_answer_and_nobody_else(bot: Program):
    await bot.say(GROUP, "/dryrun on", user_id=OWNER, chat_type="group")
    async with bot.database.writing() as session:
        account = await accounts.of_chat(session, GROUP)
        assert account is not None
        await orders.add(
            session,
            intent(
                account_id=account.id,
                state=OrderState.NEEDS_HUMAN,
                dry_run=True,
                quote_before=100,
                base_before=50_000,  # what a paper ledger opens with
            ),
        )
    [status] = await bot.say(GROUP, "/status", user_id=OWNER, chat_type="group")
    turned_away = await bot.tap(GROUP, "It was not", user_id=STRANGER)
    still = await state(bot)
    [answer] = await bot.tap(GROUP, "It was not", user_id=FRIEND)

    assert status.labels == []
    assert turned_away == []
    assert still is OrderState.NEEDS_HUMAN
    assert "Taken as not filled" in answer.text
    assert await audit(bot) == [(GROUP, FRIEND, "did: not_executed")]


async def test_a_deposit_in_between_does_not_hide_a_fill(
    world: World, bot: Program, card: SentMessage
):
    world.mexc.deposit(KEY, "USDT", Decimal(100))

    [answer] = await bot.tap(OWNER, "It was filled")

    assert "Taken as filled" in answer.text


async def test_why_and_status_tell_where_the_buttons_are(bot: Program, card: SentMessage):
    why = await bot.ask(OWNER, "/why")
    status = await bot.ask(OWNER, "/status")

    assert "buttons under /status" in why.text
    assert status.labels[:3] == ASKED


async def test_who_looked_puts_the_order_aside_and_goes_on_from_fresh_balances(
    world: World, bot: Program, card: SentMessage
):
    question = await bot.ask(OWNER, "/resume")
    still = await state(bot)
    await bot.tap(OWNER, "I looked, go on")
    paused = (await bot.account()).settings.paused
    resumed = await bot.ask(OWNER, "/resume")

    assert "One order is unclear" in question.edits[0]
    assert still is OrderState.NEEDS_HUMAN
    assert "⏸ PAUSED · Put aside" in question.text
    assert question.labels == ["Resume"]
    assert paused
    assert await state(bot) is OrderState.SET_ASIDE
    assert "Trading is on" in resumed.text
    await bot.live_for(timedelta(minutes=3))
    assert len(world.mexc.orders) == 1  # it had been filled: the balance is on target


async def test_an_order_that_was_cleared_up_meanwhile_is_left_as_it_is(
    world: World, bot: Program, card: SentMessage
):
    question = await bot.ask(OWNER, "/resume")
    world.mexc.remove(LOOK_UP)
    await bot.live_for(timedelta(minutes=1))
    await bot.tap(OWNER, "I looked, go on")

    assert "MEXC has told me since" in question.text
    assert await state(bot) is OrderState.FILLED
    assert not (await bot.account()).settings.paused
    assert len(world.mexc.orders) == 1


async def test_an_order_that_is_not_known_is_told_and_cancelled_by_one_tap(
    world: World, bot: Program
):
    await bot.connect()
    order = {"symbol": "MNTLUSDT", "side": "BUY", "type": "LIMIT", "price": "0.0015"}
    name = "bl" + "a2" * 13
    rests = world.mexc.ledger.place(
        world.mexc.ledger.accounts[KEY], {**order, "quantity": "1000", "newClientOrderId": name}
    )
    told = await bot.checked()

    card = next(message for message in told if "I do not know" in message.text)
    assert name in card.text
    assert card.labels == ["Cancel it"]
    await bot.tap(OWNER, "Cancel it", message=card)

    assert rests.status == "CANCELED"
    assert "The order is cancelled" in card.text
    assert "Nothing of it was filled" in card.text
