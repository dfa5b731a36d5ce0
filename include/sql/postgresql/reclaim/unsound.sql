-- purpose: list what the check after a run compares: invalid indexes and constraints that are not valid
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: kind (index, constraint), name (quoted name)
-- source: PostgreSQL manual, pg_index; pg_constraint
SELECT 'index' AS kind, format('%I.%I', n.nspname, c.relname) AS name
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND n.nspname !~ '^pg_temp'
UNION ALL
SELECT 'constraint', format('%I.%I: %I', n.nspname, c.relname, k.conname)
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT k.convalidated AND NOT pg_is_other_temp_schema(n.oid)
ORDER BY 1, 2
