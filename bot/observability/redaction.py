"""Removes secrets, and what has the form of a secret, from a text."""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

_HIDDEN = "***"
_PATTERNS = (
    (re.compile(r"(?<!\d)\d{6,}(?::|%3A)[A-Za-z0-9_-]{30,}", re.IGNORECASE), _HIDDEN),
    # The argument after the command, one more that may be on the next line, and the rest.
    (re.compile(r"(/connect(?:@\w+)?)(?:\s|\\[nt])+\S+(?:\s+\S+)?[^\n]*"), rf"\1 {_HIDDEN}"),
    (re.compile(r"mx0[A-Za-z0-9]{6,}"), _HIDDEN),
    (re.compile(r"(signature['\"]?[=:] ?['\"]?)[0-9a-f]+", re.IGNORECASE), rf"\1{_HIDDEN}"),
    # The key of an account's stream, in an address, and as it is: 64 of these letters, or what a cut has left.
    (
        re.compile(r"(listenKey['\"]?(?:[=:]|%3D) ?['\"]?)[A-Za-z0-9]+", re.IGNORECASE),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"(?<![A-Za-z0-9])[0-9a-f]{48,}(?![A-Za-z0-9])", re.IGNORECASE), _HIDDEN),
    # The credentials in a URL: a database's password, a proxy's, the key of a DSN.
    (re.compile(r"(\w://)[^\s/@'\"]+@"), rf"\1{_HIDDEN}@"),
)
# A shorter part of an address occurs in many ordinary words.
_SHORTEST_PIECE = 6


class Redaction:
    """Hides *secrets* wherever they occur, and whatever has the form of a token or a key."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # As they are, as they are quoted by repr, and as they are encoded in a URL.
        forms = {f for s in secrets for f in (s, repr(s)[1:-1], quote(s, safe=""))}
        # The longest first: one secret may be part of another.
        self._secrets = sorted(filter(None, forms), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def login_of(url: str) -> set[str]:
    """Return the user name and password of an address, as written and as decoded."""
    authority = urlsplit(url).netloc.rpartition("@")[0]
    user, _, password = authority.partition(":")
    return _pieces(password or user)


def whole_of(url: str) -> set[str]:
    """Return a secret address, and the part after its host, which may occur alone."""
    parts = urlsplit(url)
    rest = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return {url} | login_of(url) | _pieces(rest.strip("/"), parts.path.rpartition("/")[2])


def _pieces(*texts: str) -> set[str]:
    forms = {form for text in texts for form in (text, unquote(text))}
    return {form for form in forms if len(form) >= _SHORTEST_PIECE}
