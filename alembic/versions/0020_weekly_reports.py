"""Weekly reports, and which reports of a chat come with a picture"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
oldest_code = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("alert_settings") as settings:
        settings.add_column(
            sa.Column("digest_picture", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        settings.add_column(sa.Column("weekly_day", _NUMBER, nullable=True))
        settings.add_column(sa.Column("weekly_minute", _NUMBER, nullable=True))
        settings.add_column(sa.Column("weekly_due", sa.BigInteger(), nullable=True))
        settings.add_column(sa.Column("weekly_at", sa.BigInteger(), nullable=True))
        settings.add_column(
            sa.Column("weekly_picture", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        settings.create_index("ix_alert_settings_weekly_due", ["weekly_due"])


def downgrade() -> None:
    with op.batch_alter_table("alert_settings") as settings:
        settings.drop_index("ix_alert_settings_weekly_due")
        for column in (
            "weekly_picture",
            "weekly_at",
            "weekly_due",
            "weekly_minute",
            "weekly_day",
            "digest_picture",
        ):
            settings.drop_column(column)
