"""A sealed secret opens where it belongs and nowhere else, and nothing on the way tells it."""

import copy
import json
import pickle
import traceback

import pytest
from cryptography.fernet import Fernet
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.errors import DecryptionFailed
from engine.security.credentials import Credentials
from engine.security.vault import Vault

OLD_KEY = "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZCE="
NEW_KEY = "bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3IG5ldyE="
FOREIGN_KEY = "Zm9yZWlnbiBmb3JlaWduIGZvcmVpZ24gZm9yZWlnbiE="
API_KEY = "mx0vglCANARYKEY"
API_SECRET = "c0ffeeCANARYSECRET"

texts = st.text()
chats = st.integers(-(2**52), 2**52)


def a_vault(*keys: str) -> Vault:
    return Vault(keys or [OLD_KEY])


def a_token(vault: Vault, *, account_uuid: str = "account-1", chat_id: int = 1) -> str:
    return vault.seal_credentials(
        api_key=API_KEY, api_secret=API_SECRET, account_uuid=account_uuid, chat_id=chat_id
    )


def sealed_by_hand(plaintext: str) -> str:
    return Fernet(OLD_KEY).encrypt(plaintext.encode()).decode()


@given(api_key=texts, api_secret=texts, account_uuid=texts, chat_id=chats)
def test_a_sealed_key_opens_for_its_chat_and_account(api_key, api_secret, account_uuid, chat_id):
    vault = a_vault()

    token = vault.seal_credentials(
        api_key=api_key, api_secret=api_secret, account_uuid=account_uuid, chat_id=chat_id
    )

    opened = vault.open_credentials(token, account_uuid=account_uuid, chat_id=chat_id)
    assert (opened.api_key, opened.api_secret) == (api_key, api_secret)


@given(owner=st.tuples(texts, chats), thief=st.tuples(texts, chats))
def test_a_sealed_key_moved_to_another_row_is_refused(owner, thief):
    vault = a_vault()
    token = a_token(vault, account_uuid=owner[0], chat_id=owner[1])

    assume(owner != thief)
    with pytest.raises(DecryptionFailed, match="somewhere else"):
        vault.open_credentials(token, account_uuid=thief[0], chat_id=thief[1])


@pytest.mark.parametrize(
    ("account_uuid", "chat_id"), [("account-2", 1), ("account-1", 2), ("account-2", 2)]
)
def test_both_the_account_and_the_chat_must_be_right(account_uuid, chat_id):
    vault = a_vault()

    with pytest.raises(DecryptionFailed):
        vault.open_credentials(a_token(vault), account_uuid=account_uuid, chat_id=chat_id)


@given(text=texts, purpose=texts)
def test_a_sealed_text_opens_for_its_purpose(text, purpose):
    vault = a_vault()

    assert vault.open_text(vault.seal_text(text, purpose=purpose), purpose=purpose) == text


def test_a_text_sealed_for_one_purpose_is_refused_for_another():
    vault = a_vault()
    token = vault.seal_text("hello", purpose="inbox")

    with pytest.raises(DecryptionFailed, match="somewhere else"):
        vault.open_text(token, purpose="dialog")


def test_keys_and_texts_do_not_pass_for_each_other():
    vault = a_vault()

    with pytest.raises(DecryptionFailed, match="another kind"):
        vault.open_text(a_token(vault), purpose="inbox")
    with pytest.raises(DecryptionFailed, match="another kind"):
        vault.open_credentials(
            vault.seal_text("hello", purpose="inbox"), account_uuid="account-1", chat_id=1
        )


@given(token=st.text(st.characters()))  # every code point, lone surrogates included
def test_a_token_that_is_none_of_ours_is_refused(token):
    vault = a_vault()

    with pytest.raises(DecryptionFailed):
        vault.open_text(token, purpose="inbox")


