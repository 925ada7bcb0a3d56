"""The band of an account as it was over time, read back from the audit of its settings. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from engine.domain.accounts.audit import AuditEntry, band_fields
from engine.domain.accounts.settings import Band, Settings
from engine.domain.targets.bands import Threshold


@dataclass(frozen=True, slots=True)
class PastBand:
    """*target* and *band* held from *at* until the next one."""

    at: datetime
    target: Decimal
    band: Band


def past_bands(
    settings: Settings, entries: Sequence[AuditEntry], *, since: datetime
) -> Sequence[PastBand]:
    """Returns the bands from *since* on, oldest first; the last one is that of *settings*.
    *entries* are the audit's lines about them since then, newest first. The first band begins later
    than *since* where a line does not agree with the one after it: what held before is not known.
    """
    found: list[PastBand] = []
    known = settings
    for entry in entries:
        found.append(PastBand(entry.at, known.target, known.band))
        if (before := _before(known, entry)) is None:
            break
        known = before
    else:
        found.append(PastBand(since, known.target, known.band))
    return found[::-1]


def _before(settings: Settings, entry: AuditEntry) -> Settings | None:
    """The settings that *entry* changed into these; None if it does not tell."""
    before, _, after = entry.detail.partition(" -> ")
    if band_fields(settings).get(entry.subject) != after:
        return None
    number = before.removesuffix("%").removesuffix(" USDT")
    try:
        value = Decimal(number)
        if entry.subject == "target":
            return replace(settings, target=value)
        if before.endswith("%"):
            return replace(settings, threshold=Threshold(relative=value / 100))
        return replace(settings, threshold=Threshold(quote_amount=value))
    except (InvalidOperation, ValueError):
        return None
