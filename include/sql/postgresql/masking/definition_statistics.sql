-- purpose: extended statistics as CREATE STATISTICS needs them: what is to be gathered, nothing that was gathered
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: schema_name (schema of the statistics), name (statistics), table_schema (schema of the table), table_name (table), definition (as SQL writes it), target (-1: the server's), comment (or empty)
-- source: PostgreSQL manual, pg_statistic_ext, CREATE STATISTICS
SELECT
    sn.nspname::text AS schema_name,
    s.stxname::text AS name,
    n.nspname::text AS table_schema,
    c.relname::text AS table_name,
    pg_get_statisticsobjdef(s.oid) AS definition,
    coalesce(s.stxstattarget, -1)::integer AS target,
    coalesce(obj_description(s.oid, 'pg_statistic_ext'), '') AS comment
FROM pg_statistic_ext AS s
JOIN pg_namespace AS sn ON sn.oid = s.stxnamespace
JOIN pg_class AS c ON c.oid = s.stxrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
WHERE
    (n.nspname = ANY(%(schemas)s) OR rn.nspname = ANY(%(schemas)s))
    AND c.relkind IN ('r', 'p', 'f')
ORDER BY sn.nspname, s.stxname
