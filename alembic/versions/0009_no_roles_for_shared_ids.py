"""No roles for shared ids"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
oldest_code = "0003"

# Telegram's stand-ins for every channel, every anonymous administrator, and for itself.
_SHARED = (136817688, 1087968824, 777000)
_MEMBERS = sa.table("members", sa.column("user_id", sa.BigInteger))
_INVITATIONS = sa.table(
    "invitations",
    *(sa.column(name, sa.BigInteger) for name in ("invited_by", "used_at", "created_at")),
    sa.column("expires_at", sa.BigInteger),
)


def upgrade() -> None:
    op.execute(sa.delete(_MEMBERS).where(_MEMBERS.c.user_id.in_(_SHARED)))
    # The codes of an anonymous administrator may be anybody's by now.
    op.execute(
        sa.update(_INVITATIONS)
        .where(_INVITATIONS.c.used_at.is_(None), _INVITATIONS.c.invited_by.in_(_SHARED))
        .values(expires_at=_INVITATIONS.c.created_at)
    )


def downgrade() -> None:
    """What was dropped was nobody's in particular."""
