"""Makes text from users storable in the database's encoding."""

import codecs
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# PostgreSQL's names of encodings that Python knows by another one.
_PYTHON_NAMES: Mapping[str, str] = {"WIN": "cp", "KOI8R": "koi8-r", "KOI8U": "koi8-u"}
_HOLD_EVERYTHING = {"UTF8", "SQL_ASCII"}


async def storable(session: AsyncSession, name: str) -> str:
    """Returns *name* with a question mark for each character that the database cannot hold."""
    if name.isascii() or session.get_bind().dialect.name != "postgresql":
        return name
    encoding = await session.scalar(text("SHOW server_encoding"))
    if encoding in _HOLD_EVERYTHING:
        return name
    codec = _codec_of(str(encoding))
    return name.encode(codec, "replace").decode(codec)


def _codec_of(encoding: str) -> str:
    for theirs, ours in _PYTHON_NAMES.items():
        encoding = encoding.replace(theirs, ours)
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return "ascii"
