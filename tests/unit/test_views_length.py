"""A message is read on a phone at night: eight lines at most, unless it is a panel."""

import pytest

from bot.interaction.message import Message
from docs.gallery_cards import CARDS, Shown

MOST_LINES = 8
# Panels are looked up, not read to the end: tables, and lists of what can be set.
PANELS = frozenset(
    {"alerts", "balance", "digest", "help", "history", "limits", "members", "trade-story"}
)
PANELS_OF = ("settings", "status-")


def is_panel(name: str) -> bool:
    return name in PANELS or name.startswith(PANELS_OF)


def lines_of(message: Message) -> list[str]:
    """Lines as they are sent; an empty one between paragraphs is not counted."""
    return [line for line in message.text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    "card", [card for card in CARDS if not is_panel(card.name)], ids=lambda card: card.name
)
def test_each_view_that_is_no_panel_has_at_most_eight_lines(card: Shown):
    for said in card.chat:
        if isinstance(said, Message):
            assert len(lines_of(said)) <= MOST_LINES
