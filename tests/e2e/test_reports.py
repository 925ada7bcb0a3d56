"""The real process tells its operator how it does: JSON on stderr, errors to Sentry, signs of life."""

import json
from datetime import datetime

from tests.e2e.process import until
from tests.e2e.world import API_KEY, API_SECRET, World
from tests.fakes.http import Reply, Request, serve
from tests.fakes.sentry import KEY, fake_sentry
from tests.sampling import LONG

SWITCH = "/5e7a1c00-canary-of-the-switch"
METRICS_TOKEN = "canary-of-the-metrics-0123"


@LONG
async def test_an_operator_hears_of_it_and_no_secret_leaves(world: World):
    signs: list[str] = []

    async def switch(request: Request) -> Reply:
        signs.append(request.path)
        return Reply()

    async with fake_sentry() as sentry, serve(switch) as url:
        program = world.start(
            LOG_FORMAT="json",
            SENTRY_DSN=sentry.dsn,
            HEARTBEAT_URL=f"{url}{SWITCH}",
            METRICS_TOKEN=METRICS_TOKEN,
        )
        await program.logs('"message": "ready"')
        await world.connect()
        world.telegram.push_raw({"no": "id", "text": f"/connect {API_KEY} {API_SECRET}"})
        await until(lambda: sentry.events, lambda: program.log)
        await until(lambda: signs, lambda: program.log)
        read = await world.ask("/logs 5", "WARNING bot.updates.polling")
        code = await program.stop()
    lines = [json.loads(line) for line in program.log.splitlines()]
    told = [event["logentry"]["message"] for event in sentry.events]
    secrets = [world.telegram.token, API_KEY, API_SECRET, SWITCH, KEY, METRICS_TOKEN]

    assert code == 0
    assert told[0] == "updates without an id skipped"
    assert set(signs) == {SWITCH}
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
    assert all(datetime.fromisoformat(line["time"]).tzinfo for line in lines)
    assert '{"time"' not in read.text
    assert [s for s in secrets if s in program.log + read.text] == []
    assert [s for s in secrets if s in sentry.written and s != KEY] == []
