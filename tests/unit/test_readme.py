"""The documents for people say what the program does: names, defaults, numbers, links, picture."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from bot import __main__ as program
from bot.config.env import MAKE_A_KEY
from bot.config.settings import ProcessSettings
from bot.interaction.message import plain_text
from bot.views.alerts.alerts import alert_view
from bot.views.components.amounts import cents, price, quantity, usdt
from bot.views.help import COMMANDS
from docs.make_picture import PICTURE, draw
from docs.story import story
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.risk_limits import Recent
from engine.domain.alerts.alerts import IncidentAlert
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, OrderType, Side
from engine.domain.orders.matching import match_market_order, match_priced_order
from engine.domain.rebalancing.decision import DecisionInputs, wanted
from engine.domain.rebalancing.planner import InsideBand, MarketBuy, Plan, UnderMinimum
from tests.builders import MNTLUSDT, account, book, holdings, rules, settings
from tests.fakes.clock import START

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *sorted(
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "docs").glob("*.md")
        if path.name not in {"architecture.md", "gallery.md"}  # the one shows how to add /hello
    ),
)
MOST_WORDS = 1300
# Heroku's own mark, by which the program knows where it runs; nobody sets it.
NO_SETTINGS = {"DYNO"}
# The demo's own way out, and commands of BotFather.
OF_OTHERS = {"quit", "newbot", "revoke"}
# What a process answers at its port.
ADDRESSES = {"healthz", "readyz", "metrics"}
LINK = re.compile(r"\]\(([^)\s]+)\)|\bsrc=\"([^\"]+)\"")
COMMAND = re.compile(r"`/([a-z]+)[^`]*`")
ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)


class Remembering(dict[str, str]):
    """An environment that remembers which names were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.asked.add(key)
        return super().get(key, default)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(title: str, page: str = "README.md") -> str:
    """What stands under a heading of a page, up to the next one of its rank."""
    return text_of(page).split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of all table rows but the headings'."""
    for match in ROW.finditer(text):
        cells = [cell.strip() for cell in match[1].split(" | ")]
        if "`" in cells[0] or cells[0].isdecimal():
            yield cells


def names_read_by_the_program() -> set[str]:
    env = Remembering()
    ProcessSettings.from_env(env)
    return env.asked - NO_SETTINGS


def settings_table() -> dict[str, str]:
    """Variable -> default."""
    return {cells[0].strip("`"): cells[2] for cells in rows(text_of("docs/settings.md"))}


def example_lines() -> dict[str, str]:
    lines = text_of(".env.example").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def example_plan(
    held: str, *, threshold: str = "0.05", order_type: OrderType = OrderType.IOC
) -> Plan:
    """A plan in the market that the page describes, of a new account unless it is another's."""
    one = account(settings=settings(threshold=threshold))
    inputs = DecisionInputs(
        holdings=holdings(usdt=held),
        settings=one.settings,
        rules=rules(),
        book=the_book(),
        limits=one.limits_in_force,
        recent=Recent(),
        order_type=order_type,
    )
    return wanted(inputs)


def the_book() -> OrderBook:
    return book(bids=[("0.001998", 900_000)], asks=[("0.002002", 900_000)])


def test_the_readme_is_short_and_answers_what_is_asked_first():
    text = text_of("README.md")

    assert len(text.split()) <= MOST_WORDS
    assert "git clone https://github.com/OWNER/ballast" in text
    assert all(
        f"**{asked}" in section("Questions")
        for asked in (
            "Can it withdraw?",
            "What does a week",
            "Several",
            "Two bots?",
            "My country?",
        )
    )


def test_what_the_readme_says_was_measured_is_among_the_measurements():
    measured = text_of("benchmarks/README.md")

    assert [n for n in re.findall(r"\d+ MB", text_of("README.md")) if n not in measured] == []


def test_the_way_to_a_first_live_trade_is_numbered_and_names_what_to_send():
    steps = re.findall(r"(?m)^(\d+)\. ", section("From zero to a first live trade"))

    assert steps == [str(number + 1) for number in range(len(steps))]
    assert len(steps) <= 10


def test_every_page_is_reached_from_the_readme():
    linked = {link.partition("#")[0] for link, _ in LINK.findall(text_of("README.md"))}
    pages = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "docs").rglob("*.md")
        if path.name not in {"index.md", "releasing.md"}
    }

    assert pages <= linked


def test_every_page_is_in_the_menu_of_the_site():
    """Else `make docs` fails."""
    listed = re.findall(r"(?m)^[\w./-]+$", text_of("docs/index.md"))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks/README.md"]

    assert sorted((ROOT / f"docs/{name}.md").resolve() for name in listed) == sorted(
        page for page in pages if page != ROOT / "docs/index.md"
    )


def test_every_setting_is_in_the_manual_and_none_other():
    assert settings_table().keys() == names_read_by_the_program()


def test_the_defaults_in_the_manual_are_those_of_the_program():
    given = {
        name: default.strip("`")
        for name, default in settings_table().items()
        if default.startswith("`") and default.endswith("`")
    }

    assert ProcessSettings.from_env(given) == ProcessSettings.from_env({})
    assert given.keys() > {"DATABASE_URL", "TARGET_USDT", "THRESHOLD", "MEXC_API_URL"}


