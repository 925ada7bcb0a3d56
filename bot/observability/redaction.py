"""What is secret, and what looks like a secret, taken out of a text."""

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

_HIDDEN = "***"
_PATTERNS = (
    (re.compile(r"(?<!\d)\d{6,}(?::|%3A)[A-Za-z0-9_-]{30,}", re.IGNORECASE), _HIDDEN),
    # The argument after the command, one more that may stand on the next line, and the rest.
    (re.compile(r"(/connect(?:@\w+)?)(?:\s|\\[nt])+\S+(?:\s+\S+)?[^\n]*"), rf"\1 {_HIDDEN}"),
    (re.compile(r"mx0[A-Za-z0-9]{6,}"), _HIDDEN),
    (re.compile(r"(signature['\"]?[=:] ?['\"]?)[0-9a-f]+", re.IGNORECASE), rf"\1{_HIDDEN}"),
    # Who an address says we are: a database's password, a proxy's, the key of a DSN.
    (re.compile(r"(\w://)[^\s/@'\"]+@"), rf"\1{_HIDDEN}@"),
)
# A shorter piece of an address stands in many an innocent word.
_SHORTEST_PIECE = 6


class Redaction:
    """Hides *secrets* wherever they stand, and whatever has the form of a token or a key."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # As they are, and as they stand within something that is quoted, or in an address.
        forms = {f for s in secrets for f in (s, repr(s)[1:-1], quote(s, safe=""))}
        # The longest first: one secret may be a part of another.
        self._secrets = sorted(filter(None, forms), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def login_of(url: str) -> set[str]:
    """What is secret of an address that has a name or a password in it: both, as written and read."""
    authority = urlsplit(url).netloc.rpartition("@")[0]
    user, _, password = authority.partition(":")
    return _pieces(password or user)


def whole_of(url: str) -> set[str]:
    """An address that is itself the secret: what follows the host, too, for it may stand alone."""
    parts = urlsplit(url)
    rest = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return {url} | login_of(url) | _pieces(rest.strip("/"), parts.path.rpartition("/")[2])


def _pieces(*texts: str) -> set[str]:
    forms = {form for text in texts for form in (text, unquote(text))}
    return {form for form in forms if len(form) >= _SHORTEST_PIECE}
