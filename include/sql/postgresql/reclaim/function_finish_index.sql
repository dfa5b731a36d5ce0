-- purpose: make an index of the copy what it is on the table: a constraint, the one that the table is clustered on, with its comments
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE (ADD table_constraint_using_index); ALTER INDEX
CREATE FUNCTION drydock_reclaim.finish_index(p_table oid, p_index oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    x record;
    shadow text := (SELECT format('drydock_reclaim_new.%I', relname) FROM pg_class WHERE oid = p_table);
    column_target record;
BEGIN
    -- nobody waits for the disk of this commit: see start_log
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT c.relname, i.indisclustered, i.indisreplident, m.amname,
        k.conname, k.contype, k.condeferrable, k.condeferred,
        (SELECT string_agg(format('%I = %L', option_name, option_value), ', ') FROM pg_options_to_table(c.reloptions)) AS options,
        pg_get_constraintdef(k.oid) AS constraint_definition, obj_description(c.oid, 'pg_class') AS told,
        obj_description(k.oid, 'pg_constraint') AS constraint_told, coalesce(s.spcname, '') AS space
    INTO STRICT x
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam
    LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = p_table AND k.contype IN ('p', 'u', 'x')
    LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
    WHERE i.indexrelid = p_index AND i.indrelid = p_table;
    PERFORM set_config('default_tablespace', x.space, true);
    IF x.amname <> 'btree' AND x.conname IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', shadow, x.conname, x.constraint_definition);
        IF x.options IS NOT NULL THEN
            EXECUTE format('ALTER INDEX drydock_reclaim_new.%I SET (%s)', x.relname, x.options);
        END IF;
    ELSIF x.conname IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I%s%s', shadow, x.conname,
            CASE x.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, x.relname,
            CASE WHEN x.condeferrable THEN ' DEFERRABLE' ELSE '' END,
            CASE WHEN x.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END);
    END IF;
    IF x.told IS NOT NULL THEN
        EXECUTE format('COMMENT ON INDEX drydock_reclaim_new.%I IS %L', x.relname, x.told);
    END IF;
    IF x.constraint_told IS NOT NULL THEN
        EXECUTE format('COMMENT ON CONSTRAINT %I ON %s IS %L', x.conname, shadow, x.constraint_told);
    END IF;
    IF x.indisclustered THEN
        EXECUTE format('ALTER TABLE %s CLUSTER ON %I', shadow, x.relname);
    END IF;
    IF x.indisreplident THEN
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', shadow, x.relname);
    END IF;
    FOR column_target IN
        SELECT attnum, attstattarget FROM pg_attribute WHERE attrelid = p_index AND attstattarget >= 0
    LOOP
        EXECUTE format('ALTER INDEX drydock_reclaim_new.%I ALTER COLUMN %s SET STATISTICS %s', x.relname,
            column_target.attnum, column_target.attstattarget);
    END LOOP;
    PERFORM set_config('default_tablespace', '', true);
END
$$
