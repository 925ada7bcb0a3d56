"""Posts and processes"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    op.create_table(
        "posts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("held_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_posts")),
    )
    op.create_table(
        "processes",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("alive_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_processes")),
    )


def downgrade() -> None:
    op.drop_table("processes")
    op.drop_table("posts")
