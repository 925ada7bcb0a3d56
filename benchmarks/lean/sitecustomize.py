"""On the path of what is measured: as on a host, without the packages that only development has.

httpx loads its command line, 10 MB of it, wherever these happen to be installed.
"""

import sys

sys.modules.update(dict.fromkeys(("click", "pygments", "rich")))  # type: ignore[arg-type]  # not to be imported
