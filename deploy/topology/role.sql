-- The role and the database, created once, on the primary. Give the role your own password.
CREATE ROLE fast_zero LOGIN PASSWORD 'fast_zero';
-- Behind PgBouncer the role has the settings that a process otherwise sends when it connects.
ALTER ROLE fast_zero SET statement_timeout = '5s';
ALTER ROLE fast_zero SET lock_timeout = '2s';
ALTER ROLE fast_zero SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE fast_zero SET timezone = 'UTC';
-- A commit waits until the standby that serves reads has applied it.
ALTER ROLE fast_zero SET synchronous_commit = 'remote_apply';
-- A read checks whether the standby is still connected to the primary.
GRANT pg_read_all_stats TO fast_zero;
CREATE DATABASE fast_zero OWNER fast_zero;
