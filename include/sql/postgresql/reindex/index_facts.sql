-- purpose: tell one index of one name as it is now: which one it is, how big, and everything that a rebuild must leave as it was
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: ACCESS SHARE on index and table for a moment, waited for no longer than told
-- licence: none
-- binds: schema (schema), name (index), lock_wait (longest wait for a lock, with its unit)
-- columns: index_oid (oid), identity (oid:relfilenode), table_oid (oid of its table), table_name (its table), index_bytes (size), is_valid (indisvalid), is_unique (unique), method (access method), definition (CREATE INDEX), owner (owner), comment (its comment), tablespace (tablespace; empty: that of the database), storage (storage parameters), statistics (statistics target of each column), is_clustered (CLUSTER uses it), is_replica_identity (identifies rows for replication), parent_index (oid of the partitioned index it belongs to; 0: none), constraint_name (its constraint), constraint_text (definition of that)
-- source: PostgreSQL manual, System Catalogs (pg_index, pg_class, pg_attribute, pg_inherits, pg_constraint), Comment Information Functions
WITH
patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', %(lock_wait)s, true) AS lock_wait
)
SELECT
    c.oid::bigint AS index_oid,
    c.oid::text || ':' || c.relfilenode::text AS identity,
    i.indrelid::bigint AS table_oid,
    t.relname::text AS table_name,
    pg_relation_size(c.oid) AS index_bytes,
    i.indisvalid AS is_valid,
    i.indisunique AS is_unique,
    am.amname::text AS method,
    pg_get_indexdef(c.oid) AS definition,
    pg_get_userbyid(c.relowner)::text AS owner,
    coalesce(obj_description(c.oid, 'pg_class'), '') AS comment,
    coalesce((SELECT s.spcname::text FROM pg_tablespace AS s WHERE s.oid = c.reltablespace), '') AS tablespace,
    coalesce(array_to_string(c.reloptions, ', '), '') AS storage,
    (
        SELECT string_agg(coalesce(a.attstattarget, -1)::text, ' ' ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0
    ) AS statistics,
    i.indisclustered AS is_clustered,
    i.indisreplident AS is_replica_identity,
    coalesce((SELECT h.inhparent::bigint FROM pg_inherits AS h WHERE h.inhrelid = c.oid), 0) AS parent_index,
    coalesce(k.conname::text, '') AS constraint_name,
    coalesce(pg_get_constraintdef(k.oid), '') AS constraint_text
FROM
    patience
    JOIN pg_class AS c ON patience.lock_wait <> ''
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_index AS i ON i.indexrelid = c.oid
    JOIN pg_class AS t ON t.oid = i.indrelid
    JOIN pg_am AS am ON am.oid = c.relam
    LEFT JOIN pg_constraint AS k ON k.conindid = c.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind = 'i'
