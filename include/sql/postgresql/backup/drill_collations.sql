-- purpose: list the databases whose collation on this machine is not the one their indexes were built with
-- kind: read
-- engine: postgresql 15-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: none
-- columns: name (database)
-- source: PostgreSQL manual, ALTER DATABASE (REFRESH COLLATION VERSION); pg_database.datcollversion
SELECT d.datname::text AS name
FROM pg_catalog.pg_database AS d
WHERE d.datallowconn
  AND d.datcollversion IS NOT NULL
  AND d.datcollversion IS DISTINCT FROM pg_catalog.pg_database_collation_actual_version(d.oid)
ORDER BY d.datname
