-- purpose: list every column that holds rows in this database, and whether we may read it
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: left_out (text[]: schemas that are left out)
-- columns: schema_name (schema of the table that holds the rows), table_name (that table; a leaf where partitioned), place_schema (schema of the root table), place_table (root of the partitions, else the table), relation_kind (r table, m materialised view, f foreign table, S sequence), column_name (column), type_name (type, domains resolved), category (pg_type.typcategory of it), may_read (we hold SELECT on the column, and USAGE on its schema), pages (blocks of the table that holds the rows)
-- source: PostgreSQL manual, System Catalogs: pg_class, pg_attribute, pg_type; System Information Functions: pg_partition_root
WITH RECURSIVE base AS (
    SELECT t.oid, t.oid AS base_oid, t.typtype, t.typbasetype
    FROM pg_type AS t
    UNION ALL
    SELECT b.oid, t.oid, t.typtype, t.typbasetype
    FROM base AS b JOIN pg_type AS t ON t.oid = b.typbasetype
    WHERE b.typtype = 'd'
)
SELECT
    n.nspname AS schema_name,
    c.relname AS table_name,
    rn.nspname AS place_schema,
    rc.relname AS place_table,
    c.relkind::text AS relation_kind,
    a.attname AS column_name,
    bt.typname AS type_name,
    bt.typcategory::text AS category,
    has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT') AS may_read,
    coalesce(pg_relation_size(c.oid) / current_setting('block_size')::bigint, 0) AS pages
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS rc ON rc.oid = coalesce(pg_partition_root(c.oid)::oid, c.oid)
JOIN pg_namespace AS rn ON rn.oid = rc.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN base AS b ON b.oid = a.atttypid AND b.typtype <> 'd'
JOIN pg_type AS bt ON bt.oid = b.base_oid
WHERE (c.relkind IN ('r', 'm', 'f') OR (c.relkind = 'S' AND a.attname = 'last_value'))
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname NOT LIKE 'pg\_toast%%' AND n.nspname NOT LIKE 'pg\_temp\_%%'
    AND n.nspname <> ALL (%(left_out)s::text[])
ORDER BY n.nspname, c.relname, a.attnum
