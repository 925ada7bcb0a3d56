"""What libraries and the system do by themselves: variables, limits and buffers, before the start."""

import asyncio.sslproto
import os
import re
from collections.abc import Mapping, MutableMapping
from contextlib import suppress

with suppress(ImportError):  # not on every system
    import resource

_PROXY = re.compile(r"(?:all|ftp|http|https|no|ws|wss)_proxy", re.IGNORECASE)
# Certificates, error reports, modules to load: none of them is a setting of ours.
_FOR_LIBRARIES = frozenset(
    {
        *("CLIENT_CERT_FILE", "CLIENT_KEY_FILE", "CURL_CA_BUNDLE", "NETRC", "REQUESTS_CA_BUNDLE"),
        *("PSYCOPG_IMPL", "PSYCOPG_WAIT_FUNC", "SSLKEYLOGFILE", "TZ"),
        *("SENTRY_DEBUG", "SENTRY_KEEP_ALIVE", "SENTRY_RELEASE", "SENTRY_SPOTLIGHT"),
    }
)
_OTHER_FILES = 200
_TLS_RECORD = 16_384
_LOADER_PATH = re.compile(r"(?:DY)?LD_LIBRARY_PATH")
# What PostgreSQL's library reads, where it is missing in silence or with a riddle.
_FILES_OF_POSTGRES = ("PGPASSFILE", "PGSERVICEFILE", "PGSSLCERT", "PGSSLCRL", "PGSSLKEY")
_ROOT_OF_POSTGRES, _OF_THE_SYSTEM = "PGSSLROOTCERT", "system"


def proxies(env: Mapping[str, str]) -> list[str]:
    """The names of the variables that would send our requests elsewhere."""
    return sorted(name for name, value in env.items() if value and _PROXY.fullmatch(name))


def leave_out(environ: MutableMapping[str, str]) -> None:
    """Take out of *environ* what only libraries read, so that nothing there decides for us."""
    for name in [name for name in environ if name in _FOR_LIBRARIES or _PROXY.fullmatch(name)]:
        del environ[name]


def loader_paths(env: Mapping[str, str]) -> dict[str, str]:
    """The variables with folders of libraries: some hosts' Python does not start without them."""
    return {name: paths for name, paths in env.items() if _LOADER_PATH.fullmatch(name)}


def missing_files(env: Mapping[str, str]) -> list[str]:
    """A sentence for each file that is named for PostgreSQL's library and cannot be read."""
    names = [*_FILES_OF_POSTGRES, _ROOT_OF_POSTGRES]
    named = [(name, env[name]) for name in names if env.get(name)]
    return [
        f"{name} names {file}, which {why}: unset it"
        for name, file in named
        if (name, file) != (_ROOT_OF_POSTGRES, _OF_THE_SYSTEM) and (why := _trouble_with(file))
    ]


def raise_file_limit() -> None:
    """As many files and connections as the system lets us have; where it does not, as before."""
    with suppress(NameError, OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def most_streams(wanted: int) -> int:
    """Returns how many connections may be kept open for good: some files are for everything else."""
    with suppress(NameError, OSError, ValueError):
        may, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if may != resource.RLIM_INFINITY:
            return max(min(wanted, may - _OTHER_FILES), 0)
    return wanted


def shrink_tls_buffers() -> None:
    """Read TLS record by record: 56 KB a connection instead of 296, and a stream is mostly idle.
    Before the first connection is made.
    """
    asyncio.sslproto.SSLProtocol.max_size = _TLS_RECORD


def _trouble_with(file: str) -> str | None:
    try:
        os.close(os.open(file, os.O_RDONLY))
    except FileNotFoundError:
        return "is not there"
    except OSError as e:
        return f"cannot be read ({e.strerror})"
    return None
