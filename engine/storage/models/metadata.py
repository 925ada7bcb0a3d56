"""All tables at once, for what handles every one: migrations, backups, checks of rights."""

import engine.storage.models.accounts
import engine.storage.models.chat
import engine.storage.models.coordination
import engine.storage.models.queues
import engine.storage.models.trading  # noqa: F401 - each adds its tables
from engine.storage.column_types import Base

METADATA = Base.metadata
