"""An alert does not wait for the next look at its queue."""

import pytest

from bot.interaction.message import Message, to_payload
from bot.messaging.responder import ANSWER
from engine.storage.queues import outbox
from tests.bot.harness import OWNER, Program, World
from tests.fakes.tasks import a_moment, running


async def test_an_alert_leaves_when_it_is_committed_and_not_before(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.scheduling.queue_worker._POLL_S", 3600.0)
    world.api.open_chat(OWNER)
    async with running(bot.parts.outbox_sender.run()):
        for _ in range(20):
            await a_moment()  # the relay has found nothing, and waits
        async with bot.database.writing() as session:
            await outbox.add(
                session,
                chat_id=OWNER,
                kind=ANSWER,
                payload=to_payload(Message("a fill")),
                dedupe_key="fill",
                now=world.clock.now(),
            )
            await a_moment()
            early = world.api.texts(OWNER)
        await world.api.wait_for(OWNER, "a fill")

    assert early == []
