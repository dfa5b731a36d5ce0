-- purpose: what extensions brought that a definition may name: types, functions, operators, operator classes, collations, text search configurations
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: none
-- columns: schema_name (schema), name (of the thing), extension (that it belongs to)
-- source: PostgreSQL manual, pg_extension, pg_depend
WITH thing AS (
    SELECT 'pg_type'::regclass::oid AS class, t.oid, t.typnamespace AS place, t.typname::text AS name FROM pg_type AS t
    UNION ALL
    SELECT 'pg_proc'::regclass::oid, p.oid, p.pronamespace, p.proname::text FROM pg_proc AS p
    UNION ALL
    SELECT 'pg_operator'::regclass::oid, o.oid, o.oprnamespace, o.oprname::text FROM pg_operator AS o
    UNION ALL
    SELECT 'pg_opclass'::regclass::oid, o.oid, o.opcnamespace, o.opcname::text FROM pg_opclass AS o
    UNION ALL
    SELECT 'pg_collation'::regclass::oid, l.oid, l.collnamespace, l.collname::text FROM pg_collation AS l
    UNION ALL
    SELECT 'pg_ts_config'::regclass::oid, f.oid, f.cfgnamespace, f.cfgname::text FROM pg_ts_config AS f
)
SELECT DISTINCT
    n.nspname::text AS schema_name,
    thing.name,
    x.extname::text AS extension
FROM thing
JOIN pg_namespace AS n ON n.oid = thing.place
JOIN pg_depend AS d ON d.classid = thing.class AND d.objid = thing.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
JOIN pg_extension AS x ON x.oid = d.refobjid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2, 3