@given(position=st.integers(0, 200), character=st.sampled_from("Aa09-_"))
def test_a_changed_token_never_opens_as_something_else(position, character):
    vault = a_vault()
    token = vault.seal_text("hello", purpose="inbox")
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]

    try:
        opened = vault.open_text(changed, purpose="inbox")
    except DecryptionFailed:
        return
    assert opened == "hello"  # the last characters hold spare bits


@pytest.mark.parametrize(
    "plaintext",
    [
        "no json at all",
        "[1]",
        '"text"',
        "{}",
        '{"purpose": "inbox", "text": "hello"}',
        '{"v": 2, "purpose": "inbox", "text": "hello"}',
        '{"v": 1, "purpose": "inbox", "text": "hello", "more": 1}',
    ],
)
def test_a_plaintext_of_another_shape_is_refused(plaintext):
    with pytest.raises(DecryptionFailed):
        a_vault().open_text(sealed_by_hand(plaintext), purpose="inbox")


def test_the_plaintext_is_what_the_documentation_says():
    token = a_token(a_vault(), account_uuid="account-1", chat_id=-100)

    assert json.loads(Fernet(OLD_KEY).decrypt(token)) == {
        "v": 1,
        "account_uuid": "account-1",
        "chat_id": -100,
        "api_key": API_KEY,
        "api_secret": API_SECRET,
    }


def test_the_first_key_encrypts_and_every_key_decrypts():
    old, new, both = a_vault(OLD_KEY), a_vault(NEW_KEY), a_vault(NEW_KEY, OLD_KEY)

    assert both.open_text(old.seal_text("hello", purpose="inbox"), purpose="inbox") == "hello"
    assert new.open_text(both.seal_text("hello", purpose="inbox"), purpose="inbox") == "hello"


def test_a_canary_is_known_to_every_vault_that_shares_a_key():
    canary = a_vault(OLD_KEY).canary()

    assert a_vault(OLD_KEY).knows(canary)
    assert a_vault(NEW_KEY, OLD_KEY).knows(canary)
    assert not a_vault(FOREIGN_KEY).knows(canary)
    assert not a_vault(OLD_KEY).knows("")


def test_an_ordinary_text_is_no_canary():
    vault = a_vault()

    assert not vault.knows(vault.seal_text("", purpose="inbox"))


@pytest.mark.parametrize("key", ["", "short", "ключ", OLD_KEY[:-4], f"{OLD_KEY} {NEW_KEY}"])
def test_a_key_that_is_no_fernet_key_is_refused_without_telling_it(key):
    with pytest.raises(ValueError, match="must be Fernet keys") as caught:
        Vault([OLD_KEY, key])

    told = "".join(traceback.format_exception(caught.value))
    assert OLD_KEY not in told
    assert not key or key not in str(caught.value)


def test_a_vault_without_keys_cannot_exist():
    with pytest.raises(ValueError, match="at least one key"):
        Vault([])


def test_no_exception_carries_a_secret():
    vault = a_vault()
    token = a_token(vault)
    broken = sealed_by_hand(f"{API_SECRET} is not json")
    told = []

    for attempt in (
        lambda: vault.open_credentials(token, account_uuid="account-2", chat_id=1),
        lambda: vault.open_text(token, purpose="inbox"),
        lambda: vault.open_text(broken, purpose="inbox"),
        lambda: a_vault(FOREIGN_KEY).open_text(token, purpose="inbox"),
    ):
        with pytest.raises(DecryptionFailed) as caught:
            attempt()
        told.append("".join(traceback.format_exception(caught.value)))

    for secret in (token, broken, API_KEY, API_SECRET, OLD_KEY):
        assert not any(secret in text for text in told)


def test_credentials_print_as_stars():
    credentials = Credentials(API_KEY, API_SECRET)

    for shown in (repr(credentials), str(credentials), f"{credentials}", f"{credentials:>40}"):
        assert "***" in shown
        assert API_KEY not in shown
        assert API_SECRET not in shown


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy])
def test_credentials_refuse_to_be_pickled_or_copied(leak):
    with pytest.raises(TypeError, match="never pickled"):
        leak(Credentials(API_KEY, API_SECRET))
