"""`/chart` over the chat: a picture within a second, others in its place, words where there is none."""

from datetime import timedelta

import pytest

from bot.interaction.callback_data import ChartKind, ChartPage
from bot.rendering.image_process import ImageProcess, NotDrawn
from engine.domain.profit.spans import Span
from tests.bot.harness import OWNER, Program, World


def background(photo: bytes | None) -> int:
    """How bright the first pixel is: a filter leaves it as it is."""
    import zlib  # noqa: PLC0415

    assert photo is not None
    length = int.from_bytes(photo[33:37])
    return max(zlib.decompress(photo[41 : 41 + length])[1:4])


async def test_a_picture_is_sent_and_the_next_ones_take_its_place(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    await bot.live_for(timedelta(hours=2))
    await bot.ask(OWNER, "/settarget 50")

    *_, shown = await bot.say(OWNER, "/chart")
    first = shown.photo
    await bot.tap(OWNER, "Drift")
    drift = shown.photo, shown.text
    await bot.tap(OWNER, "24h")

    assert "Value, since 22 Nov" in shown.edits[0]
    assert "Drift" in drift[1]
    assert "It changed once. The picture shows the old one, too." in drift[1]
    assert len({first, drift[0]}) == 2
    assert "· 24h ·" in shown.labels
    assert world.api.sent(OWNER)[-1] is shown
    assert background(shown.photo) < 64


async def test_two_taps_at_once_are_answered_with_one_picture(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    profit = await bot.ask(OWNER, "/profit 7d")

    taps = [world.api.tap(OWNER, "Chart") for _ in range(2)]
    for tap in taps:
        await bot.handled(tap)
    (picture,) = [said for said in world.api.sent(OWNER) if said.photo]
    taps = [world.api.tap(OWNER, span) for span in ("24h", "30d")]
    for tap in taps:
        await bot.handled(tap)

    assert "Profit, 7 days" in profit.text
    assert [said for said in world.api.sent(OWNER) if said.photo] == [picture]
    assert "· 30d ·" in picture.labels


async def test_pictures_are_light_where_the_chat_wants_them_so(bot: Program):
    await bot.connect()
    await bot.checked()
    await bot.ask(OWNER, "/alerts pictures light")

    *_, shown = await bot.say(OWNER, "/chart holdings")

    assert background(shown.photo) == 255


async def test_where_nothing_can_be_drawn_the_words_come_alone(
    bot: Program, monkeypatch: pytest.MonkeyPatch
):
    async def refuse(_: ImageProcess, svg: str) -> bytes:
        raise NotDrawn(svg[:4])

    await bot.connect()
    await bot.checked()
    monkeypatch.setattr(ImageProcess, "draw", refuse)
    words = await bot.ask(OWNER, "/chart 7d")
    before = words.text
    await bot.tap(OWNER, ChartPage(ChartKind.DRIFT, Span.WEEK).encode())

    assert words.photo is None
    assert before.endswith("I could not draw the picture.")
    assert "Drift" in words.text


async def test_a_word_that_names_no_picture_is_explained(bot: Program):
    answer = await bot.ask(OWNER, "/chart pie 7d")

    assert "I know no picture named “pie 7d”." in answer.text
    assert "Drift" in answer.labels
