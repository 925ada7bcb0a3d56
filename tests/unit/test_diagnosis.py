"""The verdicts of `/doctor`: each symptom has its finding, and silence is never health."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.views.doctor import doctor_view
from engine.diagnosis.findings import Grade, HealthFinding, Symptoms, diagnose
from engine.diagnosis.stream_health import StreamHealth
from engine.diagnosis.workload import MessageBacklog, Workload
from engine.domain.accounts.risk_limits import Limits
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.capability import NO_LASTS, Answer, Capability
from engine.domain.market.order_book import OrderBook
from engine.domain.streams.trust import StreamsOff, StreamState
from engine.errors import (
    AddressRefused,
    BadCredentials,
    DecryptionFailed,
    EngineError,
    HostRefused,
    MissingPermission,
    PairUnavailable,
    TooPowerful,
    Unavailable,
)
from engine.exchanges.interface import KeyPermissions
from engine.exchanges.rate_limiter import Priority, Usage
from engine.monitoring.lateness import Lateness
from engine.streaming.standing import LiveStanding
from tests.builders import account, book, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

S = timedelta(seconds=1)
NOW = START
NEEDED = frozenset({"SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"})
AWAY = Unavailable("no answer")
CALM = MessageBacklog(mine=0, all=0, given_up=0)
LIMITED = account(limits=Limits(order=Decimal(100)))


def key(days_left: int | None = 80, *addresses: str) -> KeyPermissions:
    return KeyPermissions(NEEDED, days_left, addresses)


def load(
    *, late: timedelta = S, overdue: int = 0, waiting_for: timedelta = 0 * S, **usage: Any
) -> Workload:
    stated: dict[str, Any] = {"weight_used": 30, "waiting": {}, "blocked_until": None} | usage
    return Workload(
        late=Lateness(
            checks=100,
            p99=late,
            most=late,
            overdue=overdue,
            waiting_for=waiting_for,
        ),
        usage=Usage(weight_limit=300, **stated),
        now=NOW,
    )


def symptoms(**changes: Any) -> Symptoms:
    healthy: dict[str, Any] = {
        "account": LIMITED,
        "clock_ahead": timedelta(),
        "key": key(),
        "rules": rules(),
        "book": book(bids=[("0.002", 10**6)], asks=[("0.002002", 10**6)]),
        "stored_in": timedelta(milliseconds=3),
        "backlog": CALM,
        "polled": S,
        "workload": load(),
    }
    return Symptoms(**(healthy | changes))


def refused(kind: type[Any]) -> EngineError:
    error = kind(code=1, message="IP [203.0.113.7] not in the ip white list")
    assert isinstance(error, EngineError)
    return error


def told(found: Symptoms) -> str:
    findings = diagnose(found)
    view = doctor_view(found=found, findings=findings, version="1.2.3", uptime=90 * S)
    return check_message(view)


def test_where_nothing_is_wrong_all_is_well():
    text = told(symptoms())

    assert text.startswith("🟢 LIVE · All is well\n")
    assert {finding.grade for finding in diagnose(symptoms())} == {Grade.OK}
    assert text.count("✅") == 12
    assert "Ballast 1.2.3, up for 1m 30s." in text


LISTED = rules(market_orders=False)
WAITING = account(settings=replace(settings(), execution=ExecutionMode.MAKER))
BOUNDED = account(settings=replace(settings(), execution=ExecutionMode.AUTO))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account": LIMITED}, "Orders: market orders, up to 5% from the last price."),
        ({"account": BOUNDED}, "Orders: with a bound, at most 1% from the middle price."),
        ({"account": WAITING}, "Orders: they wait 45 s first, then with a bound, at most 1%"),
        (
            {"account": BOUNDED, "ioc": Capability(Answer.NO, NOW)},
            "from this key. I try again 29 Nov 12:00 UTC.",
        ),
        (
            {"account": BOUNDED, "ioc": Capability(Answer.NO, NOW - NO_LASTS)},
            "Orders: with a bound",
        ),
        ({"account": BOUNDED, "rules": LISTED}, "can be bought and sold"),
        ({"account": LIMITED, "rules": LISTED}, "takes no market orders from API keys now"),
        (
            {"account": BOUNDED, "rules": rules(limit_orders=False)},
            "takes no orders from API keys now",
        ),
    ],
)
def test_it_says_how_orders_are_sent_and_whether_the_pair_takes_such(
    changes: dict[str, Any], words: str
):
    assert words in told(symptoms(**changes))


@pytest.mark.parametrize(
    ("changes", "finding", "remedy"),
    [
        ({"clock_ahead": -3 * S}, HealthFinding.CLOCK_OFF, "3 s ahead of MEXC's"),
        ({"clock_ahead": 61 * S}, HealthFinding.CLOCK_FAR_OFF, "behind MEXC's"),
        ({"clock_ahead": AWAY}, HealthFinding.CLOCK_UNKNOWN, "/doctor again"),
        ({"key": key(14)}, HealthFinding.KEY_ENDING, "It ends in 14 days. To renew it"),
        ({"key": key(1)}, HealthFinding.KEY_ENDING, "It ends in 1 day."),
        ({"key": key(0)}, HealthFinding.KEY_EXPIRED, "send it with /connect"),
        ({"key": key(None)}, HealthFinding.KEY_END_UNKNOWN, "after 90 days"),
        ({"key": key(None, "10.0.0.1")}, HealthFinding.KEY_FINE, "It does not expire."),
        ({"key": refused(BadCredentials)}, HealthFinding.KEY_REFUSED, "send it with /connect"),
        ({"key": refused(MissingPermission)}, HealthFinding.KEY_LACKING, "nothing else"),
        ({"key": refused(TooPowerful)}, HealthFinding.KEY_TOO_POWERFUL, "nothing else"),
        ({"key": DecryptionFailed("x")}, HealthFinding.KEY_UNREADABLE, "again with /connect"),
        ({"key": None}, HealthFinding.KEY_UNKNOWN, "/doctor again"),
        ({"key": AWAY}, HealthFinding.ADDRESS_UNKNOWN, "/doctor again"),
        ({"key": key(3, "10.0.0.1")}, HealthFinding.ADDRESS_BOUND, "only from 10.0.0.1"),
        ({"key": key()}, HealthFinding.ADDRESS_ANY, "Safer: allow only mine"),
        (
            {"key": refused(AddressRefused)},
            HealthFinding.ADDRESS_REFUSED,
            "Add the address 203.0.113.7",
        ),
        ({"account": account(sealed_key=None)}, HealthFinding.NO_KEY, "/connect"),
        ({"rules": rules(online=False)}, HealthFinding.PAIR_CLOSED, "/setpair"),
        ({"rules": rules(selling=False)}, HealthFinding.PAIR_ONE_SIDED, "cannot be sold now"),
        ({"rules": refused(PairUnavailable)}, HealthFinding.PAIR_HIDDEN, "/setpair"),
        ({"rules": AWAY}, HealthFinding.PAIR_UNKNOWN, "/doctor again"),
        ({"rules": AWAY}, HealthFinding.SETTINGS_UNKNOWN, "cannot check them"),
        ({"book": book()}, HealthFinding.MARKET_WIDE, "4.9% apart"),
        ({"book": book(asks=[])}, HealthFinding.MARKET_EMPTY, "/setpair"),
        ({"book": AWAY}, HealthFinding.MARKET_UNKNOWN, "/doctor again"),
        ({"account": account()}, HealthFinding.MARKET_FINE, "Within 5% you can buy"),
        ({"stored_in": None}, HealthFinding.DATABASE_BROKEN, "Nothing is traded"),
        ({"stored_in": 3 * S}, HealthFinding.DATABASE_SLOW, "3 s"),
        ({"backlog": None}, HealthFinding.MESSAGES_UNKNOWN, "/doctor again"),
        ({"backlog": MessageBacklog(2, 3, 0)}, HealthFinding.MESSAGES_WAITING, "2 to this chat"),
        ({"backlog": MessageBacklog(0, 21, 0)}, HealthFinding.MESSAGES_WAITING, "21 in all"),
        ({"backlog": MessageBacklog(0, 20, 0)}, HealthFinding.MESSAGES_FINE, "20 to others wait"),
        ({"backlog": MessageBacklog(0, 0, 1)}, HealthFinding.MESSAGES_GIVEN_UP, "/history"),
        ({"workload": load(late=15 * S)}, HealthFinding.CHECKS_FINE, "Checks: on time."),
        (
            {"workload": load(late=300 * S, overdue=40, waiting={Priority.CHECK: 8})},
            HealthFinding.CHECKS_RATIONED,
            "up to 5 min late. 40 are due now. MEXC takes no more requests",
        ),
        (
            {"workload": load(late=16 * S, weight_used=270)},
            HealthFinding.CHECKS_RATIONED,
            "up to 16 s late. MEXC takes",
        ),
        (
            {"workload": load(overdue=1, waiting_for=90 * S)},
            HealthFinding.CHECKS_LATE,
            "90 s late. 1 is due now. I cannot do",
        ),
        (
            {"workload": replace(load(), beaten=31 * S)},
            HealthFinding.CHECKS_STOPPED,
            "none began for 31 s",
        ),
        (
            {"workload": load(blocked_until=NOW + 200 * S)},
            HealthFinding.CHECKS_SILENCED,
            "asked me to wait 3 min more",
        ),
        (
            {"workload": load(blocked_until=NOW + 200 * S, host_refused="HTTP 403")},
            HealthFinding.HOST_REFUSED,
            "refuses this server (HTTP 403)",
        ),
        ({"rules": HostRefused("HTTP 302")}, HealthFinding.HOST_REFUSED, "MEXC_PROXY"),
        ({"polled": None}, HealthFinding.POLLS_UNKNOWN, "/doctor again"),
        ({"polled": 91 * S}, HealthFinding.POLLS_OLD, "network"),
    ],
    ids=lambda value: value.name if isinstance(value, HealthFinding) else None,
)
def test_each_symptom_has_its_finding_and_its_remedy(
    changes: dict[str, Any], finding: HealthFinding, remedy: str
):
    found = symptoms(**changes)

    assert finding in diagnose(found)
    assert remedy in told(found)


def test_a_shallow_market_is_held_against_the_largest_order_allowed():
    shallow: OrderBook = book(bids=[("0.002", 40_000)], asks=[("0.002002", 10**6)])

    text = told(symptoms(book=shallow))

    assert "sell for 80.00 USDT. Your limit is 100.00 USDT an order" in text
    assert HealthFinding.MARKET_FINE in diagnose(
        symptoms(book=shallow, account=account(limits=Limits(order=Decimal(80))))
    )


@pytest.mark.parametrize(("threshold", "words"), [("0.5", "I act only from"), ("40", "0.00 USDT")])
def test_settings_that_can_never_trade_are_found(threshold: str, words: str):
    wrong = settings(threshold=threshold, in_quote=True)
    found = symptoms(account=account(settings=wrong, limits=LIMITED.limits))

    assert HealthFinding.SETTINGS_CANNOT_TRADE in diagnose(found)
    assert words in told(found)
    assert "These would work: /setthreshold" in told(found)


def test_what_could_not_be_asked_is_never_fine():
    silent = symptoms(
        clock_ahead=AWAY,
        key=AWAY,
        rules=AWAY,
        book=AWAY,
        stored_in=None,
        backlog=None,
        polled=None,
        ioc=None,
        workload=load(late=60 * S),
    )

    assert all(finding.grade is not Grade.OK for finding in diagnose(silent))
    assert "Check-up: 1 broken, 9 to look at" in told(silent)


def test_a_dry_run_without_a_key_is_asked_for_neither_key_nor_clock():
    paper = account(settings=settings(dry_run=True), sealed_key=None, limits=LIMITED.limits)

    text = told(symptoms(account=paper, key=AWAY, clock_ahead=AWAY))

    assert text.startswith("🧪 DRY RUN · All is well")
    assert "Key:" not in text


@pytest.mark.parametrize("finding", HealthFinding)
def test_every_finding_has_words_whatever_else_was_found(finding: HealthFinding):
    for found in (symptoms(), symptoms(key=AWAY, rules=AWAY, book=AWAY, clock_ahead=AWAY)):
        view = doctor_view(found=found, findings=[finding], version="1", uptime=S)

        assert ":" in check_message(view).splitlines()[2]


def test_a_late_check_where_nothing_is_limited_is_the_machine_s_fault():
    late = load(late=60 * S, waiting={Priority.CHECK: 1})

    assert HealthFinding.CHECKS_LATE in diagnose(symptoms(workload=replace(late, usage=None)))


EVERY_2_MIN = StreamHealth(every=timedelta(minutes=2, seconds=7))


@pytest.mark.parametrize(
    ("health", "finding", "words"),
    [
        (
            replace(EVERY_2_MIN, standing=LiveStanding(StreamState.TRUSTED)),
            HealthFinding.STREAM_LIVE,
            "✅ Stream: live. I notice each change of a balance at once. I check every 2 min, too.",
        ),
        (EVERY_2_MIN, HealthFinding.STREAM_NOT_YET, "✅ Stream: not live yet."),
        (
            replace(EVERY_2_MIN, standing=LiveStanding(StreamState.ACKNOWLEDGED), is_full=True),
            HealthFinding.STREAM_NOT_YET,
            "Until it is, I check every 2 min.",
        ),
        (
            replace(EVERY_2_MIN, standing=LiveStanding(StreamState.SUSPECT)),
            HealthFinding.STREAM_DOUBTED,
            "⚠️ Stream: in doubt.",
        ),
        (replace(EVERY_2_MIN, off=StreamsOff.BY_SETTING), HealthFinding.STREAM_OFF, "STREAMS=off"),
        (
            replace(EVERY_2_MIN, off=StreamsOff.BY_ADDRESS),
            HealthFinding.STREAM_OTHER_EXCHANGE,
            "MEXC_API_URL is set, and MEXC_STREAM_URL is not.",
        ),
        (
            replace(EVERY_2_MIN, refused=MissingPermission(code=700007, message="<no> right")),
            HealthFinding.STREAM_REFUSED,
            "MEXC said “&lt;no&gt; right”. I check every 2 min.",
        ),
        (
            replace(EVERY_2_MIN, is_full=True),
            HealthFinding.STREAM_NONE_LEFT,
            "This process has as many as it may have.",
        ),
        (
            replace(EVERY_2_MIN, is_full=True, is_welcome=False),
            HealthFinding.STREAM_NOT_WELCOME,
            "MEXC takes no more connections from this address.",
        ),
    ],
)
def test_the_stream_is_one_line_with_how_often_is_checked_instead(
    health: StreamHealth, finding: HealthFinding, words: str
):
    found = symptoms(stream=health)
    view = doctor_view(found=found, findings=diagnose(found), version="1", uptime=S)
    check_message(view)

    assert finding in diagnose(found)
    assert words in view.text


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": None},  # another process checks the account
        {"account": account(settings=settings(paused=True))},
        {"account": account(sealed_key=None)},
    ],
)
def test_nothing_is_said_of_a_stream_where_there_is_nothing_to_look_at(changes: dict[str, Any]):
    found = symptoms(**{"stream": EVERY_2_MIN} | changes)

    assert not [finding for finding in diagnose(found) if finding.name.startswith("STREAM")]
