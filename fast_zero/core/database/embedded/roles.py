"""The role that the application uses in the embedded database. It is not a superuser.

It owns the database and everything in it, so that it can migrate, restore and empty it. A
superuser could also run programs and read files of the account that runs PostgreSQL.
"""

import psycopg
from psycopg import sql
from sqlalchemy import URL

from fast_zero.core.errors import StartError

SUPERUSER = "fast_zero"  # the role that `initdb` creates; used by the application until release 0.2
APPLICATION = "fast_zero_app"
DATABASE = "postgres"
# Names are resolved in pg_catalog only, so that no object of the application's role is called.
OPTIONS = "-c search_path=pg_catalog -c lock_timeout=4s"
# Objects that `initdb` did not create have OIDs from 16384 on. Dependent objects (the sequence of a
# column, the row type of a table, the members of an extension) are excluded.
OWNED_BY_SUPERUSER = """
WITH superuser AS (SELECT oid FROM pg_roles WHERE rolname = current_user),
objects AS (
    SELECT 'pg_class'::regclass AS catalog, oid, relowner AS owner FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't'
    UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid, typowner FROM pg_type WHERE typtype <> 'm'
    UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace
    WHERE nspname !~ '^pg_'
)
SELECT named.type, named.identity
FROM objects, pg_identify_object(objects.catalog, objects.oid, 0) AS named
WHERE objects.oid >= 16384
  AND objects.owner = (SELECT oid FROM superuser)
  AND NOT EXISTS (
      SELECT FROM pg_depend
      WHERE classid = objects.catalog AND objid = objects.oid
        AND (deptype IN ('i', 'e') OR (deptype = 'a' AND named.type = 'sequence'))
  )
UNION ALL
SELECT 'database', quote_ident(datname) FROM pg_database
WHERE datname = current_database() AND datdba = (SELECT oid FROM superuser)
"""


def ensure_application(url: URL) -> None:
    """Create the role, and make it the owner of every object that belongs to the superuser.

    These are all objects if an earlier release created or migrated the database. It is done in one
    transaction, so a process that is killed leaves nothing half done.
    """
    try:
        with psycopg.connect(
            host=str(url.query["host"]), user=SUPERUSER, dbname=DATABASE, options=OPTIONS
        ) as connection:
            role = sql.Identifier(APPLICATION)
            if not connection.execute(
                "SELECT FROM pg_roles WHERE rolname = %s", [APPLICATION]
            ).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            for kind, name in connection.execute(OWNED_BY_SUPERUSER).fetchall():
                change = f"ALTER {kind} {name} OWNER TO "
                connection.execute(sql.SQL(change) + role)
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise StartError(
            f"Cannot give the embedded database to the role {APPLICATION}: {reason}. "
            "If a server of an earlier release still uses it, stop that one first."
        ) from error
