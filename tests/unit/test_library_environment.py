"""What the environment says to libraries decides nothing, and what it names is there or refused."""

import asyncio
import os
import resource
import shutil
import ssl
from asyncio.sslproto import SSLProtocol

import certifi
import pytest

from bot.config import library_environment
from bot.config.certificates import trusted
from bot.config.settings import BadSettings, ProcessSettings


def problem_of(**env: str) -> str:
    with pytest.raises(BadSettings) as caught:
        trusted(ProcessSettings.from_env(env))
    (problem,) = caught.value.problems
    return problem


def test_what_only_libraries_read_is_left_out_and_everything_else_stays():
    proxies = {"ALL_PROXY": "socks5://x", "all_proxy": "x", "NO_PROXY": "[::1]", "Https_Proxy": ""}
    ours = {"MEXC_PROXY": "x", "TELEGRAM_PROXY": "x", "PATH": "/bin", "SENTRY_DSN": "x"}
    environ = proxies | ours | {"SSLKEYLOGFILE": "/x", "REQUESTS_CA_BUNDLE": "/x", "TZ": "Foo/Bar"}

    assert library_environment.proxies(environ) == ["ALL_PROXY", "NO_PROXY", "all_proxy"]
    library_environment.leave_out(environ)
    assert environ == ours


def test_a_file_that_is_named_for_postgresql_must_be_there(tmp_path):
    there, gone, loop = tmp_path / "there", tmp_path / "gone", tmp_path / "loop"
    there.touch()
    loop.symlink_to(loop)
    named = {"PGPASSFILE": f"{gone}", "PGSSLKEY": f"{there}", "PGSSLROOTCERT": f"{loop}"}

    assert library_environment.missing_files(named) == [
        f"PGPASSFILE names {gone}, which is not there: unset it",
        f"PGSSLROOTCERT names {loop}, which cannot be read ({os.strerror(40)}): unset it",
    ]
    assert library_environment.missing_files({"PGSSLROOTCERT": "system", "PGPASSFILE": ""}) == []


def test_certificates_of_the_environment_are_used_or_named_with_what_is_wrong(tmp_path):
    gone, empty, folder = tmp_path / "gone.pem", tmp_path / "empty.pem", tmp_path / "certs"
    empty.touch()
    folder.mkdir()

    assert problem_of(SSL_CERT_FILE=f"{gone}") == (
        f"SSL_CERT_FILE names {gone}, which is not there: unset it"
    )
    assert "which holds no certificates: unset it" in problem_of(SSL_CERT_FILE=f"{empty}")
    assert "which cannot be read (Is a directory)" in problem_of(SSL_CERT_FILE=f"{folder}")
    assert problem_of(SSL_CERT_DIR=f"{gone}") == (
        f"SSL_CERT_DIR names {gone}, which is not there: unset it"
    )
    assert "which holds no certificates under" in problem_of(SSL_CERT_DIR=f"{folder}")

    shutil.copy(certifi.where(), folder / "0123abcd.0")
    own = trusted(ProcessSettings.from_env({"SSL_CERT_FILE": f"{folder}/0123abcd.0"}))
    trusted(ProcessSettings.from_env({"SSL_CERT_DIR": f"{gone}:{folder}"}))
    assert own.cert_store_stats()["x509_ca"] > 50


def test_the_process_may_open_as_many_files_as_the_system_allows():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 512), hard))
    try:
        library_environment.raise_file_limit()
        raised, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert raised == hard


def test_streams_leave_files_for_everything_else():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 512), hard))
    try:
        may = [library_environment.most_streams(wanted) for wanted in (100, 1000)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert may == [100, 312]


def test_a_tls_connection_reads_into_one_record_as_long_as_python_lets_us_say_so(
    monkeypatch: pytest.MonkeyPatch,
):
    """If this fails, Python's private attribute is gone: each stream then costs 240 KB more."""
    monkeypatch.setattr(SSLProtocol, "max_size", 256 * 1024)
    library_environment.shrink_tls_buffers()
    loop = asyncio.new_event_loop()
    context, done = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), loop.create_future()
    connection = SSLProtocol(loop, asyncio.Protocol(), context, done, server_hostname="a.example")
    vars(connection)["_app_transport"].close()
    loop.close()

    assert len(vars(connection)["_ssl_buffer"]) == 16 * 1024
