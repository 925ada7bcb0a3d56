"""Use case of a person who corrects a flow: it is theirs, or a result, or as it was recognised."""

from engine.domain.accounts.confirmation import Refusal, RefusalReason
from engine.domain.accounts.flows import Correction
from engine.domain.market.decimals import ZERO, plain
from engine.domain.profit.corrections import CorrectionOffer
from engine.storage.accounts import accounts, audit
from engine.storage.chat import confirmations
from engine.storage.service import Service
from engine.storage.trading import flow_corrections

_AS_FOUND = "as found"


class FlowCorrections(Service):
    async def correct(
        self,
        question_id: str,
        *,
        chat_id: int,
        user_id: int,
        offer: CorrectionOffer,
        correction: Correction | None,
    ) -> Refusal | None:
        """Keep *correction* and use the question up, in one step, with a line in the audit.
        OUTDATED, and nothing changes, where somebody corrected the flow meanwhile.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            found = await accounts.of_chat(session, chat_id)
            if found is None:
                return Refusal(RefusalReason.OUTDATED)
            account = await accounts.locked(session, found.id)
            taken = await confirmations.take(
                session, question_id, chat_id=chat_id, user_id=user_id, now=now
            )
            if isinstance(taken, Refusal):
                return taken
            known = await flow_corrections.of(session, account.id, dry_run=offer.dry_run)
            if {known.get(key) for key in offer.keys} != {offer.was}:
                return Refusal(RefusalReason.OUTDATED)
            await flow_corrections.put(
                session, account.id, offer.keys, correction, dry_run=offer.dry_run
            )
            await audit.record(
                session,
                account.chat_id,
                user_id,
                "flow",
                f"{_said(offer.was)} -> {_said(correction)}",
                subject=_subject(offer),
                at=now,
            )
        return None


def _said(correction: Correction | None) -> str:
    return _AS_FOUND if correction is None else correction.value


def _subject(offer: CorrectionOffer) -> str:
    amounts = [
        f"{'+' if key.units > ZERO else ''}{plain(key.units)} {key.asset}" for key in offer.keys
    ]
    paper = "paper, " if offer.dry_run else ""
    return f"{paper}{' '.join(amounts)} of {offer.at:%Y-%m-%d %H:%M} UTC"
