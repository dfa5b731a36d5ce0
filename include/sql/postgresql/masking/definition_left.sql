-- purpose: how much a schema holds that no copy gets: views, code, policies, rules, large objects
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: schemas (names of the schemas in scope)
-- columns: what (sort of thing), place (schema; empty: the whole database), amount (how many)
-- source: PostgreSQL manual, System Catalogs
SELECT 'view' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'v'
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'materialized_view' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'm'
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'function' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = ANY(%(schemas)s) AND true
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'trigger' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND NOT t.tgisinternal AND t.tgparentid = 0
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'row_policy' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND true
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'rule' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_rewrite AS w JOIN pg_class AS c ON c.oid = w.ev_class
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind NOT IN ('v', 'm')
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'unfinished_index' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND NOT i.indisvalid AND c.relkind = 'i'
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'tablespace' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.reltablespace <> 0 AND c.relkind IN ('r', 'p', 'i', 'I')
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'text_search_configuration' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_ts_config AS t
JOIN pg_namespace AS n ON n.oid = t.cfgnamespace
WHERE n.nspname = ANY(%(schemas)s) AND true
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_ts_config'::regclass AND d.objid = t.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'collation' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_collation AS l
JOIN pg_namespace AS n ON n.oid = l.collnamespace
WHERE n.nspname = ANY(%(schemas)s) AND true
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_collation'::regclass AND d.objid = l.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'operator' AS what, n.nspname::text AS place, count(*)::integer AS amount
FROM pg_operator AS o
JOIN pg_namespace AS n ON n.oid = o.oprnamespace
WHERE n.nspname = ANY(%(schemas)s) AND true
    AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e')
GROUP BY n.nspname
UNION ALL
SELECT 'large_object' AS what, '' AS place, count(*)::integer AS amount
FROM pg_largeobject_metadata
HAVING count(*) > 0
UNION ALL
SELECT 'publication' AS what, '' AS place, count(*)::integer AS amount
FROM pg_publication
HAVING count(*) > 0
ORDER BY what, place
