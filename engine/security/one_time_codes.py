"""One-time codes that a person can read aloud and type: no letter looks like another one."""

import hashlib
import secrets

# Of 0 o, 1 i l, 2 z, 5 s, 6 b 8, 9 g q, u v only the 6 is left: 16 of these are 69 bits.
ALPHABET = "3467acdefhjkmnprtwxy"
_GROUPS, _GROUP = 4, 4


def new_code() -> str:
    """Returns a code such as `h7kp-3mne-xa4r-wyct`, which may stand in a link."""
    return "-".join(
        "".join(secrets.choice(ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS)
    )


def as_made(typed: str) -> str:
    """Returns the code as `new_code` made it, whatever its capitals, hyphens and blanks.
    Other text is returned as it is: codes of older versions had capitals that counted.
    """
    bare = "".join(typed.lower().replace("-", " ").split())
    if len(bare) != _GROUPS * _GROUP or not set(bare) <= set(ALPHABET):
        return typed
    return "-".join(bare[at : at + _GROUP] for at in range(0, len(bare), _GROUP))


def hash_of(typed: str) -> str:
    """What is stored of a code."""
    return hashlib.sha256(as_made(typed).encode()).hexdigest()
