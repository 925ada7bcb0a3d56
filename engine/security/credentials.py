"""An exchange key in clear; it prints as `***` wherever it might be printed."""

from dataclasses import dataclass, field
from typing import NoReturn

MASK = "***"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """*listen_key* is the key of a stream, where a request is about one."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    listen_key: str = field(default="", repr=False)

    def __repr__(self) -> str:
        return f"Credentials({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, _: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("an exchange key is never pickled")
