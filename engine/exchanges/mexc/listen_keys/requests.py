"""The requests about listen keys. Who has such a key can read the account: nothing prints one."""

import logging
import re
from dataclasses import replace

from engine.errors import BadData
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.endpoints import (
    DELETE_LISTEN_KEY,
    EXTEND_LISTEN_KEY,
    EXTEND_LISTEN_KEY_NOW,
    LISTEN_KEYS,
    NEW_LISTEN_KEY,
    Endpoint,
)
from engine.exchanges.mexc.json_fields import record, rows
from engine.security.credentials import Credentials

logger = logging.getLogger(__name__)

_FIELD = "listenKey"
# It is put into an address.
_SHAPE = re.compile(r"[A-Za-z0-9]{16,128}", re.ASCII)


class ListenKeyRequests:
    """All raise Unavailable or Rejected. What MEXC answers is not known for sure: each form of it
    is written into the log once.
    """

    def __init__(self, client: MexcClient) -> None:
        self._client = client
        self._seen: set[tuple[str, str]] = set()

    async def make(self, credentials: Credentials) -> str:
        """Returns a new key, or again the one that the account has: MEXC may do either."""
        answer = await self._client.read(NEW_LISTEN_KEY, credentials=credentials)
        key = record(answer.contents, what="the answer").get(_FIELD)
        if not isinstance(key, str) or not _SHAPE.fullmatch(key):
            raise BadData("the answer has no listen key")
        return key

    async def extend(self, key: str, credentials: Credentials, *, urgently: bool) -> None:
        """The key is valid for an hour from now on."""
        await self._ask_about(
            key, EXTEND_LISTEN_KEY_NOW if urgently else EXTEND_LISTEN_KEY, credentials
        )

    async def delete(self, key: str, credentials: Credentials) -> None:
        """End the key and its streams."""
        await self._ask_about(key, DELETE_LISTEN_KEY, credentials)

    async def count(self, credentials: Credentials) -> int:
        """Returns how many keys the account has; those of other programs are among them."""
        answer = await self._client.read(LISTEN_KEYS, credentials=credentials)
        return len(rows(record(answer.contents, what="the answer").get(_FIELD), what=_FIELD))

    async def _ask_about(self, key: str, endpoint: Endpoint, credentials: Credentials) -> None:
        answer = await self._client.read(
            endpoint, [(_FIELD, key)], credentials=replace(credentials, listen_key=key)
        )
        self.note(endpoint.method, _form_of(answer.contents, key))

    def note(self, method: str, form: str) -> None:
        """Write into the log, once, that such a request is answered so."""
        if (method, form) not in self._seen:
            self._seen.add((method, form))
            logger.info("listen key answered", extra={"method": method, "form": form})


def _form_of(contents: object, key: str) -> str:
    """What an answer is like, without what is in it."""
    if not isinstance(contents, dict):
        return type(contents).__name__
    if _FIELD in contents:
        return "the key" if contents[_FIELD] == key else "another key"
    return "a code" if "code" in contents else "fields" if contents else "nothing"
