"""What the audit keeps of a change: every field, before and after, and nothing of a key."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.account import Account
from engine.domain.accounts.audit import changes
from engine.domain.accounts.risk_limits import Limits
from tests.builders import account, settings

targets = st.decimals("0.01", "99999", places=2)
accounts = st.builds(
    lambda target, paused, dry_run: account(
        settings=settings(target=target, paused=paused, dry_run=dry_run)
    ),
    targets,
    st.booleans(),
    st.booleans(),
)


@given(accounts)
def test_no_change_is_no_line(one: Account):
    assert changes(one, one) == []


@given(accounts, accounts)
def test_a_line_for_each_field_that_differs_and_its_way_back(one: Account, other: Account):
    there, back = changes(one, other), changes(other, one)

    assert [(c.subject, c.before, c.after) for c in there] == [
        (c.subject, c.after, c.before) for c in back
    ]
    assert all(c.before != c.after for c in there)
    differ = {
        "target": one.settings.fixed_goal.target != other.settings.fixed_goal.target,
        "trading": one.settings.paused != other.settings.paused,
        "dry run": one.settings.dry_run != other.settings.dry_run,
    }
    assert {c.subject for c in there} == {name for name, differs in differ.items() if differs}


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (account(settings=settings(target=50)), "target: 40 USDT -> 50 USDT"),
        (account(sealed_key=None, key_tail=None), "key: …BWC5 -> none"),
        (account(sealed_key="other", key_tail="ZZ99"), "key: …BWC5 -> …ZZ99"),
        (account(sealed_key="sealed anew"), "key: …BWC5 -> …BWC5"),
        (account(limits=Limits(orders_per_hour=20)), "orders an hour: auto -> 20"),
        (account(limits=Limits(move=Decimal("0.15"))), "price: auto -> 15%"),
    ],
)
def test_a_change_reads_as_it_was_and_as_it_is(after: Account, line: str):
    [change] = changes(account(), after)

    assert f"{change.subject}: {change.detail}" == line
