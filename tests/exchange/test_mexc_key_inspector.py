"""A key is looked at before it is stored: what is refused, what is tolerated, what is reported."""

import pytest

from engine.domain.market.pairs import USDT, Symbol
from engine.errors import (
    AddressRefused,
    BadCredentials,
    BadData,
    EngineError,
    HostRefused,
    MissingPermission,
    PairUnavailable,
    TooPowerful,
    Unavailable,
)
from engine.exchanges.interface import KeyInspection, KeyInspector
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.endpoints import ACCOUNT, API_KEY_INFO, TEST_ORDER
from engine.exchanges.mexc.key_inspector import MexcKeyInspector
from engine.security.credentials import Credentials
from tests.exchange.conftest import API_KEY, API_SECRET
from tests.fakes.http import Reply
from tests.fakes.mexc import OUR_ADDRESS, FakeMexc
from tests.fakes.mexc_books import ALL_NEEDED, Account
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault, json_reply, refusal

MNTLUSDT = Symbol("MNTLUSDT")


@pytest.fixture
def check(mexc_client: MexcClient) -> KeyInspector:
    return MexcKeyInspector(mexc_client)


@pytest.fixture
def account(mexc: FakeMexc) -> Account:
    return mexc.ledger.accounts[API_KEY]


async def inspect(check: KeyInspector, symbol: Symbol = MNTLUSDT) -> KeyInspection:
    return await check.inspect(api_key=API_KEY, api_secret=API_SECRET, symbol=symbol)


async def test_a_good_key_is_described(mexc: FakeMexc, check: KeyInspector, account: Account):
    account.addresses = (OUR_ADDRESS, "10.0.0.1")

    facts = await inspect(check)

    assert facts.permissions == ALL_NEEDED
    assert (facts.days_left, facts.addresses) == (89, (OUR_ADDRESS, "10.0.0.1"))
    assert facts.holdings.of(USDT).free == 50


async def test_looking_at_a_key_reads_the_account_once_and_trades_nothing(
    mexc: FakeMexc, check: KeyInspector
):
    await inspect(check)

    assert mexc.requests["GET", ACCOUNT.path] == 1
    assert mexc.requests["POST", TEST_ORDER.path] == 1
    assert (mexc.order_posts, mexc.orders) == ({}, [])
    # A POST to this path would change the key's addresses.
    assert mexc.requests["POST", API_KEY_INFO.path] == 0


@pytest.mark.parametrize(
    "extra",
    [
        *("SPOT_WITHDRAW_WRITE", "SPOT_TRANSFER_WRITE", "WITHDRAW", "CONTRACT_DEAL_WRITE"),
        *("CONTRACT_ACCOUNT_WRITE", "SPOT_WITHDRAW_READ", "SOMETHING_NEW"),
    ],
)
async def test_a_key_that_may_do_too_much_is_refused(
    check: KeyInspector, account: Account, extra: str
):
    account.permissions = ALL_NEEDED | {extra}

    with pytest.raises(TooPowerful) as refused:
        await inspect(check)

    assert refused.value.message == extra


@pytest.mark.parametrize(
    "extra",
    ["SPOT_ACCOUNT_WRITE", "SPOT_TRANSFER_READ", "CONTRACT_ACCOUNT_READ", "CONTRACT_DEAL_READ"],
)
async def test_a_harmless_permission_is_tolerated(
    check: KeyInspector, account: Account, extra: str
):
    account.permissions = ALL_NEEDED | {extra}

    assert (await inspect(check)).permissions == ALL_NEEDED | {extra}


@pytest.mark.parametrize("lacking", sorted(ALL_NEEDED))
async def test_a_key_that_may_do_too_little_is_refused(
    check: KeyInspector, account: Account, lacking: str
):
    account.permissions = ALL_NEEDED - {lacking}

    with pytest.raises(MissingPermission):
        await inspect(check)


async def test_a_key_that_is_not_valid_any_more_is_refused(check: KeyInspector, account: Account):
    account.key_status = "EXPIRED"

    with pytest.raises(BadCredentials, match="EXPIRED"):
        await inspect(check)


