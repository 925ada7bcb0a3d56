"""The dashboard and the alerting rules ask for what the program really shows, and for all of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bot.harness import Program
from tests.bot.scrape import Scrape, scrape

DOCS = Path(__file__).parents[2] / "docs"
# What Prometheus itself puts to every series it reads, and to a histogram's buckets.
OF_PROMETHEUS = {"job", "instance", "le"}
NAME = re.compile(r"\b(?:ballast|process)_\w+")
SELECTOR = re.compile(r"\b((?:ballast|process)_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")
RULE = re.compile(
    r"""      - alert: (?P<name>\w+)
        expr: '(?P<expr>(?:[^'\n]|'')+)'
(?:        for: (?P<wait>\d+[smh])
)?        labels:
          severity: (?P<severity>\w+)
        annotations:
          summary: "(?P<summary>[^\n]+)"
          description: "(?P<description>[^\n]+)"
          runbook_url: docs/operations\.md#(?P<anchor>[a-z-]+)
"""
)


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DOCS / "grafana.json").read_text())
    return loaded


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def rules() -> list[re.Match[str]]:
    return list(RULE.finditer((DOCS / "alerts.yml").read_text()))


def queries() -> Iterator[str]:
    yield from (target["expr"] for panel in panels() for target in panel["targets"])
    yield from (rule["expr"] for rule in rules())


@pytest.fixture
async def read(bot: Program) -> Scrape:
    """After a trade: there are requests of every kind that matters."""
    await bot.connect_by_chat()
    await bot.checked()
    return await scrape(bot)


def labels_of(read: Scrape, sample: str) -> dict[str, set[str]]:
    """Label -> the values it has. Raises LookupError where there is no such sample."""
    found = [labels for name, labels, _ in read.samples() if name == sample]
    if not found:
        raise LookupError(f"nothing shows {sample}")
    return {label: {labels[label] for labels in found} for label in found[0]}


def unknown_matchers(read: Scrape, query: str) -> Iterator[str]:
    """Labels, and values of labels, that a query wants and no series has."""
    for sample, matchers in SELECTOR.findall(query):
        known = labels_of(read, sample)
        for label, operator, value in MATCHER.findall(matchers):
            if label in OF_PROMETHEUS:
                continue
            wanted = set(value.split("|")) if operator == "=~" else {value}
            if not wanted <= known.get(label, set()):
                yield f"{sample}{{{label}{operator}{value}}}"


async def test_every_number_that_is_asked_for_is_shown_with_its_labels(read: Scrape):
    asked = [query for query in queries() if NAME.search(query)]
    groupings = [
        (query, g)
        for query in asked
        for found in GROUPING.findall(query)
        for g in found.split(", ")
    ]
    strangers = [
        f"{label} in {query}"
        for query, label in groupings
        if label not in OF_PROMETHEUS.union(*(labels_of(read, n) for n in NAME.findall(query)))
    ]

    assert len(asked) == len(list(queries())) > 45
    assert [m for query in asked for m in unknown_matchers(read, query)] == []
    assert strangers == []


async def test_every_family_is_on_the_dashboard_or_wakes_somebody(read: Scrape):
    asked = {name for query in queries() for name in NAME.findall(query)}
    ours = {name for name in read.families if name.startswith("ballast_")}
    suffixes = ("", "_total", "_bucket")
    unseen = {name for name in ours if not {f"{name}{suffix}" for suffix in suffixes} & asked}

    assert unseen == set()


async def test_the_manual_explains_every_alarm_and_names_numbers_that_there_are(read: Scrape):
    manual = (DOCS / "operations.md").read_text()
    anchors = {h.lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", manual, re.MULTILINE)}
    named = {name.removesuffix("_total") for name in NAME.findall(manual)}

    assert {rule["anchor"] for rule in rules()} <= anchors
    assert named <= set(read.families)


def test_the_dashboard_has_what_grafana_needs_to_load_it():
    loaded = dashboard()
    ids = [panel["id"] for panel in loaded["panels"]]

    assert (loaded["title"], loaded["uid"], loaded["id"]) == ("Ballast", "ballast", None)
    assert isinstance(loaded["schemaVersion"], int)
    assert [v["name"] for v in loaded["templating"]["list"]] == ["datasource", "instance"]
    assert loaded["templating"]["list"][0]["type"] == "datasource"
    assert len(ids) == len(set(ids))
    for panel in panels():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["title"]
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
            assert target["expr"].count("(") == target["expr"].count(")")


def test_no_panel_lies_on_another_or_beside_the_page():
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }

        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]

        taken |= cells


def test_every_rule_is_whole_and_says_where_its_remedy_is():
    text = (DOCS / "alerts.yml").read_text()
    names = [rule["name"] for rule in rules()]

    assert len(names) == len(set(names)) == text.count("- alert:") > 10
    assert RULE.sub("", text).splitlines()[1:] == ["groups:", "  - name: ballast", "    rules:"]
    for rule in rules():
        assert rule["anchor"] == re.sub(r"(?<!^)(?=[A-Z])", "-", rule["name"]).lower()
        assert rule["severity"] in {"warning", "critical"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
