-- purpose: give the copy what does not need the lock: grants, comments, statistics, sequences of identity; analyse it
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, GRANT; ALTER TABLE; CREATE STATISTICS; ANALYZE
CREATE FUNCTION drydock_reclaim.finish_shadow(p_table oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t record;
    one record;
    shadow text;
    sequence text;
BEGIN
    -- nobody waits for the disk of this commit: see start_log
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT c.relname, c.relowner, c.relacl, c.relreplident, s.shadow, n.relacl AS present, obj_description(c.oid, 'pg_class') AS told
    INTO STRICT t
    FROM drydock_reclaim.drydock_state s
    JOIN pg_class c ON c.oid = s.original
    JOIN pg_class n ON n.oid = s.shadow
    WHERE s.original = p_table;
    shadow := format('drydock_reclaim_new.%I', t.relname);
    PERFORM drydock_reclaim.grant_like(t.relacl, t.present, t.relowner, 'TABLE ' || shadow, '');
    IF t.told IS NOT NULL THEN
        EXECUTE format('COMMENT ON TABLE %s IS %L', shadow, t.told);
    END IF;
    IF t.relreplident IN ('f', 'n') THEN
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY %s', shadow, CASE t.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END);
    END IF;
    FOR one IN
        SELECT a.attname, nullif(a.attstattarget, -1) AS target, a.attacl,
            (SELECT string_agg(format('%I = %L', option_name, option_value), ', ')
             FROM pg_options_to_table(a.attoptions) WHERE NOT starts_with(option_name, 'pg_')) AS options
        FROM pg_attribute a
        WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        IF one.target IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', shadow, one.attname, one.target);
        END IF;
        IF one.options IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', shadow, one.attname, one.options);
        END IF;
        IF one.attacl IS NOT NULL THEN
            PERFORM drydock_reclaim.grant_like(one.attacl, NULL, t.relowner, 'TABLE ' || shadow, format('(%I)', one.attname));
        END IF;
    END LOOP;
    FOR one IN
        SELECT s.oid, s.stxname, s.stxstattarget, pg_get_statisticsobjdef_columns(s.oid) AS columns,
            obj_description(s.oid, 'pg_statistic_ext') AS told, pg_get_userbyid(s.stxowner) AS owner,
            CASE WHEN array_length(s.stxkeys::int2[], 1) + CASE WHEN 'e' = ANY (s.stxkind) THEN 1 ELSE 0 END > 1 THEN
                (SELECT ' (' || string_agg(CASE k WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' ELSE 'mcv' END, ', ') || ')'
                 FROM unnest(s.stxkind) k WHERE k <> 'e')
            END AS kinds
        FROM pg_statistic_ext s
        WHERE s.stxrelid = p_table
    LOOP
        EXECUTE format('CREATE STATISTICS drydock_reclaim_new.%I%s ON %s FROM %s', one.stxname, coalesce(one.kinds, ''),
            one.columns, shadow);
        IF one.stxstattarget >= 0 THEN
            EXECUTE format('ALTER STATISTICS drydock_reclaim_new.%I SET STATISTICS %s', one.stxname, one.stxstattarget);
        END IF;
        IF one.told IS NOT NULL THEN
            EXECUTE format('COMMENT ON STATISTICS drydock_reclaim_new.%I IS %L', one.stxname, one.told);
        END IF;
        IF one.owner <> current_user THEN
            EXECUTE format('GRANT CREATE ON SCHEMA drydock_reclaim_new TO %I', one.owner);
            EXECUTE format('ALTER STATISTICS drydock_reclaim_new.%I OWNER TO %I', one.stxname, one.owner);
            EXECUTE format('REVOKE ALL ON SCHEMA drydock_reclaim_new FROM %I', one.owner);
        END IF;
    END LOOP;
    FOR one IN
        SELECT c.oid, c.relname, c.relacl, c.relowner, n.oid AS copy, n.relacl AS present, obj_description(c.oid, 'pg_class') AS told,
            n.relname AS copy_name, format_type(q.seqtypid, NULL) AS type
        FROM pg_depend d
        JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        JOIN pg_attribute b ON b.attrelid = t.shadow AND b.attname = a.attname
        JOIN pg_depend e ON e.refobjid = t.shadow AND e.refobjsubid = b.attnum AND e.deptype = 'i'
            AND e.classid = 'pg_class'::regclass AND e.refclassid = 'pg_class'::regclass
        JOIN pg_class n ON n.oid = e.objid AND n.relkind = 'S'
        JOIN pg_sequence q ON q.seqrelid = c.oid
        WHERE d.refobjid = p_table AND d.deptype = 'i'
            AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    LOOP
        IF one.copy_name <> one.relname THEN
            EXECUTE format('ALTER SEQUENCE drydock_reclaim_new.%I RENAME TO %I', one.copy_name, one.relname);
        END IF;
        sequence := format('drydock_reclaim_new.%I', one.relname);
        EXECUTE format('ALTER SEQUENCE %s AS %s', sequence, one.type); -- LIKE makes every one of them a bigint
        PERFORM drydock_reclaim.grant_like(one.relacl, one.present, one.relowner, 'SEQUENCE ' || sequence, '');
        IF one.told IS NOT NULL THEN
            EXECUTE format('COMMENT ON SEQUENCE %s IS %L', sequence, one.told);
        END IF;
    END LOOP;
    EXECUTE format('ANALYZE %s', shadow);
END
$$
