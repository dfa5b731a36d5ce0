-- purpose: list the indexes of a table, the one of the key first
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: table (oid)
-- columns: index_oid (oid), index_bytes (size)
-- source: PostgreSQL manual, pg_index
SELECT i.indexrelid AS index_oid, pg_relation_size(i.indexrelid) AS index_bytes
FROM pg_index AS i
WHERE i.indrelid = %(table)s::oid
ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indexrelid
