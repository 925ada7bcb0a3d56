"""What Python runs at the start of a program under test, because this folder is on its path.

It is on no other program's path: a crash point exists in test runs only.
"""

import os
import sys

try:
    from tests.faults import crashing, nursery

    if nursery.PIPES in os.environ:  # noqa: TID251 - how a test speaks to the process it starts
        nursery.raise_children()  # goes on in each child, with the environment of its own
    crashing.lay_charges(os.environ)  # noqa: TID251 - as above
except Exception as e:  # noqa: BLE001 - whatever it is, nothing was laid
    # Python would only mention it and go on, and that must not look like success.
    sys.stderr.write(f"Traceback of the crash hooks: {e!r}\n")
    os._exit(70)
