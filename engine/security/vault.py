"""Encrypts secrets, each bound to the place where it is stored.

Fernet has no associated data, so the binding is inside the plaintext and is checked at every
decrypt: a token copied into another row does not open there.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from engine.errors import DecryptionFailed
from engine.security.credentials import Credentials

_VERSION = 1
_CANARY = "canary"
_KEY = re.compile(r"[A-Za-z0-9_+/-]{43}=", re.ASCII)


class Vault:
    """*keys* are Fernet keys: the first one encrypts, each of them decrypts.

    No exception raised here carries a key, a token or a plaintext.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a vault needs at least one key")
        if not all(is_key(key) for key in keys):
            raise ValueError("a vault's keys must be Fernet keys")
        self.has_older_keys = len(keys) > 1  # which only decrypt
        self._first = Fernet(keys[0])
        self._fernet = MultiFernet([self._first, *(Fernet(key) for key in keys[1:])])

    def seal_credentials(
        self, *, api_key: str, api_secret: str, account_uuid: str, chat_id: int
    ) -> str:
        bound_to = {"account_uuid": account_uuid, "chat_id": chat_id}
        return self._seal({**bound_to, "api_key": api_key, "api_secret": api_secret})

    def open_credentials(self, token: str, *, account_uuid: str, chat_id: int) -> Credentials:
        """Returns the key.
        Raises DecryptionFailed if it was sealed for another account or chat, or is unreadable.
        """
        bound_to = {"account_uuid": account_uuid, "chat_id": chat_id}
        return Credentials(**self._open(token, bound_to, holding=("api_key", "api_secret")))

    def seal_text(self, text: str, *, purpose: str) -> str:
        return self._seal({"purpose": purpose, "text": text})

    def open_text(self, token: str, *, purpose: str) -> str:
        """Raises DecryptionFailed if the text was sealed for another *purpose*, or cannot be read."""
        return self._open(token, {"purpose": purpose}, holding=("text",))["text"]

    def canary(self) -> str:
        """A token that proves nothing but which key made it: stored once, tried at each start."""
        return self.seal_text("", purpose=_CANARY)

    def knows(self, canary: str) -> bool:
        """True if the database this *canary* comes from was sealed with one of our keys."""
        try:
            self.open_text(canary, purpose=_CANARY)
        except DecryptionFailed:
            return False
        return True

    def under_first_key(self, token: str) -> str | None:
        """Returns the secret re-encrypted by the first key; None if it is already.
        Its binding stays. Raises DecryptionFailed if none of the keys opens it.
        """
        try:
            self._first.decrypt(token.encode())
        except (InvalidToken, ValueError):
            pass
        else:
            return None
        try:
            return self._fernet.rotate(token.encode()).decode()
        except (InvalidToken, ValueError):
            raise DecryptionFailed("none of the keys opens the sealed secret") from None

    def _seal(self, fields: Mapping[str, Any]) -> str:
        plaintext = json.dumps({"v": _VERSION, **fields})
        return self._fernet.encrypt(plaintext.encode()).decode()

    def _open(
        self, token: str, bound_to: Mapping[str, Any], *, holding: Sequence[str]
    ) -> dict[str, str]:
        try:
            fields = json.loads(self._fernet.decrypt(token.encode()))
        except (InvalidToken, ValueError):
            raise DecryptionFailed("none of the keys opens the sealed secret") from None
        expected = {"v": _VERSION, **bound_to}
        if not isinstance(fields, dict) or fields.keys() != {*expected, *holding}:
            raise DecryptionFailed("the sealed secret is of another kind")
        if any(fields[name] != value for name, value in expected.items()):
            raise DecryptionFailed("the sealed secret belongs somewhere else")
        return {name: fields[name] for name in holding}


def is_key(text: str) -> bool:
    """Stricter than Fernet itself, which ignores whatever follows a key's last character."""
    return _KEY.fullmatch(text) is not None
