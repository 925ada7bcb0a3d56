"""Checks the rights of a PostgreSQL role, and words what is missing."""

import re

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from engine.storage.database import with_driver
from engine.storage.models.metadata import METADATA

_NO_RIGHT = "42501"
_DENIED = re.compile(r"permission denied for (?:(schema)|table|relation|(sequence)) (\S+)")
_NOT_OWNER = re.compile(r"must be owner of (?:table|relation|index|sequence) (\S+)")
# Of tables we read and write, and of the counters behind their ids.
_LACKING = text("""
    SELECT kind, name FROM (
        SELECT c.relname AS name, 'table' AS kind,
               has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
               AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
               AS may
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
          AND c.relname = ANY (:tables)
        UNION ALL
        SELECT s.relname, 'sequence',
               CASE WHEN s.relkind = 'S' THEN has_sequence_privilege(s.oid, 'USAGE') END
        FROM pg_class s
        JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i')
        JOIN pg_class c ON c.oid = d.refobjid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND s.relkind = 'S' AND c.relname = ANY (:tables)
    ) AS ours WHERE NOT may ORDER BY kind DESC, name LIMIT 1
""")


def lacking(connection: Connection, url: str) -> str | None:
    """The first right that the role of *url* would miss at work, as a sentence; None if none."""
    row = connection.execute(_LACKING, {"tables": list(METADATA.tables)}).first()
    if row is None:
        return None
    kind, name = row
    return _denied(kind, name, role_of(url))


def is_missing(error: DBAPIError) -> bool:
    """True if the role lacks a right, and the statement and the server are fine."""
    return getattr(error.orig, "sqlstate", None) == _NO_RIGHT


def refusal(error: DBAPIError, url: str) -> str:
    """Why the database did not do it, on one line and without a password."""
    message = str(error.orig).partition("\n")[0]
    if not is_missing(error):
        return f"the database cannot be used: {message}"
    role = role_of(url)
    if denied := _DENIED.search(message):
        schema, sequence, name = denied.groups()
        return _denied("schema" if schema else "sequence" if sequence else "table", name, role)
    if owned := _NOT_OWNER.search(message):
        name = owned[1]
        return f"{role} does not own {name}: ALTER TABLE {name} OWNER TO {role};"
    return f"the database does not allow it to {role}: {message}"


def role_of(url: str) -> str:
    return make_url(with_driver(url)).username or "this role"


def _denied(kind: str, name: str, role: str) -> str:
    if kind == "schema":
        return (
            f"{role} may not create tables in schema {name}: GRANT ALL ON SCHEMA {name} TO {role};"
        )
    return (
        f"{role} may not read and write {kind} {name}: "
        f"GRANT ALL ON ALL {kind.upper()}S IN SCHEMA public TO {role};"
    )
