-- purpose: build one index of a table on its copy, under its own name; some of them at a time, each in a session of its own
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE INDEX (parallel builds); Resource Consumption (maintenance_work_mem, max_parallel_maintenance_workers)
CREATE FUNCTION drydock_reclaim.build_index(p_table oid, p_index oid, p_abreast int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    x record;
    shadow text := (SELECT format('drydock_reclaim_new.%I', relname) FROM pg_class WHERE oid = p_table);
BEGIN
    -- nobody waits for the disk of this commit: see start_log
    PERFORM set_config('synchronous_commit', 'off', true);
    -- all sessions together take no more processes and memory than the server gives to one CREATE INDEX
    PERFORM set_config('max_parallel_maintenance_workers',
        greatest(0, (1 + current_setting('max_parallel_maintenance_workers')::int) / p_abreast - 1)::text, true);
    PERFORM set_config('maintenance_work_mem',
        greatest(1024, (SELECT setting::int FROM pg_settings WHERE name = 'maintenance_work_mem') / p_abreast) || 'kB', true);
    SELECT c.relname, pg_get_indexdef(c.oid) AS definition, coalesce(s.spcname, '') AS space,
        format('CREATE %sINDEX %I ON ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname) AS beginning,
        m.amname <> 'btree' AND EXISTS (SELECT FROM pg_constraint k
            WHERE k.conindid = c.oid AND k.conrelid = p_table AND k.contype IN ('p', 'u', 'x')) AS comes_with_constraint
    INTO STRICT x
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam
    LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
    WHERE i.indexrelid = p_index AND i.indrelid = p_table;
    IF x.comes_with_constraint THEN
        RETURN; -- it keeps all others off the copy: finish_index makes it
    END IF;
    IF NOT starts_with(x.definition, x.beginning || drydock_reclaim.full_name(p_table) || ' USING ') THEN
        RAISE EXCEPTION USING ERRCODE = 'DD001', MESSAGE = 'the definition of an index is not understood';
    END IF;
    PERFORM set_config('default_tablespace', x.space, true);
    EXECUTE x.beginning || shadow || substr(x.definition, length(x.beginning || drydock_reclaim.full_name(p_table)) + 1);
END
$$
