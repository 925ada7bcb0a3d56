"""A basket that is put together by buttons is whole at every step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.draft import Draft
from engine.domain.targets.target import MOST_TOKENS, Basket

BTC, ETH, MX = (Asset(name) for name in ("BTC", "ETH", "MX"))


def test_three_tokens_are_put_together_by_plus_alone():
    draft = Draft()
    for asset, taps in ((BTC, 10), (ETH, 6)):
        for _ in range(taps):
            draft = draft.plus(asset)

    assert draft.rest == 20
    assert draft.basket == Basket(((BTC, 5), (ETH, 3), (USDT, 2)))


def test_no_more_is_given_than_usdt_has_and_no_less_than_nothing():
    draft = Draft(((BTC, 98),))

    assert draft.plus(BTC).percents == ((BTC, 100),)
    assert draft.plus(ETH).percents == ((BTC, 98), (ETH, 2))
    assert Draft(((BTC, 3),)).minus(BTC).percents == ((BTC, 0),)


def test_a_draft_without_a_part_cannot_be_set():
    assert Draft().basket is None
    assert Draft(((BTC, 0),)).basket is None
    assert Draft(((BTC, 0), (ETH, 5))).without(ETH).basket is None


def test_tokens_share_evenly_what_they_have():
    assert Draft(((BTC, 50), (ETH, 10), (MX, 15))).evenly() == Draft(
        ((BTC, 25), (ETH, 25), (MX, 25))
    )
    assert Draft().evenly() == Draft()


def test_a_basket_begins_a_draft_in_whole_percents():
    thirds = Basket(((BTC, 1), (ETH, 1), (MX, 1)))

    assert Draft.of(thirds) == Draft(((BTC, 33), (ETH, 33), (MX, 33)))
    assert Draft.of(thirds).rest == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["plus", "minus", "without"]), st.sampled_from([BTC, ETH, MX]))
    )
)
def test_any_taps_leave_a_whole_basket(taps):
    draft = Draft()
    for name, asset in taps:
        draft = getattr(draft, name)(asset)

        assert draft.rest + sum(percent for _, percent in draft.percents) == 100
        assert draft.rest >= 0
        if (basket := draft.basket) is not None:
            assert Draft.of(basket).rest == draft.rest


@pytest.mark.parametrize(
    "percents",
    [
        ((USDT, 5),),
        ((BTC, 5), (BTC, 5)),
        ((BTC, 60), (ETH, 41)),
        ((BTC, -1),),
        tuple((Asset(f"T{n}"), 1) for n in range(MOST_TOKENS + 1)),
    ],
)
def test_no_draft_exists_wrong(percents):
    with pytest.raises(ValueError, match=r"draft|percentages"):
        Draft(percents)
