-- purpose: read all texts of definitions in which a value can hide: names, comments, defaults, enum labels, bounds, checks, expressions, bodies, options, sequences
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: ACCESS SHARE for a moment on the objects described
-- licence: none
-- binds: left_out (text[]: schemas that are left out)
-- columns: place (kind of definition and name of the object), text (the definition)
-- source: PostgreSQL manual, System Catalogs; System Information Functions (pg_get_expr, pg_get_constraintdef, pg_get_indexdef, pg_get_functiondef, pg_get_viewdef, pg_get_triggerdef)
WITH own AS (
    SELECT n.oid, n.nspname
    FROM pg_namespace AS n
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND n.nspname NOT LIKE 'pg\_toast%%' AND n.nspname NOT LIKE 'pg\_temp\_%%'
        AND n.nspname <> ALL (%(left_out)s::text[])
),
relation AS (
    SELECT
        c.oid, own.nspname || '.' || c.relname AS name, c.relname, c.relkind, c.relpartbound, c.reloptions, own.nspname,
        rn.nspname || '.' || rc.relname AS root
    FROM pg_class AS c
    JOIN own ON own.oid = c.relnamespace
    JOIN pg_class AS rc ON rc.oid = coalesce(pg_partition_root(c.oid)::oid, c.oid)
    JOIN pg_namespace AS rn ON rn.oid = rc.relnamespace
)
SELECT 'comment on ' || coalesce(i.identity, d.classoid::regclass || ' ' || d.objoid) AS place, d.description AS text
FROM pg_description AS d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
WHERE (i.schema IS NULL OR i.schema NOT IN ('pg_catalog', 'information_schema'))
    AND (i.schema IS NULL OR i.schema <> ALL (%(left_out)s::text[]))
UNION ALL
SELECT 'comment on ' || d.classoid::regclass || ' ' || d.objoid, d.description FROM pg_shdescription AS d
WHERE d.classoid = 'pg_database'::regclass
    AND d.objoid = (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database())
UNION ALL
SELECT 'security label on ' || l.classoid::regclass || ' ' || l.objoid, l.label FROM pg_seclabel AS l
UNION ALL
SELECT 'default of ' || r.name || '.' || a.attname, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef AS d
JOIN relation AS r ON r.oid = d.adrelid
JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
UNION ALL
SELECT 'default of domain ' || own.nspname || '.' || t.typname, t.typdefault
FROM pg_type AS t JOIN own ON own.oid = t.typnamespace
WHERE t.typdefault IS NOT NULL
UNION ALL
SELECT 'enum label of ' || own.nspname || '.' || t.typname, e.enumlabel
FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid JOIN own ON own.oid = t.typnamespace
UNION ALL
SELECT 'partition bound of ' || r.name, pg_get_expr(r.relpartbound, r.oid) FROM relation AS r WHERE r.relpartbound IS NOT NULL
UNION ALL
SELECT 'partition key of ' || r.name, pg_get_partkeydef(r.oid) FROM relation AS r WHERE r.relkind = 'p'
UNION ALL
SELECT 'constraint ' || own.nspname || '.' || c.conname, concat_ws(' ', c.conname, pg_get_constraintdef(c.oid))
FROM pg_constraint AS c JOIN own ON own.oid = c.connamespace
UNION ALL
SELECT 'index ' || r.name, pg_get_indexdef(r.oid) FROM relation AS r WHERE r.relkind IN ('i', 'I')
UNION ALL
SELECT 'statistics object ' || own.nspname || '.' || s.stxname, pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext AS s JOIN own ON own.oid = s.stxnamespace
UNION ALL
SELECT 'view ' || r.name, pg_get_viewdef(r.oid) FROM relation AS r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'rule ' || q.schemaname || '.' || q.tablename || '.' || q.rulename, q.definition FROM pg_rules AS q
JOIN own ON own.nspname = q.schemaname
UNION ALL
SELECT 'policy ' || p.schemaname || '.' || p.tablename || '.' || p.policyname, concat_ws(' ', p.policyname, p.qual, p.with_check)
FROM pg_policies AS p JOIN own ON own.nspname = p.schemaname
UNION ALL
SELECT 'trigger ' || r.name || '.' || t.tgname, pg_get_triggerdef(t.oid)
FROM pg_trigger AS t JOIN relation AS r ON r.oid = t.tgrelid
UNION ALL
SELECT 'function ' || own.nspname || '.' || p.proname,
    concat_ws(' ', p.proname, p.prosrc, pg_get_function_arguments(p.oid), p.proconfig::text, g.agginitval, g.aggminitval)
