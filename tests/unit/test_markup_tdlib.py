"""TDLib, which the Bot API server is built on, reads our markup as the fake Bot API does.

Where `tdjson` has no wheel this is skipped; everything else then rests on the fake alone.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interaction.message import Message, split
from bot.views.components.layout import escape
from docs.gallery_cards import CARDS
from tests.fakes.telegram_html import CannotParse, Entity, Parsed, parsed

tdjson: Any = pytest.importorskip("tdjson", reason="no wheel for this platform")

_TAGS = {
    "textEntityTypeBold": {"b", "strong"},
    "textEntityTypeItalic": {"i", "em"},
    "textEntityTypeUnderline": {"u", "ins"},
    "textEntityTypeStrikethrough": {"s", "strike", "del"},
    "textEntityTypeCode": {"code"},
    "textEntityTypePre": {"pre"},
    "textEntityTypeBlockQuote": {"blockquote"},
    "textEntityTypeSpoiler": {"tg-spoiler", "span"},
}
_NAMES = {tag: name for name, tags in _TAGS.items() for tag in tags}
_MARKUP = st.lists(
    st.sampled_from(
        [
            *("<b>", "</b>", "<i>", "</i>", "<pre>", "</pre>", "<code>", "</code>", "<u>", "</u>"),
            *("a", "b c", "\n", "🟢", "&lt;", "&amp;", "&", "&amp", "<", ">", "<h1>", "</h1>"),
            *("é", "\u202e", "<b >", "</b >", "<B>", "</B>", "&#65;", "&copy;"),
            *("&#x41", "&#65", "&#X41;", "&#0;", "&#1114111;", "&#00000065;", "&quot", ";", "0"),
        ]
    ),
    max_size=12,
).map("".join)


def asked(request: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(tdjson.td_execute(json.dumps(request).encode()))
    return answer


asked({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})


def tdlib(markup: str) -> dict[str, Any]:
    mode = {"@type": "textParseModeHTML"}
    return asked({"@type": "parseTextEntities", "text": markup, "parse_mode": mode})


def named(entities: Any) -> list[tuple[str, int, int]]:
    return sorted((_NAMES[e.tag], e.offset, e.length) for e in entities)


def check_as_tdlib(markup: str) -> Parsed:
    theirs, ours = tdlib(markup), parsed(markup)

    assert theirs["@type"] == "formattedText", theirs
    assert ours.text == theirs["text"]
    found = [(e["type"]["@type"], e["offset"], e["length"]) for e in theirs["entities"]]
    assert named(ours.entities) == sorted(found)
    return ours


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_card_is_read_by_telegrams_own_parser(card: Any):
    for said in card.chat:
        if isinstance(said, Message):
            for part in split(said.text):
                check_as_tdlib(part)


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_whatever_is_escaped_is_read_as_it_was(text: str):
    wrapped = f"<b>{escape(text)}</b>"

    assert check_as_tdlib(wrapped).text == text


@given(markup=_MARKUP)
def test_the_fake_takes_what_telegram_takes_and_refuses_what_it_refuses(markup: str):
    try:
        parsed(markup)
    except CannotParse:
        assert tdlib(markup)["@type"] == "error", markup
    else:
        check_as_tdlib(markup)


@given(rows=st.lists(st.text("ab <&🟢", min_size=1, max_size=40), min_size=1, max_size=8))
def test_parts_of_a_long_message_are_read_too(rows: list[str]):
    text = "<b>x</b>\n<pre>" + "\n".join(escape(row) for row in rows) + "</pre>"
    for part in split(text, limit=40):
        check_as_tdlib(part)


def test_entities_are_counted_in_utf16():
    assert check_as_tdlib("<b>🟢 a</b>").entities == [Entity("b", 0, 4)]
