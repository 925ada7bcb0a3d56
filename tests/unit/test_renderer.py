"""Images as the child process makes them: their size, their bytes, their background."""

import io
import struct
import zlib

import pytest

from bot.rendering import renderer
from bot.rendering.image_process import MOST_BYTES
from bot.views.charts.drift_chart import drift_chart
from bot.views.charts.svg import Drawing
from bot.views.charts.theme import Theme, palette
from bot.views.charts.value_chart import value_chart
from docs.chart_samples import DRIFTS, VALUES

_LENGTH = struct.Struct(">I")


def size_of(png: bytes) -> tuple[int, int]:
    return struct.unpack(">II", png[16:24])


def first_pixel(png: bytes) -> bytes:
    """Whatever the filter of the first row is, it leaves the first pixel as it is."""
    (length,) = _LENGTH.unpack(png[33:37])
    return zlib.decompress(png[41 : 41 + length])[1:4]


@pytest.fixture(scope="module")
def draw():
    return renderer.drawer()


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize(
    "name", ["value", "value-5000-points", "value-large", "value-gap", "drift", "drift-1-point"]
)
def test_an_image_is_small_in_bytes_and_wide_in_pixels(draw, name, theme):
    svg = value_chart(VALUES[name], theme) if name in VALUES else drift_chart(DRIFTS[name], theme)
    image = draw(svg)
    width, height = size_of(image)

    assert image.startswith(b"\x89PNG")
    assert width == 1280 >= height >= 940
    assert len(image) <= MOST_BYTES == 130_000
    assert first_pixel(image).hex() == palette(theme).background[1:].lower()


def test_both_weights_of_our_font_are_drawn_and_none_of_the_hosts(draw):
    def drawn(text: str, *, bold: bool = False) -> bytes:
        drawing = Drawing(height=270, background="#FFFFFF")
        drawing.text((20, 100), text, colour="#000000", bold=bold, size=40)
        return bytes(draw(drawing.svg()))

    empty = drawn(" ")

    assert len({empty, drawn("12 USDT"), drawn("12 USDT", bold=True)}) == 3
    assert drawn("Я ё ϕ ż") != empty
    assert drawn("中") == empty
    assert (renderer.FONTS / "Inter-LICENSE.txt").read_text().count("SIL OPEN FONT LICENSE") > 0


def test_one_picture_is_drawn_after_the_other_and_each_has_its_own_time():
    alarms: list[float] = []
    asked = b"".join(_LENGTH.pack(len(svg)) + svg for svg in (b"<one/>", b"<second/>"))
    answers = io.BytesIO()

    renderer.serve(
        io.BytesIO(asked),
        answers,
        lambda svg: svg.upper().encode(),
        alarm=alarms.append,
        idle_s=60,
        longest_s=10,
    )

    assert answers.getvalue() == b"\0\0\0\x06<ONE/>\0\0\0\x09<SECOND/>"
    assert alarms == [60, 10, 60, 10, 60]
