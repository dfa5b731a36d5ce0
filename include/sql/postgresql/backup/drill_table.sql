-- purpose: find one declared table of the restored copy, and whether reading it would reach outside through a foreign table
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schema (schema name), table (table name)
-- columns: oid (object id), kind (pg_class.relkind), foreign_parts (partitions or children that are foreign tables)
-- source: PostgreSQL manual, System Catalogs: pg_class, pg_inherits
WITH RECURSIVE found AS (
    SELECT c.oid, c.relkind
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = %(table)s
), parts AS (
    SELECT f.oid, f.relkind FROM found AS f
    UNION
    SELECT c.oid, c.relkind
    FROM parts AS p
    JOIN pg_catalog.pg_inherits AS i ON i.inhparent = p.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
)
SELECT
    f.oid::bigint AS oid,
    f.relkind::text AS kind,
    (SELECT count(*) FROM parts AS p WHERE p.relkind = 'f') AS foreign_parts
FROM found AS f
