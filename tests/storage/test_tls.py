"""`sslmode` and `sslrootcert` of an address do what they say, against a certificate of our own.

The pooler speaks TLS here: the server of the tests may have been built without it.
"""

import ssl
from collections.abc import AsyncGenerator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.clock import SystemClock
from engine.storage.database import Database
from tests.fakes.clock import FakeClock
from tests.fakes.pooler import Pooler, pooled


def a_certificate(folder: Path, name: str) -> Path:
    """Signed by itself, for 127.0.0.1; the key is in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = SystemClock().now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(pem)
    )
    return path


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return a_certificate(tmp_path, "ours")


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
    another = a_certificate(tmp_path, "another")

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
