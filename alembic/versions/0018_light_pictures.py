"""Whether a chat's pictures have a light background"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
oldest_code = "0003"


def upgrade() -> None:
    with op.batch_alter_table("alert_settings") as settings:
        settings.add_column(
            sa.Column("light_pictures", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("alert_settings") as settings:
        settings.drop_column("light_pictures")
