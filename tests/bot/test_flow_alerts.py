"""`/alerts` and `/warn` through the whole program: set by word and by button, obeyed, remembered."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.domain.accounts.members import Role
from engine.domain.alerts.key_alerts import KeyEnding
from engine.domain.alerts.preferences import AlertLevel, AlertPreferences, QuietHours, WeeklyTime
from engine.domain.alerts.traits import AlertKind
from engine.notifications.publish import publish
from engine.storage.accounts import alert_preferences, members
from engine.storage.models.accounts import AuditRow, LowBalanceRow
from tests.bot.harness import FRIEND, GROUP, OWNER, STRANGER, Program, World

D = Decimal
DAY = timedelta(days=1)


async def stored(bot: Program, chat_id: int = OWNER) -> AlertPreferences:
    async with bot.database.reading() as session:
        found = await alert_preferences.of_chats(session, [chat_id])
    settings = found[chat_id]
    assert settings is not None
    return settings


async def trail(bot: Program) -> list[str]:
    async with bot.database.reading() as session:
        rows = await session.scalars(select(AuditRow).order_by(AuditRow.id))
        return [f"{row.action}: {row.detail}" for row in rows if row.action in {"alerts", "warn"}]


async def test_a_tap_goes_round_from_on_to_silent_to_off_in_one_message(bot: Program):
    panel = await bot.ask(OWNER, "/alerts")
    seen = []
    for label in ("Trades: on", "Trades: silent", "Trades: off"):
        assert await bot.tap(OWNER, label) == []
        seen.append((await stored(bot)).level(AlertKind.TRADE))

    assert seen == [AlertLevel.SILENT, AlertLevel.OFF, AlertLevel.ON]
    assert "Trades: off" in panel.edits[-1]
    assert "Trades: on\nThese messages come with a sound." in panel.text
    assert await trail(bot) == [
        "alerts: levels: all on -> trade=silent",
        "alerts: levels: trade=silent -> trade=off",
        "alerts: levels: trade=off -> all on",
    ]


async def test_a_second_and_a_stale_tap_change_nothing_more(world: World, bot: Program):
    panel = await bot.ask(OWNER, "/alerts")
    await bot.tap(OWNER, "Trades: on")
    again = world.api.tap(OWNER, "tune:trade:silent", message=panel, forged=True)
    await bot.handled(again)

    assert (await stored(bot)).level(AlertKind.TRADE) is AlertLevel.SILENT
    assert "Nothing changed" in panel.text
    assert len(await trail(bot)) == 1


@pytest.mark.parametrize(
    ("typed", "said", "settings"),
    [
        ("smallest 5", "trades under 5.00 USDT", AlertPreferences(smallest=D(5))),
        (
            "quiet 23:00-07:00",
            "From 23:00 to 07:00 (UTC)",
            AlertPreferences(quiet=QuietHours(1380, 420)),
        ),
        (
            "zone europe/berlin",
            "It is 13:00 there now.",
            AlertPreferences(time_zone="Europe/Berlin"),
        ),
        ("digest 08:00", "comes 23 Nov 08:00", AlertPreferences(digest_minute=480)),
        (
            "weekly mon 08:00",
            "report comes 23 Nov 08:00",
            AlertPreferences(weekly=WeeklyTime(0, 480)),
        ),
        (
            "through no",
            "errors come without a sound.",
            AlertPreferences(errors_break_through=False),
        ),
        ("deposits no", "has no buttons", AlertPreferences(ask_deposits=False)),
        ("pictures light", "a light background", AlertPreferences(light_pictures=True)),
    ],
)
async def test_every_part_can_be_typed(
    bot: Program, typed: str, said: str, settings: AlertPreferences
):
    answer = await bot.ask(OWNER, f"/alerts {typed}")

    assert "⏸ PAUSED · Alerts set" in answer.text
    assert said in answer.text
    assert await stored(bot) == settings
    assert len(await trail(bot)) == 1


async def test_every_part_can_be_tapped(bot: Program):
    panel = await bot.ask(OWNER, "/alerts")
    for first, then in (
        ("Quiet hours…", "23:00-07:00"),
        ("Time zone…", "Europe/Berlin"),
        ("Digest…", "08:00"),
        ("Digest…", "With a picture"),
        ("Weekly…", "Sun 20:00"),
        ("Smallest trade…", "5 USDT"),
        ("Errors in quiet hours: yes", None),
        ("Choices on deposits: yes", None),
    ):
        await bot.tap(OWNER, first)
        if then is not None:
            await bot.tap(OWNER, then)
    await bot.tap(OWNER, "Time zone…")
    await bot.tap(OWNER, "Back to /alerts")

    assert "Quiet    23:00–07:00" in panel.text
    assert await stored(bot) == AlertPreferences(
        smallest=D(5),
        quiet=QuietHours(1380, 420),
        time_zone="Europe/Berlin",
        digest_minute=480,
        digest_picture=True,
        weekly=WeeklyTime(6, 1200),
        errors_break_through=False,
        ask_deposits=False,
    )


async def test_an_unknown_zone_is_answered_with_buttons(bot: Program):
    answer = await bot.ask(OWNER, "/alerts zone berlin")
    before = await stored(bot)
    await bot.tap(OWNER, "Europe/Berlin")

    assert "I know no time zone “berlin”" in answer.edits[0]
    assert before == AlertPreferences()
    assert (await stored(bot)).time_zone == "Europe/Berlin"


async def test_what_is_ambiguous_is_asked_about_and_what_makes_no_sense_refused(bot: Program):
    question = await bot.ask(OWNER, "/alerts smallest 1,000")
    await bot.tap(OWNER, "/alerts smallest 1000")
    refused = await bot.ask(OWNER, "/alerts loudly")

    assert "I am not sure how to read" in question.edits[0]
    assert (await stored(bot)).smallest == D(1000)
    assert "Nothing changed" in refused.text
    assert "/alerts digest 08:00" in refused.text


async def test_the_settings_are_there_after_a_restart_and_the_old_panel_still_works(world: World):
    async with world.program() as first:
        panel = await first.ask(OWNER, "/alerts trade silent")
    async with world.program() as second:
        shown = await second.ask(OWNER, "/alerts")
        tap = world.api.tap(OWNER, "Trades: silent", message=panel)
        await second.handled(tap)

        assert "Trades   silent" in shown.text
        assert (await stored(second)).level(AlertKind.TRADE) is AlertLevel.OFF


async def test_a_strangers_tap_changes_nothing(world: World, bot: Program):
    panel = await bot.ask(GROUP, "/alerts", user_id=OWNER, chat_type="group")
    tap = world.api.tap(GROUP, "Trades: on", user_id=STRANGER, message=panel)
    await bot.handled(tap)

    assert await stored(bot, GROUP) == AlertPreferences()


async def test_a_viewer_sees_the_panel_and_the_warnings_and_changes_neither(
    world: World, bot: Program
):
    async with bot.database.writing() as session:
        await members.admit(
            session, chat_id=GROUP, user_id=FRIEND, role=Role.VIEWER, now=world.clock.now()
        )
    await bot.ask(GROUP, "/warn MNTL 5", user_id=OWNER, chat_type="group")
    panel = await bot.ask(GROUP, "/alerts", user_id=FRIEND, chat_type="group")
    await bot.handled(world.api.tap(GROUP, "Trades: on", user_id=FRIEND, message=panel))
    listed = await bot.ask(GROUP, "/warn", user_id=FRIEND, chat_type="group")
    await bot.handled(world.api.tap(GROUP, "Remove MNTL", user_id=FRIEND, message=listed))
    for typed in ("/alerts trade off", "/warn MNTL off"):
        await bot.ask(GROUP, typed, user_id=FRIEND, chat_type="group")

    assert "Trades   on" in panel.text
    assert await stored(bot, GROUP) == AlertPreferences()
    assert await bot.count(LowBalanceRow) == 1


async def test_each_chat_has_its_own(bot: Program):
    await bot.ask(OWNER, "/alerts trade off")

    assert await stored(bot, FRIEND) == AlertPreferences()


async def test_a_trade_in_quiet_hours_makes_no_sound(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/alerts quiet 11:00-13:00")

    [bought] = await bot.checked()

    assert "Bought" in bought.text
    assert bought.silent


async def test_a_small_trade_is_left_to_the_digest(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/alerts smallest 20")
    await bot.ask(OWNER, "/alerts digest 12:00")
    by_itself = await bot.checked()
    world.clock.shift(DAY)
    await bot.parts.periodic_jobs.run_once()
    digests = await bot.told(OWNER)

    assert by_itself == []
    assert [d.text.splitlines()[0] for d in digests] == ["🟢 LIVE · Digest of 24 h"]
    assert "1 trade was under 20.00 USDT and made no message." in digests[0].text


async def test_a_tapped_trade_is_told_in_reply_to_its_plan(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/alerts trade off")
    plan = await bot.ask(OWNER, "/rebalance")
    await bot.tap(OWNER, plan.labels[0])

    [bought] = await bot.checked()

    assert "Bought" in bought.text
    assert (bought.reply_to, bought.silent) == (plan.message_id, True)


async def test_the_digest_comes_every_day_across_a_restart(world: World):
    async with world.program() as first:
        await first.connect()
        await first.ask(OWNER, "/pause")
        await first.ask(OWNER, "/alerts digest 08:00")
        world.clock.shift(timedelta(hours=20))
        await first.parts.periodic_jobs.run_once()
        [digest] = await first.told(OWNER)
        await first.parts.periodic_jobs.run_once()
        again = await first.told(OWNER)
    async with world.program() as second:
        world.clock.shift(DAY)
        await second.parts.periodic_jobs.run_once()
        [next_day] = await second.told(OWNER)

    assert "⏸ PAUSED · Digest of 20 h: nothing happened." in digest.text
    assert again == []
    assert "nothing happened" in next_day.text


async def test_the_weekly_report_comes_with_its_picture_and_the_card_has_its_line(
    world: World, bot: Program
):
    await bot.connect()
    await bot.checked()
    await bot.ask(OWNER, "/alerts weekly tue 08:00")
    world.clock.shift(timedelta(hours=44))
    await bot.parts.periodic_jobs.run_once()
    reports = [told for told in await bot.told(OWNER) if "Report" in told.text]

    assert [told.photo is not None for told in reports] == [True]
    assert "Trading goes on. Next report: 1 Dec 08:00 UTC" in reports[0].text
    card = await bot.ask(OWNER, "/status")
    assert "\nMade 1d" in card.text
    assert "\n7 days" not in card.text


async def test_what_runs_low_is_told_and_listed_and_removed(world: World, bot: Program):
    await bot.connect()
    set_ = await bot.ask(OWNER, "/warn MNTL 200000")
    told = await bot.checked()
    await bot.live_for(timedelta(minutes=5))
    listed = await bot.ask(OWNER, "/warn")
    again = await bot.told(OWNER)
    before = listed.text
    await bot.tap(OWNER, "Remove MNTL", message=listed)

    assert "You have 91,858 MNTL now.\nThe next check warns you." in set_.text
    assert sorted("runs low" in alert.text for alert in told) == [False, True]
    assert not [alert for alert in again if "runs low" in alert.text]
    assert "(low now, you were told)" in before
    assert "I do not watch MNTL any more" in listed.text
    assert await bot.count(LowBalanceRow) == 0
    assert await trail(bot) == ["warn: off -> 200000", "warn: 200000 -> off"]


async def test_a_warning_that_is_ambiguous_is_asked_about(bot: Program):
    await bot.ask(OWNER, "/warn MNTL 100,000")
    await bot.tap(OWNER, "/warn MNTL 100000")
    same = await bot.ask(OWNER, "/warn MNTL 100000")
    off = await bot.ask(OWNER, "/warn mntl off")
    twice = await bot.ask(OWNER, "/warn MNTL off")
    odd = await bot.ask(OWNER, "/warn")
    unclear = await bot.ask(OWNER, "/warn everything")

    assert await trail(bot) == ["warn: off -> 100000", "warn: 100000 -> off"]
    assert "Nothing changed" in same.text
    assert "Warning removed" in off.text
    assert "Nothing changed" in twice.text
    assert "No warnings set." in odd.text
    assert "/warn MNTL 100000" in unclear.text


async def test_nobody_watches_more_than_eight(bot: Program):
    for letter in "ABCDEFGH":
        await bot.ask(OWNER, f"/warn TOKEN{letter} 5")

    assert "at most" in (await bot.ask(OWNER, "/warn TOKENX 5")).text
    assert "Warning set" in (await bot.ask(OWNER, "/warn TOKENA 6")).text


async def test_a_stale_remove_button_changes_nothing(world: World, bot: Program):
    await bot.ask(OWNER, "/warn MNTL 5")
    listed = await bot.ask(OWNER, "/warn")
    await bot.ask(OWNER, "/warn MNTL off")
    await bot.tap(OWNER, "Remove MNTL", message=listed)

    assert "No warnings set." in listed.text
    assert len(await trail(bot)) == 2


async def test_every_time_is_the_chats_own_once_it_has_set_its_time_zone(
    world: World, bot: Program
):
    await bot.connect()
    await bot.check()
    await bot.ask(OWNER, "/alerts zone Asia/Tokyo")
    said = {
        line: (await bot.ask(OWNER, line)).text
        for line in ("/export", "/status", "/why", "/audit", "/history")
    }
    await bot.tap(OWNER, "1")
    story = world.api.sent(OWNER)[-1].text
    ends = KeyEnding(dry_run=False, key_tail="BWC5", days_left=7, expires_at=world.clock.now())
    async with bot.database.writing() as session:
        await publish(session, OWNER, ends, key="key", now=world.clock.now())
    alert = (await bot.told(OWNER))[-1].text

    for text in (said["/history"], said["/audit"]):
        assert "Times in Asia/Tokyo" in text
        assert "22 Nov 21:00" in text
    assert "Times are in UTC and in Asia/Tokyo." in said["/export"]
    assert "Planned  22 Nov 21:00:00" in story
    assert "Times in Asia/Tokyo" in story
    assert "22 Nov 21:00" in alert
    assert "12:0" not in alert + story + "".join(said.values())
