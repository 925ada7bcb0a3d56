"""What is in a picture: its marks, its words and its colours, and that a phone can show it."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.views.charts.allocation_chart import allocation_chart
from bot.views.charts.drift_chart import drift_chart
from bot.views.charts.series import Sample, Transfer
from bot.views.charts.svg import WIDTH, Anchor, Drawing, text_width
from bot.views.charts.theme import Palette, Theme, palette
from bot.views.charts.value_chart import ValueChart, value_chart
from docs.chart_samples import DRIFTS, SHARES, UNTIL, VALUES, over_hours, value, walk
from docs.picture_samples import PICTURES

amounts = st.decimals(min_value=0, max_value=10**12, places=8)


def parsed(svg: str) -> list[ET.Element]:
    return [
        replace_namespace(element)
        for element in ET.fromstring(svg)  # noqa: S314 - our own
    ]


def replace_namespace(element: ET.Element) -> ET.Element:
    element.tag = element.tag.split("}")[-1]
    return element


def texts(svg: str) -> list[str]:
    return [part for one in parsed(svg) if one.tag == "text" for part in one.itertext()]


def marks(svg: str, colour: str) -> int:
    """Triangles of this colour, without the one in the key."""
    shapes = [e for e in parsed(svg) if e.get("fill") == colour and e.get("stroke")]
    return sum(e.get("d", "").count("Z") for e in shapes)


def check_picture(svg: str) -> None:
    """Fails on a text that is too small, or that leaves the picture or meets another one."""
    boxes = []
    for element in parsed(svg):
        if element.tag == "text":
            size = float(element.get("font-size", 0))
            text = "".join(element.itertext())
            width = text_width(text, size)
            part = {"start": 0.0, "middle": 0.5, "end": 1.0}[element.get("text-anchor", "")]
            left, base = float(element.get("x", 0)) - part * width, float(element.get("y", 0))
            boxes.append((left, left + width, base - 0.72 * size, base, text))
    for left, right, _, _, text in boxes:
        assert left >= 0, text
        assert right <= WIDTH, text
    for one, other in combinations(boxes, 2):
        beside = one[1] <= other[0] or other[1] <= one[0]
        assert beside or one[3] <= other[2] or other[3] <= one[2], (one, other)
    numbers = re.findall(r"[-\d.]+(?:e[-+]?\d+)?", "".join(e.get("d", "") for e in parsed(svg)))
    assert all(-20 <= float(number) <= 400 for number in numbers)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_can_be_read_on_a_phone(name):
    _, draw = PICTURES[name]
    svg = draw(Theme.DARK).svg
    root = ET.fromstring(svg)  # noqa: S314 - our own
    shape = int(root.get("width", 0)) / int(root.get("height", 0))

    check_picture(svg)
    assert root.get("width") == "1280"
    assert 1 <= shape <= 1.36
    assert parsed(svg)[0].get("fill") == palette(Theme.DARK).background


@pytest.mark.parametrize("theme", Theme)
def test_all_text_stands_out_from_its_background(theme):
    colours = palette(theme)
    for colour in (colours.text, colours.muted, colours.account, colours.held):
        assert contrast(colour, colours.background) >= 4.5
    for colour in (colours.gain, colours.loss):
        assert contrast(colour, colours.background) >= 4.5
    assert contrast(colours.muted, colours.grid) >= 4.5


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_each_trade_has_its_mark_and_the_key_counts_them():
    chart, colours = VALUES["value"], palette(Theme.DARK)
    svg = value_chart(chart, Theme.DARK)
    bought = marks(svg, colours.gain)

    assert 0 < bought < 11
    assert bought + marks(svg, colours.loss) == 11
    assert {f"bought {bought}", f"sold {11 - bought}"} <= set(texts(svg))


def test_many_trades_become_ticks():
    svg = value_chart(VALUES["value-5000-points"], Theme.LIGHT)
    colours = palette(Theme.LIGHT)

    assert marks(svg, colours.gain) == marks(svg, colours.loss) == 0
    assert any(text.startswith("bought 1") for text in texts(svg))


def test_a_transfer_is_a_dashed_line_with_its_amount():
    account = walk(100)
    moves = [
        Transfer(account[5].at, Decimal(150)),
        Transfer(account[99].at, Decimal("-20.5")),
    ]
    svg = value_chart(value(account, transfers=moves), Theme.DARK)

    assert "+150 deposit" in texts(svg)
    assert "−20.50 withdrawal" in texts(svg)
    assert svg.count('stroke-dasharray="3 3"') == 1


def test_the_panel_tells_what_trading_brought_to_the_cent():
    account = over_hours([Decimal(100), Decimal(110)])
    held = over_hours([Decimal(100), Decimal("112.5")])
    chart = ValueChart(words=VALUES["value"].words, account=account, held=held)
    svg = value_chart(chart, Theme.DARK)

    assert {"against only holding", "110.00", "112.50", "−2.50"} <= set(texts(svg))
    assert "against only holding" not in value_chart(replace(chart, held=()), Theme.DARK)


def test_what_is_not_known_is_dotted():
    dotted = 'stroke-dasharray="1.5 3.5"'

    assert dotted in value_chart(VALUES["value-gap"], Theme.DARK)
    assert dotted in drift_chart(DRIFTS["drift-gap"], Theme.DARK)
    assert dotted not in value_chart(VALUES["value"], Theme.DARK)


def test_outside_the_band_the_line_has_another_colour():
    colours = palette(Theme.DARK)
    inside = drift_chart(DRIFTS["drift-flat"], Theme.DARK)
    outside = drift_chart(DRIFTS["drift-10-points"], Theme.DARK)

    assert f'stroke="{colours.loss}"' not in inside
    assert f'stroke="{colours.loss}"' in outside
    assert {"band", "outside", "38", "42", "43", "37"} <= set(texts(outside))
    assert "outside" not in texts(inside)


def test_only_the_band_of_its_time_counts():
    samples = over_hours([Decimal(45)] * 4)
    wide = replace(DRIFTS["drift-flat"].bands[0], high=Decimal(50), at=samples[0].at)
    narrow = replace(wide, high=Decimal(42), at=UNTIL - timedelta(minutes=90))
    chart = replace(DRIFTS["drift-flat"], samples=samples, bands=[wide])

    assert "outside" not in texts(drift_chart(chart, Theme.DARK))
    assert "outside" in texts(drift_chart(replace(chart, bands=[wide, narrow]), Theme.DARK))


def test_an_axis_that_does_not_begin_at_zero_says_so_and_has_no_area_below_its_line():
    far = value_chart(VALUES["value-flat"], Theme.DARK)
    near = value_chart(VALUES["value-crash"], Theme.DARK)

    assert any(text.startswith("axis from 23") for text in texts(far))
    assert not any(text.startswith("axis from") for text in texts(near))
    assert ('fill-opacity="0.08"' in far, 'fill-opacity="0.08"' in near) == (False, True)


def test_a_move_of_next_to_nothing_looks_like_one():
    account = over_hours([Decimal(1000), Decimal("1000.50"), Decimal("999.80")])
    svg = value_chart(value(account, with_held=False), Theme.DARK)
    (line,) = [e for e in parsed(svg) if e.get("stroke-width") == "1.8"]
    heights = [float(number) for number in re.findall(r" ([\d.]+)", line.get("d", ""))]

    assert max(heights) - min(heights) < 10


def test_the_ends_of_two_lines_are_written_in_the_order_of_their_values():
    for account, held in (("963.24", "962.57"), ("962.57", "963.24")):
        lines = [over_hours([Decimal(1000), Decimal(end)]) for end in (account, held)]
        svg = value_chart(replace(value(lines[0]), held=lines[1]), Theme.DARK)
        places = {
            "".join(e.itertext()): float(e.get("y", 0)) for e in parsed(svg) if e.tag == "text"
        }

        assert 14 <= places["962.57"] - places["963.24"] < 15


def test_less_than_a_cent_is_no_difference_and_the_largest_one_is_written():
    account = over_hours([Decimal(100), Decimal(110)])
    flat = replace(value(account), held=over_hours([Decimal(100), Decimal("110.004")]))
    peak = replace(
        value(over_hours([Decimal(100), Decimal(120), Decimal(101)])),
        held=over_hours([Decimal(100)] * 3),
    )

    assert "0" in texts(value_chart(flat, Theme.DARK))
    assert {"+1.00", "+20.00"} <= set(texts(value_chart(peak, Theme.DARK)))


def test_of_many_transfers_the_largest_are_lines_and_the_others_ticks():
    account = walk(100)
    moves = [Transfer(account[10 * n].at, Decimal(n)) for n in range(1, 10)]
    svg = value_chart(value(account, transfers=moves), Theme.DARK)
    drawn = [e for e in parsed(svg) if e.tag == "path"]
    dashed = [e.get("d", "") for e in drawn if e.get("stroke-dasharray") == "3 3"]
    ticks = [d for e in drawn if (d := e.get("d", "")).split("L")[0].endswith(" 81")]

    assert [d.count("M") for d in (*dashed, *ticks)] == [4, 5]


def test_a_long_name_leaves_room_for_what_it_is_worth():
    long = replace(SHARES.parts[0], name="1000000" * 6)
    svg = allocation_chart(replace(SHARES, parts=[long, SHARES.parts[1]]), Theme.DARK)

    check_picture(svg)
    assert any(text.endswith("…") for text in texts(svg))
    assert {"band", "held"} <= set(texts(svg))


def test_an_asset_outside_its_band_has_the_colour_of_outside():
    above = replace(SHARES.parts[1], value=Decimal("57.10"))
    svg = allocation_chart(replace(SHARES, parts=[SHARES.parts[0], above]), Theme.LIGHT)
    loss = palette(Theme.LIGHT).loss

    assert f'fill="{loss}"' in svg
    assert f'fill="{loss}"' not in allocation_chart(SHARES, Theme.LIGHT)
    assert {"MNTL", "83%", "199.82 USDT"} <= set(texts(allocation_chart(SHARES, Theme.LIGHT)))


def test_names_from_outside_stay_words():
    odd = replace(SHARES.parts[0], name='<b>&"\x07')
    svg = allocation_chart(replace(SHARES, parts=[odd]), Theme.DARK)

    assert '<b>&"' in texts(svg)


def test_nothing_has_no_picture():
    with pytest.raises(ValueError, match="nothing"):
        value_chart(replace(VALUES["value"], account=()), Theme.DARK)
    with pytest.raises(ValueError, match="nothing"):
        drift_chart(replace(DRIFTS["drift"], samples=()), Theme.DARK)
    with pytest.raises(ValueError, match="nothing"):
        allocation_chart(replace(SHARES, parts=()), Theme.DARK)


def test_what_is_no_number_or_too_small_is_refused():
    drawing = Drawing(height=100, background="#000000")

    with pytest.raises(ValueError, match="no place"):
        drawing.lines([[(0, 0), (float("nan"), 1)]], colour="#FFFFFF")
    with pytest.raises(ValueError, match="nobody reads"):
        drawing.text((0, 0), "small", colour="#FFFFFF", size=9, anchor=Anchor.END)


@settings(max_examples=40)
@given(
    st.lists(amounts, min_size=1, max_size=12),
    st.lists(amounts, min_size=12, max_size=12),
    st.integers(min_value=0, max_value=12),
)
def test_any_account_has_a_picture(account, held, trades):
    samples = over_hours(account)
    others = [Sample(one.at, other) for one, other in zip(samples, held, strict=False)]
    chart = replace(value(samples, trades=trades), held=others)

    check_picture(value_chart(chart, Theme.DARK))
    check_picture(drift_chart(replace(DRIFTS["drift"], samples=samples), Theme.DARK))


def test_a_palette_is_of_a_theme():
    assert {type(palette(theme)) for theme in Theme} == {Palette}
    assert palette(Theme.DARK) != palette(Theme.LIGHT)
