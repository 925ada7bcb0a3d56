"""A message is read on a phone at night: eight lines at most, unless it is a panel."""

from collections.abc import Callable
from random import Random
from typing import get_args

import pytest

from bot.interaction.message import Message
from bot.views.alerts.alerts import alert_view
from bot.views.alerts.shared import shared_alert_view
from docs.gallery_cards import CARDS, Shown
from engine.domain.alerts.alerts import Alert, Digest
from tests.unit.any_view import all_views, said_by

MOST_LINES = 8
# Panels are looked up, not read to the end: tables, and lists of what can be set.
PANELS = frozenset(
    {
        "alerts",
        "balance",
        "digest",
        "help",
        "history",
        "limits",
        "members",
        "profit",
        "profit-costs",
        "profit-deposits",
        "replay",
        "target",
        "target-card",
        "trade-story",
    }
)
PANELS_OF = ("settings", "status-")
PANEL_VIEWS = frozenset(
    {
        *("alerts_view", "alert_choices_view", "digest_view", "audit_view", "balance_view"),
        *("doctor_view", "logs_view", "help_view", "history_view", "limits_view", "marks_view"),
        "price_alerts_view",
        *("limits_changed_view", "panel_view", "page_view", "status_view", "story_view"),
        *(
            "costs_view",
            "earlier_view",
            "flows_view",
            "members_view",
            "profit_view",
            "replay_view",
            "shared_help_view",
            "with_buttons",
            "with_earlier",
            "builder_view",
            "consequence_view",
            "costs_view",
            "target_view",
        ),
    }
)
# They word the digest, too, which is a panel; all other alerts are tried by their kind.
ALERT_VIEWS = frozenset({"alert_view", "shared_alert_view"})
# As often as it takes to meet the rare combinations of their optional lines.
OFTEN = 120
SELDOM = 15
LONG = frozenset(
    {
        *("connected_view", "ask_resume_view", "plan_view", "ask_target_view", "ask_live_view"),
        *("overtaken_view", "undo_overtaken_view", "why_view"),
    }
)


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


@pytest.mark.parametrize("often", [True, False], ids=["with many", "with few"])
def test_no_combination_of_optional_lines_makes_an_answer_longer(*, often: bool):
    longest = {
        name: _longest(name, view, OFTEN if often else SELDOM)
        for name, view in all_views()
        if (name in LONG) is often and name not in PANEL_VIEWS | ALERT_VIEWS
    }

    assert {name: text for name, text in longest.items() if text} == {}


@pytest.mark.parametrize("kind", [kind for kind in get_args(Alert) if kind is not Digest])
def test_no_combination_of_optional_lines_makes_an_alert_longer(kind: type):
    for view in (alert_view, shared_alert_view):
        assert not _longest(kind.__name__, view, OFTEN, alert=kind)


def _longest(name: str, view: Callable[..., Message], times: int, **kinds: type) -> str:
    """Return a text of more than eight lines; empty if there is none."""
    random = Random(name)  # noqa: S311 - the same each time
    said = (said_by(view, random, **kinds) for _ in range(times))
    too_long = (one.text for one in said if one and len(lines_of(one)) > MOST_LINES)
    return next(too_long, "")
