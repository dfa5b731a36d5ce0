-- purpose: make the empty copy of a table: columns, defaults, identity, checks, storage, owner, tablespace
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE (LIKE); Storage Parameters
CREATE FUNCTION drydock_reclaim.make_shadow(p_table oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t record;
    option record;
    shadow text;
BEGIN
    SELECT c.relname, c.relispartition, c.relowner, c.relfilenode, pg_get_partition_constraintdef(c.oid) AS bound,
        pg_get_userbyid(c.relowner) AS owner, m.amname,
        (SELECT spcname FROM pg_tablespace s
         WHERE s.oid = coalesce(nullif(c.reltablespace, 0),
             (SELECT dattablespace FROM pg_database WHERE datname = current_database()))) AS space
    INTO STRICT t
    FROM pg_class c
    JOIN pg_am m ON m.oid = c.relam
    WHERE c.oid = p_table;
    shadow := format('drydock_reclaim_new.%I', t.relname);
    EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS%s) USING %I TABLESPACE %I',
        shadow, drydock_reclaim.full_name(p_table),
        CASE WHEN t.relispartition THEN ' EXCLUDING IDENTITY' ELSE '' END, t.amname, t.space);
    FOR option IN
        SELECT format('%I = %L', option_name, option_value) AS setting
        FROM pg_class c, pg_options_to_table(c.reloptions)
        WHERE c.oid = p_table
        UNION ALL
        SELECT format('toast.%I = %L', option_name, option_value)
        FROM pg_class c
        JOIN pg_class s ON s.oid = c.reltoastrelid
        CROSS JOIN LATERAL pg_options_to_table(s.reloptions)
        WHERE c.oid = p_table
    LOOP
        EXECUTE format('ALTER TABLE %s SET (%s)', shadow, option.setting);
    END LOOP;
    IF t.bound IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT drydock_bound CHECK (%s)', shadow, t.bound);
    END IF;
    IF t.owner <> current_user THEN
        EXECUTE format('GRANT USAGE, CREATE ON SCHEMA drydock_reclaim_new TO %I', t.owner);
        EXECUTE format('ALTER TABLE %s OWNER TO %I', shadow, t.owner);
        -- the owner must not reach his copy: a trigger that he put on it would run with our rights
        EXECUTE format('REVOKE ALL ON SCHEMA drydock_reclaim_new FROM %I', t.owner);
    END IF;
    INSERT INTO drydock_reclaim.drydock_state (original, filenode, shadow, is_swapped, columns, full_name)
        VALUES (p_table, t.relfilenode, shadow::regclass, false,
        drydock_reclaim.column_numbers(p_table), drydock_reclaim.full_name(p_table));
END
$$
