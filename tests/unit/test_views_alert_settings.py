"""The panel of `/alerts`, the warnings of `/warn`, and the digest, as a phone shows them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.alert_preferences import (
    alert_choices_view,
    alerts_changed_view,
    alerts_view,
    unknown_zone_view,
)
from bot.views.alerts.alerts import alert_view
from bot.views.low_balance import mark_removed_view, mark_set_view, marks_view, too_many_marks_view
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.alerts.alerts import Digest, LowBalanceOver, LowBalanceReached
from engine.domain.alerts.preferences import (
    AlertLevel,
    AlertPreferences,
    QuietHours,
    WeeklyTime,
)
from engine.domain.alerts.report_alerts import WeeklyFigures, WeeklyReport
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.pairs import USDT, Asset
from tests.builders import MNTL, MNTLUSDT, account, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
NIGHT = AlertPreferences(quiet=QuietHours(1380, 420), time_zone="Europe/Berlin")
LONGEST_ZONE = "America/Argentina/ComodRivadavia"
PARTS = ("smallest", "quiet", "zone", "digest", "weekly", "through", "deposits")
amounts = st.decimals(0, 10**9, places=4)
MARK = LowBalanceThreshold(MNTL, D(100_000))


def changed(part: str, after: AlertPreferences, before: AlertPreferences | None = None) -> str:
    return check_message(
        alerts_changed_view(
            account=account(),
            part=part,
            before=before or AlertPreferences(),
            settings=after,
            now=START,
        )
    )


def a_digest(**changes: Any) -> Digest:
    values: dict[str, Any] = {
        "dry_run": False,
        "since": START - timedelta(days=1),
        "at": START,
        "target": D(40),
        "trades": 0,
        "bought": D(0),
        "sold": D(0),
        "fees": {},
        "small": 0,
        "smallest": D(0),
    }
    return Digest(**values | changes)


def test_the_digest_of_a_basket_says_what_all_of_it_is_worth():
    worth = {"target": None, "held": D(200), "worth": D(1000), "made": D("1.5")}
    busy = told(a_digest(**worth, trades=1, bought=D(5), held_before=D(180)))

    rows = [line.split() for line in busy.splitlines()]
    assert ["USDT", "180.00", "→", "200.00", "USDT"] in rows
    assert ["In", "all", "1,000.00", "USDT"] in rows
    assert "You hold 1,000.00 USDT in all. Made: +1.50 USDT" in told(
        a_digest(**worth, held_before=D(200))
    )


def told(alert: Any) -> str:
    return check_message(alert_view(alert))


def test_the_panel_shows_every_part_and_has_a_button_for_each():
    view = alerts_view(account=account(), settings=NIGHT, now=START)
    text = check_message(view)
    labels = (
        [b.text for row in view.keyboard.inline_keyboard for b in row] if view.keyboard else []
    )

    assert text.startswith("🟢 LIVE · Alerts")
    assert "Quiet    23:00–07:00\n         errors with sound\n" in text
    assert "Zone     Europe/Berlin\n         13:00 now\n" in text
    assert "Digest   off" in text
    assert "Trades: on" in labels
    assert "Errors in quiet hours: yes" in labels


@given(
    levels=st.dictionaries(st.sampled_from(AlertKind), st.sampled_from(AlertLevel)),
    smallest=st.decimals(0, 10**6, places=2),
    minute=st.none() | st.integers(0, 1439),
    part=st.sampled_from((*PARTS, *(kind.value for kind in AlertKind))),
)
def test_every_panel_fits_a_phone(levels: Any, smallest: Decimal, minute: int | None, part: str):
    wanted = replace(
        NIGHT, levels=levels, smallest=smallest, digest_minute=minute, time_zone=LONGEST_ZONE
    )

    changed(part, wanted)


@pytest.mark.parametrize("part", [*PARTS, "", "trade"])
def test_every_choice_fits_a_phone_and_leads_back(part: str):
    view = alert_choices_view(account=account(), part=part, settings=NIGHT, now=START)

    assert "/alerts" in check_message(view)


def test_each_change_says_what_it_means():
    off = AlertPreferences().with_level(AlertKind.ERROR, AlertLevel.OFF)

    assert "Errors: off\nThese messages are not sent.\nYou always get: halts" in changed(
        "error", off
    )
    assert "You get no message for trades under 5.00 USDT." in changed(
        "smallest", AlertPreferences(smallest=D(5))
    )
    assert "No digest is set. /alerts digest 08:00" in changed(
        "smallest", AlertPreferences(smallest=D(5))
    )
    assert "No digest" not in changed("smallest", AlertPreferences(smallest=D(5), digest_minute=0))
    assert "It is 13:00 there. Messages come with a sound now." in changed("quiet", NIGHT)
    assert "You get all messages." in changed("quiet", NIGHT)
    utc = replace(NIGHT, time_zone="UTC")
    assert "/alerts zone sets your time zone" in changed("quiet", utc)
    assert "The next digest comes 23 Nov 08:00 (Europe/Berlin)" in changed(
        "digest", replace(NIGHT, digest_minute=480)
    )
    assert "No digest. /alerts digest 08:00" in changed("digest", NIGHT)
    assert "one every day.\nIt comes with a picture" in changed(
        "digest", replace(NIGHT, digest_picture=True)
    )
    assert "Nothing changed" in changed("quiet", NIGHT, NIGHT)


def test_the_weekly_report_says_when_it_comes_and_with_what():
    sunday = replace(NIGHT, weekly=WeeklyTime(6, 1200))
    silent = replace(sunday, weekly_picture=False).with_level(AlertKind.DIGEST, AlertLevel.SILENT)

    assert "comes 22 Nov 20:00 (Europe/Berlin).\nIt comes with a picture" in changed(
        "weekly", sunday
    )
    assert "Weekly   Sun 20:00, picture\n" in changed("weekly", sunday)
    assert "(Europe/Berlin).\nIt comes without a sound, as the digest does.\n\n" in changed(
        "weekly", silent
    )
    assert "Weekly   Sun 20:00, silent\n" in changed("weekly", silent)
    assert "No weekly report. /alerts weekly mon 08:00" in changed("weekly", NIGHT)
    assert "Digest   08:00, picture\n" in changed(
        "digest", replace(NIGHT, digest_minute=480, digest_picture=True)
    )


def a_week(figures: WeeklyFigures | None, **changes: Any) -> WeeklyReport:
    values: dict[str, Any] = {
        "dry_run": False,
        "since": START - timedelta(days=7),
        "at": START,
        "trading": True,
        "next_at": START + timedelta(days=7),
        "figures": figures,
    }
    return WeeklyReport(**values | changes)


WEEK = WeeklyFigures(
    start=D("198.20"),
    now=D("224.51"),
    deposits=D(25),
    made=D("1.31"),
    held_made=D("-0.53"),
    brought=D("1.84"),
    fees=D("0.08"),
    trades=14,
    returned=D("0.006"),
    held_returned=D("-0.0024"),
)


def test_the_weekly_report_is_the_profit_of_the_week_and_what_comes_next():
    text = told(a_week(WEEK))
    bare = replace(WEEK, deposits=D(0), trades=0, fees=D(0), returned=None, about=True)

    assert text.splitlines() == [
        "🟢 LIVE · Report of 7 days",
        "Value      198.20 → 224.51",
        "Deposits   +25.00",
        "Made       +1.31 (+0.6%)",
        "Only held  -0.53 (-0.2%)",
        "Trading    +1.84 in 14 trades",
        "Fees       -0.08",
        "Trading goes on. Next report: 29 Nov 12:00 UTC",
    ]
    assert "\nMade       about +1.31\nOnly held" in told(a_week(bare))
    assert "Trading  " not in told(a_week(bare))
    assert "Withdrawn  -25.00\n" in told(a_week(replace(WEEK, deposits=D(-25))))
    assert "Trading is stopped: /why. Next" in told(a_week(WEEK, trading=False))
    assert told(a_week(None, paused=True, next_at=None)).splitlines() == [
        "⏸ PAUSED · Report of 7 days",
        "I know nothing of this time: no record, or no price of the token.",
        "Trading is stopped: /why.",
    ]


@given(start=amounts, made=st.decimals(-(10**9), 10**9, places=4), trades=st.integers(0, 10**6))
def test_every_weekly_report_fits_a_phone(start: Decimal, made: Decimal, trades: int):
    told(a_week(replace(WEEK, start=start, made=made, trades=trades, about=True)))


def test_an_unknown_zone_is_answered_without_markup():
    view = unknown_zone_view(
        account=account(), typed_text="<b>", suggestions=("Europe/Berlin", "UTC")
    )

    assert "I know no time zone “<b>”." in check_message(view)
    check_message(unknown_zone_view(account=account(), typed_text="x", suggestions=()))


def test_the_warnings_are_listed_with_a_button_each():
    view = marks_view(
        account=account(), marks=[MARK, LowBalanceThreshold(USDT, D("0.5"), told=True)]
    )
    text = check_message(view)

    assert "Below 100,000 MNTL\n" in text
    assert "Below 0.5 USDT (low now, you were told)" in text
    assert "No warnings set." in check_message(marks_view(account=account(), marks=[]))
    check_message(too_many_marks_view(account=account()))
    check_message(mark_removed_view(account=account(), asset=MNTL, was_there=False))


def test_the_tokens_that_are_held_and_not_watched_are_offered():
    held = [MNTL, USDT, Asset("币安"), *(Asset(f"T{n}") for n in range(9))]
    view = marks_view(account=account(), marks=[MARK], tokens=held, is_listening=True)

    assert "Or send only the value, like MNTL 100000. I wait for 10 min." in check_message(view)
    assert view.keyboard is not None
    assert [button.text for row in view.keyboard.inline_keyboard for button in row] == [
        "Remove MNTL",
        *(f"/warn {name}" for name in ("USDT", "T0", "T1", "T2")),
    ]


def test_a_warning_says_when_it_comes_and_what_is_there_now():
    paused = account(settings=settings(paused=True))
    text = check_message(mark_set_view(account=account(), mark=MARK, changed=True, left=D(91_858)))

    assert (
        "I warn you once below 100,000 MNTL.\nI tell you when you have 105,000 or more again."
        in text
    )
    assert "You have 91,858 MNTL now.\nThe next check warns you." in text
    assert "/resume starts it" not in text
    assert "/resume starts it" in check_message(
        mark_set_view(account=paused, mark=MARK, changed=True)
    )


def test_what_runs_low_says_what_it_means():
    low = LowBalanceReached(
        dry_run=False, symbol=MNTLUSDT, asset=MNTL, below=D(100_000), left=D("91858.25")
    )

    assert told(low).startswith(
        "⚠️ LIVE · MNTL runs low\nYou have 91,858.25 MNTL.\nYour warning is at 100,000"
    )
    assert "Without MNTL I cannot sell any" in told(low)
    assert "I cannot buy" in told(replace(low, asset=USDT))
    assert "cannot" not in told(replace(low, asset=Asset("BTC")))
    assert "✅ LIVE · Enough MNTL again" in told(
        LowBalanceOver(dry_run=False, asset=MNTL, below=D(100_000), left=D(106_000))
    )


def test_a_quiet_day_is_one_line():
    assert told(a_digest(held=D("40.10"), held_before=D("40.10"))) == (
        "🟢 LIVE · Digest of 24 h: nothing happened. You hold 40.10 USDT."
    )
    assert told(a_digest(paused=True, dry_run=True)).startswith("⏸ PAUSED (dry run) · Digest")


def test_a_day_of_trades_is_told_in_numbers():
    text = told(
        a_digest(
            trades=3,
            bought=D("22.10"),
            sold=D("5"),
            fees={USDT: D("0.0135"), Asset("MX"): D("0.001")},
            small=2,
            smallest=D(10),
            held=D("40.10"),
            held_before=D("57.10"),
            troubles=1,
            trouble=IncidentKind.UNREACHABLE,
            key_expires_at=START + timedelta(days=5),
        )
    )

    assert "Bought   22.10 USDT\nSold     5.00 USDT\nTurnover 27.10 USDT\n" in text
    assert "Fees     0.001 MX + 0.01 USDT" in text
    assert "Holds    57.10 → 40.10 USDT" in text
    assert "2 trades were under 10.00 USDT and made no message." in text
    assert "1 warning was sent." in text
    assert "The MEXC key ends in 5 days, on 27 Nov 12:00 UTC." in text


def test_a_key_that_ends_far_away_is_no_news_and_one_that_ended_is():
    far = a_digest(key_expires_at=START + timedelta(days=80))

    assert "key" not in told(far).lower()
    assert "Key      ends in 80 days" in told(replace(far, trades=1))
    assert "has expired" in told(a_digest(key_expires_at=START))


@given(bought=amounts, held=st.none() | amounts, small=st.integers(0, 10**6))
def test_every_digest_fits_a_phone(bought: Decimal, held: Decimal | None, small: int):
    told(
        a_digest(
            trades=small, bought=bought, small=small, held=held, held_before=D(1), smallest=D(5)
        )
    )


def test_a_digest_tells_what_was_made_where_that_is_known():
    quiet = a_digest(held_before=D("40.10"), held=D("40.10"), made=D("-1.204"), brought=D(0))
    busy = a_digest(trades=1, held=D(40), made=D("1.31"), brought=D("1.84"))

    assert told(quiet).endswith("You hold 40.10 USDT. Made: -1.20 USDT (/profit)")
    assert "Made     +1.31 USDT\nTrading  +1.84 USDT\n" in told(busy)
    assert "Made: about -1.20 USDT" in told(replace(quiet, about=True))
    assert "Made     about +1.31 USDT\n" in told(replace(busy, about=True))
