"""Ballast's Telegram side."""

import os

# A library of ours makes a TLS context while it is imported, and this would have it write what
# opens our connections into a file, or fail at one that cannot be written.
os.environ.pop("SSLKEYLOGFILE", None)
