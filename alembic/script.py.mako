<%!
    def quoted(revision):
        return "None" if revision is None else f'"{revision}"'

    def without_banners(code):
        lines = (code or "pass").splitlines()
        return "\n".join(line for line in lines if not line.lstrip().startswith("# ###")).strip()
%>\
"""${message}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${quoted(up_revision)}
down_revision = ${quoted(down_revision)}
branch_labels = None
depends_on = None
# The oldest revision whose code may run beside this one's, on this schema.
oldest_code = ${quoted(down_revision)}


def upgrade() -> None:
    ${without_banners(upgrades)}


def downgrade() -> None:
    ${without_banners(downgrades)}
