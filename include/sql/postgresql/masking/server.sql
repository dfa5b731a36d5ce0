-- purpose: what server and database this is: version, encoding, its identity, whether it is a standby
-- kind: read
-- engine: postgresql 14-19
-- privileges: EXECUTE on pg_control_system() (PUBLIC has it)
-- locks: none
-- licence: none
-- binds: none
-- columns: database (its name), version (e.g. 18.6), encoding (e.g. UTF8), collation (its default), identity (system identifier), is_standby (true: in recovery)
-- source: PostgreSQL manual, pg_database, System Information Functions
SELECT
    d.datname::text AS database,
    current_setting('server_version') AS version,
    pg_encoding_to_char(d.encoding)::text AS encoding,
    d.datcollate::text AS collation,
    s.system_identifier::text AS identity,
    pg_is_in_recovery() AS is_standby
FROM pg_database AS d
CROSS JOIN pg_control_system() AS s
WHERE d.datname = current_database()