FROM pg_proc AS p
JOIN own ON own.oid = p.pronamespace
LEFT JOIN pg_aggregate AS g ON g.aggfnoid = p.oid
UNION ALL
SELECT 'schema ' || own.nspname, own.nspname::text FROM own
UNION ALL
SELECT 'type ' || own.nspname || '.' || t.typname, t.typname::text
FROM pg_type AS t JOIN own ON own.oid = t.typnamespace
WHERE t.typrelid = 0 AND t.typtype <> 'b'
UNION ALL
SELECT 'publication ' || p.pubname, concat_ws(' ', p.pubname, string_agg(to_jsonb(t) ->> 'rowfilter', ' '))
FROM pg_publication AS p LEFT JOIN pg_publication_tables AS t ON t.pubname = p.pubname
GROUP BY p.pubname
UNION ALL
SELECT 'event trigger ' || e.evtname, concat_ws(' ', e.evtname, e.evttags::text) FROM pg_event_trigger AS e
UNION ALL
SELECT 'foreign data wrapper ' || w.fdwname, w.fdwoptions::text FROM pg_foreign_data_wrapper AS w WHERE w.fdwoptions IS NOT NULL
UNION ALL
SELECT 'foreign table ' || r.name, f.ftoptions::text FROM pg_foreign_table AS f JOIN relation AS r ON r.oid = f.ftrelid
WHERE f.ftoptions IS NOT NULL
UNION ALL
SELECT 'user mapping of ' || m.srvname, m.umoptions::text FROM pg_user_mappings AS m WHERE m.umoptions IS NOT NULL
UNION ALL
SELECT 'text search dictionary ' || own.nspname || '.' || y.dictname, concat_ws(' ', y.dictname, y.dictinitoption)
FROM pg_ts_dict AS y JOIN own ON own.oid = y.dictnamespace
UNION ALL
SELECT 'sequence ' || q.schemaname || '.' || q.sequencename,
    concat_ws(' ', q.start_value, q.min_value, nullif(q.max_value, 9223372036854775807), q.increment_by, q.last_value)
FROM pg_sequences AS q
UNION ALL
SELECT 'name of ' || r.name, concat_ws(' ', r.relname, r.reloptions::text) FROM relation AS r
UNION ALL
SELECT 'name of ' || r.name || '.' || a.attname, concat_ws(' ', a.attname, a.attoptions::text, a.attfdwoptions::text)
FROM pg_attribute AS a JOIN relation AS r ON r.oid = a.attrelid
WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'f', 'c')
UNION ALL
SELECT 'stored missing value of ' || r.name || '.' || a.attname, a.attmissingval::text
FROM pg_attribute AS a JOIN relation AS r ON r.oid = a.attrelid
WHERE a.atthasmissing
UNION ALL
SELECT 'gathered statistics of ' || r.root || '.' || q.attname,
    concat_ws(' ', q.most_common_vals::text, q.histogram_bounds::text, q.most_common_elems::text)
FROM pg_stats AS q JOIN relation AS r ON r.nspname = q.schemaname AND r.relname = q.tablename
UNION ALL
SELECT 'foreign server ' || s.srvname, s.srvoptions::text FROM pg_foreign_server AS s WHERE s.srvoptions IS NOT NULL
UNION ALL
SELECT 'setting of the database', array_to_string(s.setconfig, ' ') FROM pg_db_role_setting AS s
WHERE s.setdatabase = (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database())
