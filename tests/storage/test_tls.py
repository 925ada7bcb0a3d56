"""`sslmode` and `sslrootcert` of an address do what they say, against a certificate of our own.

The pooler speaks TLS here: the server of the tests may have been built without it.
"""

import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.storage.database import Database
from tests.fakes.certificates import self_signed
from tests.fakes.clock import FakeClock
from tests.fakes.pooler import Pooler, pooled


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path, "ours")


@pytest.fixture
async def with_tls(postgres_url: str, certificate: Path) -> AsyncGenerator[Pooler]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with pooled(postgres_url, tls=context) as pooler:
        yield pooler


async def answer(url: str, clock: FakeClock) -> int:
    async with Database.open(url, clock=clock) as database, database.reading() as session:
        found: int = await session.scalar(text("SELECT 1"))
        return found


async def test_with_tls_the_line_is_encrypted_and_the_server_may_have_to_prove_who_it_is(
    with_tls: Pooler, certificate: Path, tmp_path: Path, clock: FakeClock
):
    another = self_signed(tmp_path, "another")

    assert await answer(with_tls.url(sslmode="require"), clock) == 1
    proven = with_tls.url(sslmode="verify-full", sslrootcert=str(certificate))
    assert await answer(proven, clock) == 1
    assert with_tls.encrypted == 2
    with pytest.raises(DBAPIError, match="certificate verify failed"):
        await answer(with_tls.url(sslmode="verify-full", sslrootcert=str(another)), clock)


async def test_without_tls_a_server_is_not_spoken_to_where_it_is_demanded(
    postgres_url: str, clock: FakeClock
):
    async with pooled(postgres_url) as pooler:
        with pytest.raises(DBAPIError, match="does not support SSL"):
            await answer(pooler.url(sslmode="require"), clock)

        assert pooler.asked == []


async def test_an_address_of_version_six_is_reached(postgres_url: str, clock: FakeClock):
    try:
        async with pooled(postgres_url, host="::1") as pooler:
            assert await answer(pooler.url(host="::1"), clock) == 1
    except OSError:
        pytest.skip("this machine has no ::1")
