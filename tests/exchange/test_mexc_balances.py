"""An account's rows: one that makes no sense costs its own asset, and nothing else."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market.balances import Balance
from engine.domain.market.pairs import USDT, Asset
from engine.errors import BadData
from engine.exchanges.mexc import balances
from engine.exchanges.mexc.json_fields import parsed
from tests.fakes.clock import START

MNTL = Asset("MNTL")
PLAIN = [
    {"asset": "USDT", "free": "90", "locked": "0"},
    {"asset": "MNTL", "free": "100000", "locked": "0"},
]


def read(account: object):
    """As it comes over the wire."""
    return balances.holdings(parsed(json.dumps(account).encode()), read_at=START)


def read_rows(*rows: str):
    return balances.holdings(parsed(f'{{"balances":[{",".join(rows)}]}}'.encode()), read_at=START)


def test_an_account_becomes_holdings():
    held = read(
        {"balances": [{"asset": "USDT", "free": "88.120131350620957006", "locked": "1.5"}]}
    )

    assert held.read_at == START
    assert held.of(USDT) == Balance(Decimal("88.120131350620957006"), Decimal("1.5"))
    assert held.of(MNTL) == Balance()
    assert held.unreadable == {}


@pytest.mark.parametrize(
    "account",
    [
        *([], {}, "", None),
        *({"balances": None}, {"balances": {}}, {"balances": "[]"}, {"data": {"balances": PLAIN}}),
        {"balances": PLAIN, "msg": "Internal error"},
        {"balances": PLAIN, "error": {"code": 1}},
        {"balances": PLAIN, "success": False},
        {"balances": PLAIN, "hasNext": True, "total": 3},
        {"balances": PLAIN, "nextCursor": "abc"},
    ],
    ids=range(13),
)
def test_an_answer_of_another_shape_or_with_a_complaint_is_bad_data(account: object):
    with pytest.raises(BadData):
        read(account)


@pytest.mark.parametrize(
    "double", ['{"balances":[],"balances":[]}', '{"balances":[],"a":1,"a":1}']
)
def test_an_answer_that_states_a_field_twice_is_bad_data(double: str):
    with pytest.raises(BadData):
        balances.holdings(parsed(double.encode()), read_at=START)


@pytest.mark.parametrize("message", [None, "", "success"])
def test_an_envelope_that_reports_success_is_read(message: object):
    assert read({"balances": PLAIN, "code": 200, "msg": message}).of(USDT).free == 90


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [{"asset": "OLDCOIN", "free": "1", "locked": "-0.0003"}],
            "MEXC's row of OLDCOIN makes no sense (free 1, locked -0.0003)",
        ),
        (
            [{"asset": "OLDCOIN", "free": a, "locked": "0"} for a in ("1", "0.5")],
            "MEXC lists OLDCOIN twice (1 and 0.5)",
        ),
        (
            [{"asset": "OLDCOIN", "free": a, "locked": "0"} for a in ("1", "2", "3")],
            "MEXC lists OLDCOIN 3 times (1, 2 and 3)",
        ),
        (
            [{"asset": "OLDCOIN", "free": "NaN"}],
            "MEXC's row of OLDCOIN makes no sense (free NaN, locked missing)",
        ),
        (
            [{"asset": "OLDCOIN", "free": [], "locked": True}],
            "MEXC's row of OLDCOIN makes no sense (free no amount, locked True)",
        ),
        (
            [{"asset": "OLDCOIN", "free": 1.5, "locked": ""}],
            "MEXC's row of OLDCOIN makes no sense (free 1.5, locked blank)",
        ),
    ],
    ids=["negative", "twice", "thrice", "no number", "no amounts", "blank"],
)
def test_an_odd_row_of_another_asset_is_left_out_and_kept_as_what_was_read(
    rows: list[object], said: str
):
    held = read({"balances": [*PLAIN, *rows]})

    assert (held.of(USDT).free, held.of(MNTL).free) == (90, 100_000)
    assert held.unreadable == {"OLDCOIN": said}
    with pytest.raises(BadData, match="OLDCOIN"):
        held.of(Asset("OLDCOIN"))


@pytest.mark.parametrize("row", ["null", "[]", '"USDT"', "5", "{}", '{"asset":null,"free":"1"}'])
def test_a_row_without_a_name_matters_where_an_asset_is_missing(row: str):
    usdt = '{"asset":"USDT","free":"90","locked":"0"}'
    held = read_rows(usdt, row)

    assert held.of(USDT).free == 90
    with pytest.raises(BadData, match="MNTL"):
        held.of(MNTL)


@pytest.mark.parametrize(
    "rows",
    [
        ['{"asset":"USDT","free":"40","locked":"0"}', '{"asset":"USDT","free":"0","locked":"0"}'],
        ['{"asset":"USDT","free":"40","locked":"0"}', '{"asset":"usdt","free":"0","locked":"0"}'],
        ['{"asset":"USDT","free":"40","locked":"0"}'] * 2,
        ['{"asset":"USDT","free":"40"}'],
        ['{"asset":"USDT","free":"-40","locked":"0"}'],
        ['{"asset":"USDT","free":"40","free":"0","locked":"0"}'],
        ['{"asset":"USDT","asset":"MNTL","free":"40","locked":"0"}'],
        ['{"asset":"usdt","free":"40","locked":"0"}'],
        ['{"asset":"USDT ","free":"40","locked":"0"}'],
        ['{"asset":"USDT\u200b","free":"40","locked":"0"}'],
        ['{"asset":"\uff35SDT","free":"40","locked":"0"}'],
    ],
    ids=[
        *("twice", "twice in two spellings", "the same twice", "half", "negative", "amount twice"),
        *("name twice", "small letters", "with a blank", "with something invisible", "wide"),
    ],
)
def test_an_odd_row_of_usdt_is_never_taken_for_a_balance(rows: list[str]):
    with pytest.raises(BadData, match="USDT"):
        read_rows(*rows).of(USDT)


def test_what_was_read_of_usdt_is_named():
    held = read({"balances": [{"asset": "USDT", "free": f, "locked": "0"} for f in ("40", "0")]})

    with pytest.raises(BadData, match=r"^MEXC lists USDT twice \(40 and 0\)$"):
        held.of(USDT)


odd_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["USDT", "1", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
odd_rows = odd_values | st.fixed_dictionaries(
    {}, optional={"asset": odd_values, "free": odd_values, "locked": odd_values}
)


@given(st.lists(odd_rows, max_size=6), st.permutations(PLAIN))
def test_whatever_stands_beside_them_plain_rows_are_read_or_doubted_and_never_changed(
    odd: list[object], plain: list[object]
):
    held = read({"balances": [*odd, *plain]})

    for asset, free in ((USDT, 90), (MNTL, 100_000)):
        try:
            assert held.of(asset) == Balance(free=Decimal(free))
        except BadData:
            assert asset in held.unreadable or any(
                isinstance(row, dict) and row.get("asset") not in ("USDT", "MNTL") for row in odd
            )
