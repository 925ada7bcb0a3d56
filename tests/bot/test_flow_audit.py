"""`/audit`: every change of a person stands there once, readable, and no key ever does."""

from datetime import timedelta

from sqlalchemy import select, text

from engine.storage.models.accounts import AuditRow
from tests.bot.harness import (
    FRIEND,
    GROUP,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    OWNER,
    SECRET,
    Program,
    World,
)


async def trail(bot: Program) -> list[tuple[int, int, str, str, str]]:
    async with bot.database.reading() as session:
        rows = await session.scalars(select(AuditRow).order_by(AuditRow.id))
        return [(r.chat_id, r.user_id, r.action, r.subject, r.detail) for r in rows]


async def deeds(bot: Program) -> list[tuple[str, str]]:
    return [(subject, detail) for _, _, _, subject, detail in await trail(bot)]


async def test_every_change_leaves_a_line_with_before_and_after(world: World, bot: Program):
    pair_before = "MNTLUSDT"
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    for typed in (
        "/settarget 50",
        "/setthreshold 2 USDT",
        "/setinterval 5m",
        "/count free",
        "/limits order 500",
        "/resume",
        "/pause",
        "/dryrun on",
    ):
        await bot.ask(OWNER, typed)
    await bot.ask(OWNER, "/disconnect")
    await bot.tap(OWNER, "Forget the key")

    assert (await bot.account()).settings.symbol == pair_before
    assert {(chat, user) for chat, user, *_ in await trail(bot)} == {(OWNER, OWNER)}
    assert await deeds(bot) == [
        ("key", "none -> …BWC5"),
        ("target", "40 USDT -> 50 USDT"),
        ("threshold", "5% -> 2 USDT"),
        ("interval", "120 s -> 300 s"),
        ("count", "held -> free"),
        ("order", "auto -> 500 USDT"),
        ("trading", "paused -> on"),
        ("trading", "on -> paused"),
        ("dry run", "off -> on"),
        ("key", "…BWC5 -> none"),
    ]


async def test_what_changes_nothing_leaves_no_line(bot: Program):
    for typed in ("/pause", "/settarget 40", "/dryrun off", "/limits order auto", "/halt off"):
        await bot.ask(OWNER, typed)

    assert await trail(bot) == []


async def test_the_key_is_known_by_its_last_four_characters_alone(world: World, bot: Program):
    world.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="1")
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    await bot.ask(OWNER, f"/connect {OTHER_KEY} {OTHER_SECRET}")
    page = await bot.ask(OWNER, "/audit")

    async with bot.database.engine.connect() as connection:
        kept = str((await connection.execute(text("select * from audit"))).all())
    assert [detail for _, detail in await deeds(bot)] == [
        "none -> …BWC5",
        "…BWC5 -> …BWC5",
        "…BWC5 -> …ZZ99",
    ]
    for secret in (KEY, SECRET, OTHER_KEY, OTHER_SECRET):
        assert secret not in kept
        assert secret not in page.text
    assert "key: …BWC5 → …ZZ99" in page.text


async def test_the_trail_is_read_as_sentences_with_the_names_of_people(world: World, bot: Program):
    await bot.say(GROUP, "/settarget 50", user_id=FRIEND, chat_type="group")
    world.clock.shift(timedelta(minutes=90))
    await bot.ask(OWNER, "/halt")
    [page] = await bot.say(GROUP, "/audit", user_id=OWNER, chat_type="group", name="Olga")

    rows = page.text.split("\n\n")[1].splitlines()
    assert rows[0].endswith(" Olga")
    assert rows[1] == "  all accounts halted"
    assert rows[2].endswith(f" User {FRIEND}")
    assert " ".join("".join(rows[3:]).split()) == "target: 40 USDT → 50 USDT"
    assert all(len(row) <= 32 for row in rows)


async def test_older_changes_are_a_page_away_in_the_same_place(bot: Program):
    for target in range(41, 51):
        await bot.ask(OWNER, f"/settarget {target}")
    page = await bot.ask(OWNER, "/audit")
    newest = page.text
    sent = await bot.tap(OWNER, "Older »")
    older, labels = page.text, page.labels
    await bot.tap(OWNER, "« Newer")

    assert sent == []
    assert "49 USDT → 50" in newest
    assert "40 USDT → 41" not in newest
    assert "page 2" in older
    assert "40 USDT → 41" in " ".join(older.split())
    assert labels == ["« Newer"]
    assert page.text == newest


async def test_only_owners_read_the_trail(world: World, bot: Program):
    await bot.say(GROUP, "/settarget 50", user_id=FRIEND, chat_type="group")
    [typed] = await bot.say(GROUP, "/audit", user_id=FRIEND, chat_type="group")
    shown = await bot.say(GROUP, "/audit", user_id=OWNER, chat_type="group")
    before = shown[0].text
    tap = world.api.tap(GROUP, "audit:1", user_id=FRIEND, message=shown[0], forged=True)
    await bot.handled(tap)

    assert "Only owners of this chat may do that" in typed.text
    assert "Only" in world.api.answers[str(tap)]["text"]
    assert shown[0].text == before


async def test_a_chats_trail_is_its_own_but_for_what_concerns_all(bot: Program):
    await bot.ask(FRIEND, "/settarget 50")
    await bot.ask(OWNER, "/halt")

    friends = await bot.ask(FRIEND, "/audit")
    owners = await bot.ask(OWNER, "/audit")

    assert "my owner\n  all accounts halted" in friends.text
    assert "target: " in friends.text
    assert "set target" not in owners.text


async def test_an_empty_trail_says_so(bot: Program):
    assert "Nothing was changed so far" in (await bot.ask(OWNER, "/audit")).text
