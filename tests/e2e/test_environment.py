"""What a machine brings along decides nothing: the program runs, or says in a line what is wrong."""

import asyncio
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.e2e.world import World, inherited
from tests.fakes.http import NO_CERTIFICATES
from tests.sampling import LONG

BAD_SETTING = 2
NOWHERE = "/nonexistent/file"
DEAD_PROXY = "http://127.0.0.1:9"
# What VPN clients, desktops, sandboxes, environment managers and containers leave behind.
BROUGHT_ALONG = {
    "ALL_PROXY": "socks5://127.0.0.1:1080",
    "all_proxy": "socks://127.0.0.1:1080/",
    "HTTP_PROXY": DEAD_PROXY,
    "HTTPS_PROXY": DEAD_PROXY,
    "http_proxy": "not an address",
    "NO_PROXY": "example.com,[::1]",
    "SSLKEYLOGFILE": NOWHERE,
    "REQUESTS_CA_BUNDLE": NOWHERE,
    "CURL_CA_BUNDLE": NOWHERE,
    "NETRC": NOWHERE,
    "OPENSSL_CONF": NOWHERE,
    "TZ": "Foo/Bar",
    "LC_ALL": "C",
    "LANG": "xx_YY.WRONG",
    "PYTHONIOENCODING": "ascii:strict",
    "HOME": NOWHERE,
    "TMPDIR": NOWHERE,
    "SENTRY_SPOTLIGHT": DEAD_PROXY,
    "PSYCOPG_IMPL": "none",
    "PGPASSFILE": NOWHERE,
}


@contextmanager
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_nothing_that_a_machine_brings_along_decides_where_a_request_goes(world: World):
    async with world.running(DATABASE_URL="sqlite:///größe/ballast.db", **BROUGHT_ALONG):
        await world.connect()
        check = world.command("check", DATABASE_URL="sqlite:///größe/ballast.db", **BROUGHT_ALONG)

        assert await check.exit_code() == 0, check.printed + check.log

    told = " ".join(check.printed.split())
    assert "Telegram directly, MEXC directly; ignored: ALL_PROXY, HTTPS_PROXY" in told


async def test_telegram_is_reached_through_its_own_proxy_alone(world: World):
    through = {"TELEGRAM_PROXY": world.telegram.url, "TELEGRAM_API_URL": "http://telegram.example"}
    async with world.running(**through):
        await world.ask("/status", "PAUSED")
        check = world.command("check", **through)

        assert await check.exit_code() == 0, check.printed + check.log

    assert "Telegram through TELEGRAM_PROXY (127.0.0.1:" in " ".join(check.printed.split())


async def test_a_file_of_certificates_that_is_not_there_is_one_line(world: World):
    program = world.start(SSL_CERT_FILE=NOWHERE)
    check = world.command("check", SSL_CERT_FILE=NOWHERE)

    assert await program.exit_code() == BAD_SETTING
    assert await check.exit_code() == BAD_SETTING
    says = f"ballast: SSL_CERT_FILE names {NOWHERE}, which is not there: unset it"
    assert program.log.splitlines()[-1] == check.log.splitlines()[-1] == says
    assert not (world.folder / "data").exists()


@LONG
def test_a_folder_that_is_gone_and_a_closed_output_are_no_traceback(tmp_path: Path):
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" -m bot check >&-'
    done = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable],
        cwd=tmp_path,
        env=inherited(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == BAD_SETTING
    assert done.stderr == (
        "ballast: the folder it was started in is gone: No such file or directory\n"
    )


async def test_connections_that_never_ask_anything_stop_neither_answers_nor_trades(world: World):
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with many_files(), ExitStack() as half_open:
        async with world.running(PORT=str(port)) as program:
            await world.connect()
            await world.ask("/resume", "Trading is on")
            await world.hears("Bought")
            for _ in range(1100):
                line = half_open.enter_context(socket.create_connection(("127.0.0.1", port)))
                line.send(b"GET /hea")
                await asyncio.sleep(0)  # noqa: TID251 - the loop turns, and nothing is waited for
            world.drift("100")
            await world.orders(2)
            async with httpx.AsyncClient(verify=NO_CERTIFICATES, trust_env=False) as http:
                answer = await http.get(f"http://127.0.0.1:{port}/healthz")

            assert answer.json() == {"status": "ok"}
            assert "Too many open files" not in program.log
            assert len(os.listdir(f"/proc/{program.pid}/fd")) < 300  # noqa: PTH208 - of this moment
