-- purpose: measure the databases of the restored copy that a check of all databases goes through
-- kind: read
-- engine: postgresql 14-19
-- privileges: CONNECT on each database, or pg_read_all_stats
-- locks: none
-- licence: none
-- binds: none
-- columns: total_bytes (bytes on disk of all databases that allow connections)
-- source: PostgreSQL manual, Database Object Size Functions
SELECT coalesce(sum(pg_catalog.pg_database_size(d.oid)), 0)::bigint AS total_bytes
FROM pg_catalog.pg_database AS d
WHERE d.datallowconn
