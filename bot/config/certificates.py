"""Whom a TLS connection believes: the program's own certificates, or those the environment names."""

import os
import re
import ssl
from contextlib import suppress
from pathlib import Path

import certifi

from bot.config.settings import BadSettings, ProcessSettings

_UNDER_ITS_HASH = re.compile(r"[0-9a-f]{8}\.[0-9]+")


def trusted(settings: ProcessSettings) -> ssl.SSLContext:
    """For every connection of the process: making one takes 35 ms. Raises BadSettings."""
    if file := settings.ssl_cert_file:
        return _of_file(file)
    if folders := settings.ssl_cert_dir:
        return _of_folders(folders)
    return ssl.create_default_context(cafile=certifi.where())


def _of_file(file: str) -> ssl.SSLContext:
    try:
        Path(file).open("rb").close()
        return ssl.create_default_context(cafile=file)
    except FileNotFoundError:
        why = "is not there"
    except ssl.SSLError:
        why = "holds no certificates"
    except OSError as e:
        why = f"cannot be read ({e.strerror})"
    raise BadSettings([f"SSL_CERT_FILE names {file}, which {why}: unset it"])


def _of_folders(folders: str) -> ssl.SSLContext:
    """OpenSSL looks certificates up by the names that `openssl rehash` gives them."""
    names = [Path(folder) for folder in folders.split(os.pathsep) if folder]
    if not any(_holds_any(folder) for folder in names):
        there = any(folder.is_dir() for folder in names)
        why = "holds no certificates under their hashes" if there else "is not there"
        raise BadSettings([f"SSL_CERT_DIR names {folders}, which {why}: unset it"])
    return ssl.create_default_context(capath=folders)


def _holds_any(folder: Path) -> bool:
    with suppress(OSError):
        return any(_UNDER_ITS_HASH.fullmatch(path.name) for path in folder.iterdir())
    return False
