"""The Telegram side of Ballast."""

import os

# Importing one library creates a TLS context; with this variable set it would write the session
# keys of our connections to a file, or fail where the file cannot be written.
os.environ.pop("SSLKEYLOGFILE", None)
