-- purpose: list the foreign keys that are still to be checked anew after the swap; only while there is a copy
-- kind: read
-- engine: postgresql 15-19
-- privileges: made the schema drydock_reclaim
-- locks: none
-- licence: none
-- binds: none
-- columns: schema (schema), table_name (table), name (constraint), read_bytes (of the two tables, which are read to check it)
-- source: PostgreSQL manual, pg_constraint
SELECT
    n.nspname AS schema,
    c.relname AS table_name,
    k.conname AS name,
    pg_relation_size(k.conrelid) + CASE WHEN k.confrelid <> k.conrelid THEN pg_relation_size(k.confrelid) ELSE 0 END AS read_bytes
FROM drydock_reclaim.drydock_pending AS p
JOIN pg_constraint AS k ON k.conrelid = p.relation AND k.conname = p.name AND NOT k.convalidated
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY k.oid
