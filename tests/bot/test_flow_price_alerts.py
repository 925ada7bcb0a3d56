"""`/pricealert` through the whole program: set by word and by button, told, listed, removed."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from engine.domain.accounts.members import Role
from engine.storage.accounts import members
from engine.storage.models.accounts import AuditRow, PriceAlertRow
from tests.bot.harness import FRIEND, GROUP, OWNER, Program, World


async def test_a_move_is_told_listed_and_removed(world: World, bot: Program):
    set_ = await bot.ask(OWNER, "/pricealert MNTL 10%")
    world.mexc.ledger.pairs["MNTLUSDT"].move(Decimal("1.2"))
    world.clock.shift(timedelta(minutes=1))
    for _ in range(2):  # two looks see it
        await bot.parts.periodic_jobs.jobs["price alerts"]()
    [told] = await bot.told(OWNER)
    listed = await bot.ask(OWNER, "/pricealert")
    before = listed.text
    await bot.tap(OWNER, "Remove MNTL", message=listed)
    async with bot.database.reading() as session:
        trail = await session.execute(select(AuditRow.action, AuditRow.subject, AuditRow.detail))

    assert "It is 0.002 now. I tell you at 0.0018 or less, or at 0.0022 or more." in set_.text
    assert told.text.startswith("🔔 PAUSED · MNTL rose 20%\n0.002 → 0.0024 USDT within 1 min\n")
    assert "MNTL     10% in 24 h, sent 12:01" in before
    assert "I do not watch the price of MNTL any more." in listed.text
    assert await bot.count(PriceAlertRow) == 0
    assert [tuple(line) for line in trail if line.action == "pricealert"] == [
        ("pricealert", "MNTL", "off -> 10%"),
        ("pricealert", "MNTL", "10% -> off"),
    ]


async def test_a_token_is_tapped_and_the_percentage_sent_alone(bot: Program):
    await bot.ask(OWNER, "/pricealert")
    await bot.tap(OWNER, "/pricealert MNTL")
    set_ = await bot.ask(OWNER, "7,5%")
    await bot.tap(OWNER, "/pricealert MNTL 7.5%")

    assert "I tell you when MNTL moves by 7.5% within 24 h." in set_.text


async def test_what_cannot_be_watched_is_said(bot: Program):
    unknown = await bot.ask(OWNER, "/pricealert NOSUCH 10%")
    odd = await bot.ask(OWNER, "/pricealert MNTL 500%")
    none = await bot.ask(OWNER, "/pricealert MNTL off")
    async with bot.database.writing() as session:
        account = await bot.account()
        session.add_all(
            PriceAlertRow(
                account_id=account.id,
                symbol=f"T{n}USDT",
                fraction=Decimal("0.1"),
                set_at=bot.world.clock.now(),
                seen="[]",
            )
            for n in range(10)
        )
    many = await bot.ask(OWNER, "/pricealert MNTL 10%")

    assert "MEXC shows me no price of NOSUCH in USDT." in unknown.text
    assert "The move must be from 1% to 100%." in odd.text
    assert "I had no price alert for MNTL." in none.text
    assert "I watch 10 prices at most." in many.text


async def test_a_viewer_sees_the_alerts_and_changes_none(bot: Program):
    await bot.ask(GROUP, "/pricealert MNTL 10%", user_id=OWNER, chat_type="group")
    async with bot.database.writing() as session:
        await members.admit(
            session,
            chat_id=GROUP,
            user_id=FRIEND,
            role=Role.VIEWER,
            now=bot.world.clock.now(),
        )
    listed = await bot.ask(GROUP, "/pricealert", user_id=FRIEND, chat_type="group")
    refused = await bot.ask(GROUP, "/pricealert MNTL off", user_id=FRIEND, chat_type="group")

    assert "10% in 24 h" in listed.text
    assert listed.labels == []
    assert "sets or changes" not in listed.text
    assert await bot.count(PriceAlertRow) == 1
    assert "viewer" in refused.text.lower()
