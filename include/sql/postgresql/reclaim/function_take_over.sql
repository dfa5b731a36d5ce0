-- purpose: put the copy in the place of the table: under the lock the rest of the changes, then the names and all that hangs on them
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE; Explicit Locking; CREATE TRIGGER; CREATE RULE; CREATE POLICY
CREATE FUNCTION drydock_reclaim.take_over(p_table oid, p_patient_ms int, p_strict boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
AS $$
DECLARE
    t record;
    one record;
    deed text;
    before text[];
    deeds text[] := '{}';
    drops text[] := '{}';
    locks text[];
    limit_ms int;
    rest text;
    early bigint;
    late bigint;
    asked_at timestamptz;
    had_at timestamptz;
    full_name text := drydock_reclaim.full_name(p_table);
    shadow_is oid;
BEGIN
    SELECT c.relname, n.nspname, s.shadow, s.filenode, s.columns, s.drained, i.inhparent, drydock_reclaim.full_name(i.inhparent) AS parent,
        pg_get_expr(c.relpartbound, c.oid) AS bound
    INTO t
    FROM drydock_reclaim.drydock_state s
    JOIN pg_class c ON c.oid = s.original
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE s.original = p_table AND NOT s.is_swapped;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'DD002', MESSAGE = 'the table is gone';
    END IF;
    shadow_is := t.shadow;

    -- A commit that drops no file need not wait for the disk, nor for a standby, before it lets go of its locks; a crash that
    -- loses it loses all of it, and every later commit comes after it in the log. The old table is dropped with our schemas
    PERFORM set_config('synchronous_commit', 'off', true);
    -- VACUUM and DDL first, while readers and writers go on: this lock keeps nobody else out, and an automatic VACUUM gives way
    limit_ms := (SELECT setting FROM pg_settings WHERE name = 'lock_timeout')::int;
    PERFORM set_config('lock_timeout', p_patient_ms || 'ms', true);
    EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', full_name);
    PERFORM set_config('lock_timeout', limit_ms || 'ms', true);
    before := drydock_reclaim.describe(p_table);
    PERFORM drydock_reclaim.describe(t.shadow), drydock_reclaim.has_dependents(p_table);

    -- what is said by name is written down while the table still has it; nobody waits yet
    FOR one IN
        SELECT pg_get_triggerdef(g.oid) AS definition, g.tgname, g.tgenabled, g.tgparentid, obj_description(g.oid, 'pg_trigger') AS told
        FROM pg_trigger g
        WHERE g.tgrelid = p_table AND NOT g.tgisinternal AND g.tgname <> 'drydock_note'
        ORDER BY g.tgname
    LOOP
        IF one.tgparentid = 0 THEN
            deeds := deeds || one.definition;
        END IF;
        IF one.tgenabled <> 'O' OR one.tgparentid <> 0 THEN
            deeds := deeds || format('ALTER TABLE %s %s TRIGGER %I', full_name, CASE one.tgenabled WHEN 'D' THEN 'DISABLE'
                WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, one.tgname);
        END IF;
        IF one.told IS NOT NULL THEN
            deeds := deeds || format('COMMENT ON TRIGGER %I ON %s IS %L', one.tgname, full_name, one.told);
        END IF;
    END LOOP;
    FOR one IN
        SELECT pg_get_ruledef(r.oid) AS definition, r.rulename, r.ev_enabled, obj_description(r.oid, 'pg_rewrite') AS told
        FROM pg_rewrite r
        WHERE r.ev_class = p_table
        ORDER BY r.rulename
    LOOP
        deeds := deeds || one.definition;
        IF one.ev_enabled <> 'O' THEN
            deeds := deeds || format('ALTER TABLE %s %s RULE %I', full_name, CASE one.ev_enabled WHEN 'D' THEN 'DISABLE'
                WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, one.rulename);
        END IF;
        IF one.told IS NOT NULL THEN
            deeds := deeds || format('COMMENT ON RULE %I ON %s IS %L', one.rulename, full_name, one.told);
        END IF;
    END LOOP;
    FOR one IN
        SELECT p.polname, p.polpermissive, p.polcmd, pg_get_expr(p.polqual, p.polrelid) AS qual,
            pg_get_expr(p.polwithcheck, p.polrelid) AS with_check, obj_description(p.oid, 'pg_policy') AS told,
            (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY place)
             FROM unnest(p.polroles) WITH ORDINALITY AS u (r, place)) AS roles
        FROM pg_policy p
        WHERE p.polrelid = p_table
        ORDER BY p.polname
    LOOP
        deeds := deeds || format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', one.polname, full_name,
            CASE WHEN one.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
            CASE one.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
            one.roles, coalesce(' USING (' || one.qual || ')', ''), coalesce(' WITH CHECK (' || one.with_check || ')', ''));
        IF one.told IS NOT NULL THEN
            deeds := deeds || format('COMMENT ON POLICY %I ON %s IS %L', one.polname, full_name, one.told);
        END IF;
    END LOOP;
    SELECT deeds || coalesce(array_agg(format('ALTER TABLE %s %s ROW LEVEL SECURITY', full_name, word)), '{}') INTO deeds
    FROM pg_class c
    CROSS JOIN LATERAL (VALUES ('ENABLE', c.relrowsecurity), ('FORCE', c.relforcerowsecurity)) AS w (word, is_on)
    WHERE c.oid = p_table AND w.is_on;
    FOR one IN
        SELECT k.conname, k.convalidated, k.conrelid, drydock_reclaim.full_name(k.conrelid) AS relation,
            regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') AS definition, obj_description(k.oid, 'pg_constraint') AS told
        FROM pg_constraint k
        WHERE k.contype = 'f' AND p_table IN (k.conrelid, k.confrelid) AND k.conparentid = 0
        ORDER BY k.conrelid, k.conname
    LOOP
        deeds := deeds || format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', one.relation, one.conname, one.definition);
        IF one.told IS NOT NULL THEN
            deeds := deeds || format('COMMENT ON CONSTRAINT %I ON %s IS %L', one.conname, one.relation, one.told);
        END IF;
        IF one.convalidated THEN
            INSERT INTO drydock_reclaim.drydock_pending
            VALUES (CASE one.conrelid WHEN p_table THEN shadow_is ELSE one.conrelid END, one.conname);
        END IF;
        -- those of the table itself too: it lies about for a moment more, and its rows must not stand in anybody's way
        drops := drops || format('ALTER TABLE ONLY %s DROP CONSTRAINT %I', one.relation, one.conname);
    END LOOP;
    FOR one IN
        SELECT b.pubname, pg_get_expr(l.prqual, p_table) AS qual,
            (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
             WHERE a.attrelid = p_table AND a.attnum = ANY (l.prattrs::int2[])) AS columns
        FROM pg_publication_rel l
        JOIN pg_publication b ON b.oid = l.prpubid
        WHERE l.prrelid = p_table
    LOOP
        drops := drops || format('ALTER PUBLICATION %I DROP TABLE ONLY %s', one.pubname, full_name);
        deeds := deeds || format('ALTER PUBLICATION %I ADD TABLE ONLY %s%s%s', one.pubname, full_name,
            coalesce(' (' || one.columns || ')', ''), coalesce(' WHERE (' || one.qual || ')', ''));
    END LOOP;

    -- first the parent: who writes through it holds it before the partition; then the table, then the default
    -- partition beside it, and those at the other end of its foreign keys, whose triggers come and go with the keys
    SELECT array_agg(drydock_reclaim.full_name(u.relation) ORDER BY u.turn, u.relation) INTO locks
    FROM (
        SELECT t.inhparent AS relation, 1 AS turn WHERE t.parent IS NOT NULL
        UNION
        SELECT p_table, 2
        UNION
        SELECT d.partdefid, 3 FROM pg_partitioned_table d WHERE d.partrelid = t.inhparent AND d.partdefid NOT IN (0, p_table)
        UNION
        SELECT r, 3 FROM pg_constraint k CROSS JOIN LATERAL unnest(ARRAY[k.conrelid, k.confrelid]) AS r
        WHERE k.contype = 'f' AND p_table IN (k.conrelid, k.confrelid) AND r <> p_table
    ) u;
    -- asked before the lock too: nobody shall wait for a take-over that is refused, and its plans are made
    PERFORM drydock_reclaim.refuse(p_table, clock_timestamp(), false);
    -- what is left after this is a handful of rows; by their keys, never by reading all of a table: the log has no statistics
    PERFORM set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);
    rest := drydock_reclaim.drain_text(p_table);
    EXECUTE rest INTO STRICT early;

    -- from here on others wait. All the locks together are waited for no longer than one
    asked_at := clock_timestamp();
    FOREACH deed IN ARRAY locks LOOP
        PERFORM set_config('lock_timeout',
            greatest(1, limit_ms - (extract(epoch FROM clock_timestamp() - asked_at) * 1000)::int) || 'ms', true);
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', deed);
    END LOOP;
    had_at := clock_timestamp();
    EXECUTE rest INTO STRICT late;
    PERFORM drydock_reclaim.refuse(p_table, asked_at, p_strict AND early + late > 0);
    UPDATE drydock_reclaim.drydock_state SET drained = pg_current_xact_id();
    PERFORM set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true);
    IF before IS DISTINCT FROM drydock_reclaim.describe(p_table) THEN
        RAISE EXCEPTION USING ERRCODE = 'DD001', MESSAGE = 'the table was changed in the last moment';
    END IF;
    FOREACH deed IN ARRAY drops LOOP
        EXECUTE deed;
    END LOOP;

    -- sequences that a column owns go on to serve; one of an identity column is made anew and goes on where the old one is
    FOR one IN
        SELECT drydock_reclaim.full_name(c.oid) AS sequence, a.attname
        FROM pg_depend d
        JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.refobjid = p_table AND d.deptype = 'a'
            AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    LOOP
        EXECUTE format('ALTER SEQUENCE %s OWNED BY NONE', one.sequence);
        deeds := deeds || format('ALTER SEQUENCE %s OWNED BY %s.%I', one.sequence, full_name, one.attname);
    END LOOP;
    IF t.parent IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', t.parent, full_name);
    END IF;
    -- who looked at the table held a lock on it, and is done now: a child, a body or a policy that came since the plan is seen
    IF drydock_reclaim.has_dependents(p_table) THEN
        RAISE EXCEPTION USING ERRCODE = '2BP01', MESSAGE = 'something hangs on the table that would be lost with it';
    END IF;
    EXECUTE format('ALTER TABLE %s SET SCHEMA drydock_reclaim', full_name);
    FOR one IN
        SELECT c.relname
        FROM pg_depend d
        JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
        WHERE d.refobjid = p_table AND d.deptype = 'i' AND t.parent IS NULL
            AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    LOOP
        EXECUTE format('SELECT setval(%L, last_value, is_called) FROM drydock_reclaim.%I',
            format('drydock_reclaim_new.%I', one.relname), one.relname);
    END LOOP;
    EXECUTE format('ALTER TABLE drydock_reclaim_new.%I SET SCHEMA %I', t.relname, t.nspname);
    IF t.parent IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s %s', t.parent, full_name, t.bound);
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT drydock_bound', full_name);
    END IF;
    FOREACH deed IN ARRAY deeds LOOP
        EXECUTE deed;
    END LOOP;
    FOR one IN
        SELECT stxname, stxnamespace::regnamespace::text AS schema FROM pg_statistic_ext WHERE stxrelid = p_table
    LOOP
        EXECUTE format('DROP STATISTICS %s.%I', one.schema, one.stxname);
        EXECUTE format('ALTER STATISTICS drydock_reclaim_new.%I SET SCHEMA %s', one.stxname, one.schema);
    END LOOP;
    IF before IS DISTINCT FROM drydock_reclaim.describe(t.shadow) THEN
        RAISE EXCEPTION USING ERRCODE = 'DD001', MESSAGE = 'the copy is not in everything like the table';
    END IF;
    UPDATE drydock_reclaim.drydock_state SET is_swapped = true,
        before_lock_s = extract(epoch FROM asked_at - statement_timestamp()),
        lock_wait_s = extract(epoch FROM had_at - asked_at),
        lock_held_s = extract(epoch FROM clock_timestamp() - had_at);
END
$$
