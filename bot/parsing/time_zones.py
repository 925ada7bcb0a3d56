"""Time zones by the names users type: offset, abbreviation, large city."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_OFFSET = re.compile(
    r"(?:gmt|utc|z)?\s*(?P<sign>[+\-\u2212\u2013])\s*(?P<hours>[0-9]{1,2})"
    r"(?::?(?P<minutes>[0-5][0-9])|[.,](?P<part>25|5|50|75))?",
    re.ASCII | re.IGNORECASE,
)
_BY_OFFSET = re.compile(r"(?:gmt|utc|msk)?\s*[+\-\u2212\u2013\u00b1]?\s*[0-9]", re.IGNORECASE)
_PARTS = {"25": 15, "5": 30, "50": 30, "75": 45}
_FIXED = re.compile(r"Etc/GMT(?P<sign>[+-])(?P<hours>[0-9]{1,2})", re.ASCII)
_EARLIEST, _LATEST = -12, 14
# The tz database's fixed zones have whole hours only; these places have the others all year.
_HALVES = {
    (1, 3, 30): "Asia/Tehran",
    (1, 4, 30): "Asia/Kabul",
    (1, 5, 30): "Asia/Kolkata",
    (1, 5, 45): "Asia/Kathmandu",
    (1, 6, 30): "Asia/Yangon",
    (1, 8, 45): "Australia/Eucla",
    (1, 9, 30): "Australia/Darwin",
    (-1, 9, 30): "Pacific/Marquesas",
}
# These have summer time: they use the offset for a part of the year.
_IN_A_SEASON = {
    (1, 10, 30): ("Australia/Adelaide", "Australia/Lord_Howe"),
    (1, 12, 45): ("Pacific/Chatham",),
    (1, 13, 45): ("Pacific/Chatham",),
    (-1, 2, 30): ("America/St_Johns",),
    (-1, 3, 30): ("America/St_Johns",),
}
_MEANT = {
    "ist": ("Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"),
    "est edt et est5edt": ("America/New_York", "America/Toronto"),
    "cst": ("America/Chicago", "Asia/Shanghai"),
    "cdt ct cst6cdt": ("America/Chicago",),
    "mst mdt mt mst7mdt": ("America/Denver", "America/Phoenix"),
    "pst pdt pt pst8pdt": ("America/Los_Angeles",),
    "ast": ("America/Halifax", "Asia/Riyadh"),
    "cet cest mez mesz": ("Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Rome"),
    "eet eest": ("Europe/Athens", "Europe/Kyiv", "Europe/Bucharest"),
    "wet west": ("Europe/Lisbon",),
    "bst": ("Europe/London", "Asia/Dhaka"),
    "msk": ("Europe/Moscow",),
    "trt": ("Europe/Istanbul",),
    "gst": ("Asia/Dubai",),
    "pkt": ("Asia/Karachi",),
    "sgt": ("Asia/Singapore",),
    "hkt": ("Asia/Hong_Kong",),
    "jst": ("Asia/Tokyo",),
    "kst": ("Asia/Seoul",),
    "wib": ("Asia/Jakarta",),
    "ict": ("Asia/Bangkok", "Asia/Ho_Chi_Minh"),
    "aest aedt": ("Australia/Sydney", "Australia/Brisbane"),
    "awst": ("Australia/Perth",),
    "acst acdt": ("Australia/Darwin", "Australia/Adelaide"),
    "nst ndt": ("America/St_Johns",),
    "irst": ("Asia/Tehran",),
    "npt": ("Asia/Kathmandu",),
    "nzst nzdt": ("Pacific/Auckland",),
    "brt": ("America/Sao_Paulo",),
    "art": ("America/Argentina/Buenos_Aires",),
    "sast cat": ("Africa/Johannesburg",),
    "wat": ("Africa/Lagos",),
    "eat": ("Africa/Nairobi",),
    "hst": ("Pacific/Honolulu",),
    "akst akdt": ("America/Anchorage",),
}
_ABBREVIATIONS = {word: zones for words, zones in _MEANT.items() for word in words.split()}
_CITIES = (
    *("Europe/London", "Europe/Lisbon", "Europe/Berlin", "Europe/Paris", "Europe/Madrid"),
    *("Europe/Athens", "Europe/Kyiv", "Europe/Istanbul", "Europe/Moscow", "Africa/Cairo"),
    *("Africa/Lagos", "Africa/Johannesburg", "Africa/Nairobi", "Asia/Riyadh", "Asia/Dubai"),
    *("Asia/Karachi", "Asia/Tashkent", "Asia/Dhaka", "Asia/Almaty", "Asia/Bangkok"),
    *("Asia/Jakarta", "Asia/Singapore", "Asia/Shanghai", "Asia/Manila", "Asia/Tokyo"),
    *("Asia/Seoul", "Australia/Sydney", "Australia/Brisbane", "Pacific/Auckland"),
    *("Atlantic/Azores", "America/Sao_Paulo", "America/Argentina/Buenos_Aires"),
    *("America/Halifax", "America/Caracas", "America/New_York", "America/Bogota"),
    *("America/Chicago", "America/Mexico_City", "America/Denver", "America/Phoenix"),
    *("America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu"),
)
_MOST_CITIES = 4


def named_by_offset(text: str) -> str | None:
    """Return the tz name of `GMT+3`, `UTC-05:00` or `+5:30`.
    None for what is no offset, or one that no place has all the year round.
    """
    text = _bare(text)
    if text.lower() in {"gmt", "utc", "z", "zulu", "gmt0", "utc0", "utc\u00b10"}:
        return "UTC"
    offset = _read(text)
    if offset is None:
        return None
    sign, hours, minutes = offset
    if minutes:
        return _HALVES.get(offset)
    if not _EARLIEST <= sign * hours <= _LATEST:
        return None
    # `Etc/GMT-3` is three hours ahead of Greenwich: its sign is reversed.
    return f"Etc/GMT{'-' if sign > 0 else '+'}{hours}" if hours else "UTC"


def _bare(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip(" ().;")


def _read(text: str) -> tuple[int, int, int] | None:
    """Return the sign, the hours and the minutes."""
    offset = _OFFSET.fullmatch(text)
    if offset is None:
        return None
    minutes = int(offset["minutes"] or 0) or _PARTS.get(offset["part"] or "", 0)
    return 1 if offset["sign"] == "+" else -1, int(offset["hours"]), minutes


def is_by_offset(text: str) -> bool:
    """True for any text in the form of an offset, valid or not: it is no zone's name."""
    return _BY_OFFSET.match(_bare(text)) is not None


def with_offset_in_a_season(text: str) -> tuple[str, ...]:
    """List zones that use the offset for a part of the year; none for all other texts."""
    offset = _read(_bare(text))
    return _IN_A_SEASON.get(offset, ()) if offset is not None else ()


def meant_by(word: str) -> tuple[str, ...]:
    """List the zones of an abbreviation; none if it is unknown."""
    return _ABBREVIATIONS.get(word.lower(), ())


def shown(name: str) -> str:
    """Return a zone's name for display: `Etc/GMT-3` is UTC+3."""
    fixed = _FIXED.fullmatch(name)
    if fixed is None:
        return name
    return f"UTC{'+' if fixed['sign'] == '-' else '-'}{int(fixed['hours'])}"


def cities_of(name: str, *, at: datetime) -> Sequence[str]:
    """List cities with the current offset of the fixed zone *name*; none for other zones."""
    fixed = _FIXED.fullmatch(name)
    if fixed is None:
        return ()
    offset = timedelta(hours=int(fixed["hours"])) * (1 if fixed["sign"] == "-" else -1)
    same = [city for city in _CITIES if at.astimezone(ZoneInfo(city)).utcoffset() == offset]
    return same[:_MOST_CITIES]
