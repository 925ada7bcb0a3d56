"""The gallery shows what the bot says today, as a phone would take it."""

import pytest

from bot.interaction.message import Message
from docs.gallery_cards import CARDS, Shown
from docs.make_gallery import FOLDERS, gallery
from tests.unit.phone import check_message


def test_the_gallery_is_what_the_views_say_today():
    """Draw it anew with `python -m docs.make_gallery`."""
    wanted = gallery()

    outdated = [
        path.name
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert outdated == []
    assert {file for folder in FOLDERS for file in folder.iterdir()} <= set(wanted)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_each_card_fits_a_phone(card: Shown):
    for said in card.chat:
        if isinstance(said, Message):
            check_message(said)


def test_no_two_pictures_share_a_name():
    names = [card.name for card in CARDS]

    assert len(set(names)) == len(names)
