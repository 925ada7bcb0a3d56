"""A database's address, as every host gives it, becomes ours or is refused without its password."""

import pytest
from sqlalchemy.engine import make_url

from engine.storage.database import with_driver
from engine.storage.postgres import BadAddress, with_tls

SECRET = "sEcReT"
NEON = "h/d?sslmode=require&channel_binding=require"


@pytest.mark.parametrize(
    ("url", "with_asynchronous", "with_synchronous"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        (f"postgresql://{NEON}", f"postgresql+psycopg://{NEON}", f"postgresql+psycopg://{NEON}"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+asyncpg://h/d", "postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("postgres://h/d?pgbouncer=true", "postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("sqlite:///data/x.db", "sqlite+aiosqlite:///data/x.db", "sqlite:///data/x.db"),
        ("sqlite:////srv/x.db", "sqlite+aiosqlite:////srv/x.db", "sqlite:////srv/x.db"),
    ],
)
def test_a_url_as_hosts_give_it_gets_our_driver(url, with_asynchronous, with_synchronous):
    assert with_driver(url) == with_asynchronous
    assert with_driver(url, asynchronous=False) == with_synchronous


@pytest.mark.parametrize("url", ["", "data/x.db", "sqlite://", "mysql://h/d", "://h/d"])
def test_any_other_database_is_refused(url):
    with pytest.raises(ValueError, match=r"looks like|is not supported"):
        with_driver(url)


@pytest.mark.parametrize(
    ("url", "host", "password"),
    [
        ("postgres://u:p%40%2F%3F%23%25@h/d", "h", "p@/?#%"),
        ("postgres://u:p%40%2F%3F%23%25@h/d?pgbouncer=true&sslmode=require", "h", "p@/?#%"),
        ("postgres://u:p@[::1]:6543/d", "::1", "p"),
        ("postgres://u:p@[2001:db8::1]/d?pgbouncer=true", "2001:db8::1", "p"),
    ],
)
def test_passwords_and_addresses_of_version_six_come_through(url, host, password):
    address = make_url(with_driver(url))

    assert (address.host, address.password, address.database) == (host, password, "d")


@pytest.mark.parametrize(
    ("url", "hosts", "ports"),
    [
        (
            "postgres://app:p%2C@pg-a:5432,pg-b:6432/d?target_session_attrs=any",
            "pg-a,pg-b",
            "5432,6432",
        ),
        ("postgresql://app:p%2C@pg-a,pg-b:6432/d", "pg-a,pg-b", ",6432"),
        ("postgres://app:p%2C@a,b,c/d?sslmode=disable", "a,b,c", None),
        ("postgres://app:p%2C@%2Fvar%2Frun%2Fpg/d?sslmode=prefer", "/var/run/pg", None),
        ("postgres://app:p%2C@%2frun%2fpg:6000/d?sslmode=prefer", "/run/pg", "6000"),
        ("postgres://app:p%2C@[::1]:1,[2001:db8::2]:2/d", "::1,2001:db8::2", "1,2"),
    ],
)
def test_several_hosts_are_taken_as_psql_takes_them(url, hosts, ports):
    address = make_url(with_driver(url))

    assert (address.username, address.password, address.database) == ("app", "p,", "d")
    assert (address.query["host"], address.query.get("port")) == (hosts, ports)
    assert "sslmode" in make_url(with_driver(with_tls(url))).query


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("h/d?connection_limit=1", "has the parameter connection_limit"),
        ("h/d?sslmode=on", "sslmode that is none of disable, allow"),
        (f"h/d?{SECRET}@x/y=1", "begins no parameters"),
        (f"ss?x=1{SECRET}@h/d", "begins no parameters"),
        ("h:port/d", "special characters in the password"),
        ("a:1,b:port/d", "special characters in the password"),
        ("a,,b/d", "special characters in the password"),
        ("a,b/d?host=c", "names its hosts twice"),
        ("h/d?port=abc", "do not fit together"),
        ("/d?host=a,b&port=1,2,3", "do not fit together"),
        ("/d?host=a:b:c&host=d", "do not fit together"),
        (f"{SECRET}@h/d", "special characters in the password"),
        (f"h:{SECRET}@h/d", "special characters in the password"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words_without_the_password(rest, words):
    with pytest.raises(BadAddress, match=words) as caught:
        with_driver(f"postgres://u:{SECRET}@{rest}")

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgres://u:p%40@ec2-1.compute.amazonaws.com:5432/d", "require"),
        ("postgres://u:p@h/d?sslmode=verify-full", "verify-full"),
        ("postgres://u:p@h/d?sslmode=disable", "disable"),
        ("postgres://u:p@127.0.0.1:6000/d", None),
        ("postgres://u:p@[::1]:6000/d", None),
        ("postgres://u@localhost/d", None),
        ("postgres://u@/d?host=%2Ftmp", None),
        ("sqlite:///data/x.db", None),
    ],
)
def test_tls_is_demanded_of_a_server_elsewhere_that_does_not_say_how_it_wants_it(url, mode):
    demanded = make_url(with_tls(url))

    assert demanded.query.get("sslmode") == mode
    assert demanded.password == make_url(url).password
