-- purpose: staging schemas and older copies of this role, what else would go with them, and what they hold
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: none
-- columns: name (schema), others (things in it of another owner or of an extension), used_by (things outside of all such schemas that depend on something in it), tables (names of its tables, partitions left out), has_parts (the table of chunks is there)
-- source: PostgreSQL manual, pg_namespace, pg_depend, System Catalogs
WITH ours AS (
    SELECT n.oid, n.nspname, n.nspowner
    FROM pg_namespace AS n
    JOIN pg_roles AS r ON r.oid = n.nspowner
    WHERE n.nspname ~ '^drydock_(staging|old)_[0-9]+_[0-9]+$' AND r.rolname = current_user
),
thing AS (
    SELECT 'pg_class'::regclass::oid AS class, c.oid, c.relnamespace AS place, c.relowner AS owner FROM pg_class AS c
    UNION ALL
    SELECT 'pg_type'::regclass::oid, t.oid, t.typnamespace, t.typowner FROM pg_type AS t
    UNION ALL
    SELECT 'pg_proc'::regclass::oid, p.oid, p.pronamespace, p.proowner FROM pg_proc AS p
    UNION ALL
    SELECT 'pg_operator'::regclass::oid, o.oid, o.oprnamespace, o.oprowner FROM pg_operator AS o
    UNION ALL
    SELECT 'pg_collation'::regclass::oid, l.oid, l.collnamespace, l.collowner FROM pg_collation AS l
),
dependent AS (
    SELECT 'pg_class'::regclass::oid AS class, c.oid, c.relnamespace AS place FROM pg_class AS c
    UNION ALL
    SELECT 'pg_rewrite'::regclass::oid, w.oid, c.relnamespace FROM pg_rewrite AS w JOIN pg_class AS c ON c.oid = w.ev_class
    UNION ALL
    SELECT 'pg_constraint'::regclass::oid, k.oid, k.connamespace FROM pg_constraint AS k
    UNION ALL
    SELECT 'pg_attrdef'::regclass::oid, a.oid, c.relnamespace FROM pg_attrdef AS a JOIN pg_class AS c ON c.oid = a.adrelid
    UNION ALL
    SELECT 'pg_trigger'::regclass::oid, t.oid, c.relnamespace FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    UNION ALL
    SELECT 'pg_type'::regclass::oid, t.oid, t.typnamespace FROM pg_type AS t
    UNION ALL
    SELECT 'pg_proc'::regclass::oid, p.oid, p.pronamespace FROM pg_proc AS p
)
SELECT
    n.nspname::text AS name,
    (
        SELECT count(*)
        FROM thing
        WHERE thing.place = n.oid AND (
            thing.owner <> n.nspowner
            OR EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = thing.class AND d.objid = thing.oid AND d.deptype = 'e')
        )
    )::integer AS others,
    (
        SELECT count(*)
        FROM thing
        JOIN pg_depend AS d ON d.refclassid = thing.class AND d.refobjid = thing.oid AND d.deptype <> 'i'
        JOIN dependent ON dependent.class = d.classid AND dependent.oid = d.objid
        JOIN pg_namespace AS dn ON dn.oid = dependent.place
        WHERE thing.place = n.oid AND dependent.place NOT IN (SELECT ours.oid FROM ours) AND dn.nspname NOT LIKE 'pg\_toast%'
    )::integer AS used_by,
    ARRAY(
        SELECT c.relname::text
        FROM pg_class AS c
        WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY c.relname
    ) AS tables,
    to_regclass('drydock_masking.parts') IS NOT NULL AS has_parts
FROM ours AS n
ORDER BY n.nspname
