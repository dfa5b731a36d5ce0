-- purpose: let a trigger write down the key of each row that is changed from now on
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none until it is called
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE TRIGGER; Writing SECURITY DEFINER Functions Safely
CREATE FUNCTION drydock_reclaim.start_log(p_table oid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    full_name text := drydock_reclaim.full_name(p_table);
    old_key text := drydock_reclaim.key_columns(p_table, 'OLD.');
    new_key text := drydock_reclaim.key_columns(p_table, 'NEW.');
BEGIN
    EXECUTE format('CREATE TABLE drydock_reclaim.drydock_changes AS SELECT %s FROM ONLY %s WITH NO DATA',
        drydock_reclaim.key_columns(p_table, ''), full_name);
    -- runs as the owner of the log, so that who writes to the table needs no right on it; uses nothing that is looked up by name
    EXECUTE format('CREATE FUNCTION drydock_reclaim.drydock_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS %L', format(
        'BEGIN'
        ' IF TG_OP OPERATOR(pg_catalog.=) ''INSERT'' THEN INSERT INTO drydock_reclaim.drydock_changes VALUES (%2$s);'
        ' ELSE INSERT INTO drydock_reclaim.drydock_changes VALUES (%1$s);'
        ' IF TG_OP OPERATOR(pg_catalog.=) ''UPDATE'' THEN'
        ' IF ROW(%1$s)::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(%2$s)::pg_catalog.record THEN'
        ' INSERT INTO drydock_reclaim.drydock_changes VALUES (%2$s); END IF; END IF; END IF;'
        ' RETURN NULL; END', old_key, new_key));
    EXECUTE format('CREATE TRIGGER drydock_note AFTER INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION drydock_reclaim.drydock_note()', full_name);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER drydock_note', full_name);
END
$$
