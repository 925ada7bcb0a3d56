"""Asks the program of this container whether it is alive: exit code 0, or 1 if it is not.

Without PORT the program serves nothing, and nothing is asked.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

_EVERYWHERE = {"", "::", "0.0.0.0"}  # noqa: S104 - nothing is bound here
_PATIENCE_S = 4  # less than the five seconds that the Dockerfile gives


def main() -> int:
    port = os.environ.get("PORT", "").strip(" \"'")  # noqa: TID251 - a program of its own
    if not port:
        return 0
    address = os.environ.get("LISTEN_ADDRESS", "").strip(" \"'[]")  # noqa: TID251 - as above
    host = "127.0.0.1" if address in _EVERYWHERE else address
    connection = HTTPConnection(host, int(port), timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/healthz")
        return int(connection.getresponse().status != 200)  # noqa: PLR2004 - it says what it is
    except (OSError, HTTPException) as e:
        sys.stderr.write(f"/healthz does not answer: {e}\n")
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
