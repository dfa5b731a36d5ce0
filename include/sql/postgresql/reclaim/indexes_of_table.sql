-- purpose: list the indexes of a table, the largest first, and how many parallel workers the server gives to the build of one
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: table (oid)
-- columns: index_oid (oid), index_bytes (size), parallel_workers (max_parallel_maintenance_workers)
-- source: PostgreSQL manual, pg_index
SELECT
    i.indexrelid AS index_oid,
    pg_relation_size(i.indexrelid) AS index_bytes,
    current_setting('max_parallel_maintenance_workers')::int AS parallel_workers
FROM pg_index AS i
WHERE i.indrelid = %(table)s::oid
ORDER BY index_bytes DESC, i.indexrelid
