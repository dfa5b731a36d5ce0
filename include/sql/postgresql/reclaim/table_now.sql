-- purpose: tell what a name leads to now, and how large it is
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: schema (schema), name (table)
-- columns: table_oid (oid), filenode (relfilenode), heap_bytes (main fork), toast_bytes (main fork of its TOAST table), indexes_bytes (all indexes), total_bytes (all of it), fillfactor (percent), toast_oid (0: none), block_bytes (size of a page)
-- source: PostgreSQL manual, pg_class
SELECT
    c.oid AS table_oid,
    c.relfilenode AS filenode,
    pg_relation_size(c.oid) AS heap_bytes,
    coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) AS toast_bytes,
    pg_indexes_size(c.oid) AS indexes_bytes,
    pg_total_relation_size(c.oid) AS total_bytes,
    coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 100) AS fillfactor,
    c.reltoastrelid AS toast_oid,
    current_setting('block_size')::int AS block_bytes
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind = 'r'