@pytest.mark.parametrize(
    ("api_key", "api_secret"),
    [
        *((API_KEY, "wrong"), ("unknown", API_SECRET), ("", API_SECRET), (API_KEY, "")),
        *(("ключ", API_SECRET), (API_KEY, "a b"), ("line\nbreak", API_SECRET)),
    ],
    ids=["secret", "key", "no-key", "no-secret", "not-ascii", "blank", "newline"],
)
async def test_a_wrong_key_is_refused(check: KeyInspector, api_key: str, api_secret: str):
    with pytest.raises(BadCredentials):
        await check.inspect(api_key=api_key, api_secret=api_secret, symbol=MNTLUSDT)


async def test_a_key_bound_to_other_addresses_is_refused(check: KeyInspector, account: Account):
    account.addresses = ("10.0.0.1",)

    with pytest.raises(AddressRefused, match=r"127\.0\.0\.1"):
        await inspect(check)


@pytest.mark.parametrize(
    "reply",
    [Reply(status=404, body=b"<html>404</html>"), refusal(400), refusal(424242), refusal(700007)],
    ids=["404", "400", "unlisted", "not-for-this-key"],
)
async def test_an_exchange_that_does_not_describe_keys_is_tolerated(
    mexc: FakeMexc, check: KeyInspector, reply: Reply
):
    mexc.inject(Fault("GET", API_KEY_INFO.path, reply=reply))

    facts = await inspect(check)

    assert (facts.permissions, facts.days_left, facts.addresses) == (None, None, ())


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (BAD_GATEWAY, Unavailable),
        (Reply(body=b"<html>"), HostRefused),
        (Reply(body=b'{"permissions":7}'), BadData),
        (refusal(700002), BadCredentials),
    ],
    ids=range(4),
)
async def test_a_description_that_fails_fails_the_check(
    mexc: FakeMexc, check: KeyInspector, reply: Reply, error: type[EngineError]
):
    mexc.inject(Fault("GET", API_KEY_INFO.path, reply=reply))

    with pytest.raises(error):
        await inspect(check)


async def test_an_empty_account_may_still_be_connected(check: KeyInspector, account: Account):
    account.funds.clear()

    facts = await inspect(check)

    assert facts.holdings.balances == {}


async def test_what_one_answer_lacks_is_read_again_before_it_is_told(
    mexc: FakeMexc, check: KeyInspector
):
    odd = {"balances": [{"asset": "MNTL", "free": "7", "locked": "0"}]}
    mexc.inject(Fault("GET", ACCOUNT.path, reply=json_reply(odd)))

    assert (await inspect(check)).holdings.of(USDT).free == 50


async def test_an_odd_row_of_usdt_is_named_and_of_another_asset_is_not_minded(
    mexc: FakeMexc, check: KeyInspector
):
    plain = [{"asset": a, "free": "40", "locked": "0"} for a in ("USDT", "MNTL")]
    odd = {"asset": "OLDCOIN", "free": "1", "locked": "-0.0003"}
    mexc.inject(Fault("GET", ACCOUNT.path, reply=json_reply({"balances": [*plain, odd]})))

    assert (await inspect(check)).holdings.of(USDT).free == 40

    mexc.inject(Fault("GET", ACCOUNT.path, reply=json_reply({"balances": [*plain, *plain]})))
    with pytest.raises(BadData, match=r"MEXC lists USDT twice \(40 and 40\)"):
        await inspect(check)


async def test_a_pair_closed_to_the_key_is_told(check: KeyInspector, account: Account):
    account.pairs = frozenset({"BTCUSDT"})

    with pytest.raises(PairUnavailable):
        await inspect(check)
    with pytest.raises(PairUnavailable):
        await inspect(check, Symbol("NOPEUSDT"))


async def test_without_a_description_the_test_order_finds_a_missing_permission(
    mexc: FakeMexc, check: KeyInspector, account: Account
):
    account.permissions = ALL_NEEDED - {"SPOT_DEAL_WRITE"}
    mexc.inject(Fault("GET", API_KEY_INFO.path, reply=Reply(status=404)))

    with pytest.raises(MissingPermission):
        await inspect(check)


async def test_the_description_never_shows_the_key(mexc: FakeMexc, check: KeyInspector):
    facts = await inspect(check)

    assert API_KEY not in repr(facts)
    assert API_SECRET not in repr(facts)
    assert API_SECRET not in repr(Credentials(API_KEY, API_SECRET))
