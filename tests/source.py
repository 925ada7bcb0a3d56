"""The program's source as text, to look for what must be spelled in it as it is."""

import re
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_FIELD = re.compile(r'\{[^{}\n":]*(:[^{}\n"]*)?\}')


@cache
def normalized_source() -> str:
    """All of it, wherever it stands; what f-strings fill in is `{}`, or `{:format}`."""
    files = sorted(path for part in ("engine", "bot") for path in (_ROOT / part).rglob("*.py"))
    whole = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return _FIELD.sub(lambda field: f"{{{field[1] or ''}}}", whole)


def not_spelled(texts: list[str]) -> list[str]:
    """Those that no string of the program's is."""
    return [text for text in texts if f'"{text}"' not in normalized_source()]
