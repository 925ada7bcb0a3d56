"""The band of an account as it was over time, read back from the audit of its settings. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from engine.domain.accounts.audit import AuditEntry, band_fields
from engine.domain.accounts.settings import Band, Settings
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt


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
    than *since* where a line does not agree with the one after it: what held before is not known. A
    target that is planned as a portfolio has no band in USDT, so that history begins after it.
    """
    found: list[PastBand] = []
    known: Settings | None = settings
    for at, entry in [*((entry.at, entry) for entry in entries), (since, None)]:
        if known is None or (fixed := known.fixed) is None:
            break
        found.append(PastBand(at, fixed.target, fixed.band))
        known = None if entry is None else _before(known, entry)
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
            return replace(settings, target=FixedUsdt(value))
        if before.endswith("%"):
            return replace(settings, threshold=Threshold(relative=value / 100))
        return replace(settings, threshold=Threshold(quote_amount=value))
    except (InvalidOperation, ValueError):
        return None