def test_the_example_file_has_every_setting_and_changes_no_default():
    assert example_lines().keys() == names_read_by_the_program() - {"DELTA"}
    assert ProcessSettings.from_env(example_lines()) == ProcessSettings.from_env({})


def test_every_command_is_in_the_manual_and_none_other():
    table = [COMMAND.fullmatch(cells[0]) for cells in rows(text_of("docs/commands.md"))]

    assert sorted(match[1] for match in table if match) == sorted(name for name, _ in COMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_document_names_a_command_that_does_not_exist(document: str):
    known = {name for name, _ in COMMANDS} | OF_OTHERS | ADDRESSES

    assert set(COMMAND.findall(text_of(document))) <= known


def test_every_make_target_the_readme_names_exists():
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", text_of("README.md"), re.MULTILINE))

    assert named <= targets
    assert named >= {"run", "test", "check", "docs"}


def test_the_exit_codes_are_those_of_the_program():
    told = rows(section("How to stop it", "docs/operator.md"))
    codes = [int(cells[0]) for cells in told if cells[0].isdecimal()]

    assert codes == [
        0,
        program.EXIT_BROKE,
        program.EXIT_BAD_SETTING,
        program.EXIT_CANNOT_START,
        program.EXIT_STALLED,
    ]


def test_the_host_runs_what_its_guide_quotes():
    assert f"```\n{text_of('Procfile')}```" in text_of("docs/deploy/heroku.md")


@pytest.mark.parametrize("document", ["docs/settings.md", ".env.example"])
def test_the_way_to_make_a_key_is_the_one_the_program_names(document: str):
    assert MAKE_A_KEY in text_of(document)


@pytest.mark.parametrize("kind", IncidentKind)
def test_every_trouble_is_explained_under_the_title_it_has_in_the_chat(kind: IncidentKind):
    told = IncidentAlert(
        dry_run=False,
        kind=kind,
        detail="",
        count=1,
        since=START,
        at=START,
        symbol=MNTLUSDT,
    )
    first_line = plain_text(alert_view(told).text).splitlines()[0]

    assert first_line.split(" · ")[1] in text_of("docs/messages.md")


def test_the_picture_is_what_the_views_say_today():
    """Draw it anew with `python -m docs.make_picture`."""
    assert PICTURE.read_text(encoding="utf-8") == draw(story())


def test_the_picture_asks_nothing_of_other_servers():
    addresses = re.findall(r"(?:https?:)?//[^\s\"']+", PICTURE.read_text(encoding="utf-8"))

    assert addresses == ["http://www.w3.org/2000/svg"]


def test_the_example_of_a_balance_in_its_band_is_what_the_planner_decides():
    told = text_of("docs/how-it-decides.md")

    assert "41.50 USDT" in told
    assert example_plan("41.50").reason == InsideBand()


def test_the_example_of_a_purchase_is_what_the_planner_and_the_exchange_do():
    told = text_of("docs/how-it-decides.md")
    order = example_plan("57.10").order
    assert isinstance(order, BoundedOrder)
    match = match_priced_order(
        side=Side.BUY,
        order_type=order.order_type,
        base_quantity=order.base_quantity,
        price=order.price,
        free=Decimal("57.10"),
        book=the_book(),
        rules=rules(),
    )
    left = Decimal("57.10") - match.execution.quote_amount - match.fee

    assert f"buys {quantity(match.execution.base_quantity)} MNTL" in told
    assert (
        f"for {cents(match.execution.quote_amount)}, and never above {price(order.price)}" in told
    )
    assert f"{usdt(left)} are left" in told
    assert abs(left - settings().fixed_goal.target) < Decimal("0.1")


def test_the_example_of_a_market_order_is_what_the_planner_and_the_exchange_do():
    told = text_of("docs/how-it-decides.md")
    order = example_plan("57.10", order_type=OrderType.MARKET).order
    assert isinstance(order, MarketBuy)
    match = match_market_order(
        side=Side.BUY,
        amount=order.quote_amount,
        free=Decimal("57.10"),
        last_price=Decimal("0.002"),
        book=the_book(),
        rules=rules(),
    )
    left = Decimal("57.10") - match.execution.quote_amount - match.fee

    assert f"to buy MNTL for {cents(order.quote_amount)}" in told
    assert f"{quantity(match.execution.base_quantity)} MNTL" in told
    assert f"for {cents(match.execution.quote_amount)}" in told
    assert f"{usdt(left)} are left" in told
    assert settings().fixed_goal.band.holds(left)


def test_the_example_of_a_sale_is_what_the_planner_decides():
    told = text_of("docs/how-it-decides.md")
    order = example_plan("31.20").order

    assert isinstance(order, BoundedOrder)
    assert f"sells {quantity(order.base_quantity)} MNTL" in told
    assert f"never below {price(order.price)}" in told
    assert f"brings {usdt(order.expected_quote)}" in told


def test_the_example_of_a_drift_too_small_to_trade_is_what_the_planner_decides():
    told = text_of("docs/how-it-decides.md")
    plan_at = example_plan("40.90", threshold="0.02")
    reason = plan_at.reason

    assert isinstance(reason, UnderMinimum)
    assert f"{cents(reason.quote_amount)} {USDT} is less than MEXC takes" in told
    assert f"so {cents(reason.minimum)}" in told
