-- purpose: list the tablespaces that lie outside the data directory and so must be in every base backup
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: AccessShareLock on pg_tablespace
-- licence: none
-- binds: none
-- columns: oid (tablespace), name (its name), location (path on the server)
-- source: PostgreSQL manual, Tablespaces; System Catalog Information Functions (pg_tablespace_location)
SELECT
    oid::bigint AS oid,
    spcname AS name,
    pg_tablespace_location(oid) AS location
FROM pg_tablespace
WHERE pg_tablespace_location(oid) <> ''
ORDER BY oid
