-- purpose: describe all that a table is, object by object and without internal numbers, so that two can be compared
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, System Catalogs; System Catalog Information Functions
CREATE FUNCTION drydock_reclaim.describe(p_table oid) RETURNS text[]
-- its one plan is kept, so that the call under the lock does not make it anew
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    RETURN (SELECT array_agg(part ORDER BY part COLLATE "C")
    FROM (
        SELECT jsonb_build_array('table', c.relname, n.nspname, pg_get_userbyid(c.relowner), c.relpersistence, c.relreplident,
            c.relrowsecurity, c.relforcerowsecurity, c.reltablespace, c.relam, c.reloptions, t.reloptions, c.relispartition,
            pg_get_expr(c.relpartbound, c.oid), i.inhparent::regclass, obj_description(c.oid, 'pg_class'),
            (SELECT array_agg(e::text ORDER BY e::text)
             FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) e))::text AS part
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
        WHERE c.oid = p_table
        UNION ALL
        SELECT jsonb_build_array('column', row_number() OVER (ORDER BY a.attnum), a.attname, format_type(a.atttypid, a.atttypmod),
            a.attnotnull, a.attcollation, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attstorage,
            a.attcompression, nullif(a.attstattarget, -1),
            -- options that begin with pg_ are the server's own notes (15.20 of Debian keeps pg_attver there)
            (SELECT array_agg(o ORDER BY o) FROM unnest(a.attoptions) o WHERE NOT starts_with(o, 'pg_')),
            col_description(a.attrelid, a.attnum),
            (SELECT array_agg(e::text ORDER BY e::text) FROM aclexplode(a.attacl) e))::text
        FROM pg_attribute a
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT jsonb_build_array('constraint', k.conname, k.contype, k.conparentid <> 0,
            regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), obj_description(k.oid, 'pg_constraint'))::text
        FROM pg_constraint k
        WHERE k.conrelid = p_table AND k.contype <> 't'
        UNION ALL
        SELECT jsonb_build_array('referenced by', k.conrelid::regclass, k.conname,
            regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), obj_description(k.oid, 'pg_constraint'))::text
        FROM pg_constraint k
        WHERE k.confrelid = p_table AND k.contype = 'f' AND k.conrelid <> p_table
        UNION ALL
        SELECT jsonb_build_array('index', c.relname, pg_get_indexdef(x.indexrelid), c.reltablespace, x.indisclustered,
            x.indisreplident, x.indisvalid, x.indimmediate, i.inhparent::regclass, obj_description(c.oid, 'pg_class'),
            (SELECT array_agg(format('%s %s', a.attnum, a.attstattarget) ORDER BY a.attnum)
             FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attstattarget >= 0))::text
        FROM pg_index x
        JOIN pg_class c ON c.oid = x.indexrelid
        LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
        WHERE x.indrelid = p_table
        UNION ALL
        SELECT jsonb_build_array('trigger', g.tgname, pg_get_triggerdef(g.oid), g.tgenabled, g.tgparentid <> 0,
            obj_description(g.oid, 'pg_trigger'))::text
        FROM pg_trigger g
        WHERE g.tgrelid = p_table AND NOT g.tgisinternal AND g.tgname <> 'drydock_note'
        UNION ALL
        SELECT jsonb_build_array('rule', r.rulename, pg_get_ruledef(r.oid), r.ev_enabled, obj_description(r.oid, 'pg_rewrite'))::text
        FROM pg_rewrite r
        WHERE r.ev_class = p_table
        UNION ALL
        SELECT jsonb_build_array('policy', p.polname, p.polpermissive, p.polcmd, p.polroles, pg_get_expr(p.polqual, p.polrelid),
            pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy'))::text
        FROM pg_policy p
        WHERE p.polrelid = p_table
        UNION ALL
        SELECT jsonb_build_array('statistics', s.stxname, s.stxnamespace::regnamespace, pg_get_userbyid(s.stxowner), s.stxkind,
            pg_get_statisticsobjdef_columns(s.oid), nullif(s.stxstattarget, -1), obj_description(s.oid, 'pg_statistic_ext'))::text
        FROM pg_statistic_ext s
        WHERE s.stxrelid = p_table
        UNION ALL
        SELECT jsonb_build_array('published', b.pubname,
            (SELECT array_agg(a.attname ORDER BY a.attname) FROM pg_attribute a
             WHERE a.attrelid = p_table
                 AND a.attnum = ANY (l.prattrs::int2[])),
            pg_get_expr(l.prqual, p_table))::text
        FROM pg_publication_rel l
        JOIN pg_publication b ON b.oid = l.prpubid
        WHERE l.prrelid = p_table
        UNION ALL
        SELECT jsonb_build_array('sequence', c.relname, c.relnamespace::regnamespace, a.attname, d.deptype, q.seqtypid, q.seqstart,
            q.seqincrement, q.seqmax, q.seqmin, q.seqcache, q.seqcycle, pg_get_userbyid(c.relowner),
            obj_description(c.oid, 'pg_class'),
            (SELECT array_agg(e::text ORDER BY e::text)
             FROM aclexplode(coalesce(c.relacl, acldefault('s', c.relowner))) e))::text
        FROM pg_depend d
        JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
        JOIN pg_sequence q ON q.seqrelid = c.oid
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p_table
            AND d.deptype IN ('a', 'i')
        UNION ALL
        SELECT DISTINCT jsonb_build_array('view', w.ev_class::regclass, pg_get_viewdef(w.ev_class), v.reloptions)::text
        FROM pg_depend d
        JOIN pg_rewrite w ON w.oid = d.objid AND w.ev_class <> p_table
        JOIN pg_class v ON v.oid = w.ev_class
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p_table
    ) parts);
END
$$
