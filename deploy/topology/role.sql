-- The role and the database, made once, at the primary. Give the role a password of its own.
CREATE ROLE fast_zero LOGIN PASSWORD 'fast_zero';
-- Behind PgBouncer the role says what a process says elsewhere when it connects.
ALTER ROLE fast_zero SET statement_timeout = '5s';
ALTER ROLE fast_zero SET lock_timeout = '2s';
ALTER ROLE fast_zero SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE fast_zero SET timezone = 'UTC';
-- A commit waits until the standby that reads are sent to has applied it.
ALTER ROLE fast_zero SET synchronous_commit = 'remote_apply';
-- A read sees whether the standby is still connected to the primary.
GRANT pg_read_all_stats TO fast_zero;
CREATE DATABASE fast_zero OWNER fast_zero;
