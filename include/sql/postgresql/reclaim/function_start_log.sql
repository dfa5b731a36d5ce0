-- purpose: let a trigger write down the key of each row that is changed from now on
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none until it is called
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE TRIGGER; Writing SECURITY DEFINER Functions Safely
CREATE FUNCTION drydock_reclaim.start_log(p_table oid, p_patient_ms int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    full_name text := drydock_reclaim.full_name(p_table);
    old_key text := drydock_reclaim.key_columns(p_table, 'OLD.');
    new_key text := drydock_reclaim.key_columns(p_table, 'NEW.');
    limit_ms int;
    asked_at timestamptz;
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
    -- nobody waits for the disk of this commit: a crash that loses it loses the copy too, and nothing else
    PERFORM set_config('synchronous_commit', 'off', true);
    -- VACUUM and DDL first, while readers and writers go on: this lock keeps nobody else out, and an automatic VACUUM gives way
    limit_ms := (SELECT setting FROM pg_settings WHERE name = 'lock_timeout')::int;
    PERFORM set_config('lock_timeout', p_patient_ms || 'ms', true);
    EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', full_name);
    PERFORM set_config('lock_timeout', limit_ms || 'ms', true);
    asked_at := clock_timestamp();
    EXECUTE format('CREATE TRIGGER drydock_note AFTER INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION drydock_reclaim.drydock_note()', full_name);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER drydock_note', full_name);
    UPDATE drydock_reclaim.drydock_state SET before_lock_s = extract(epoch FROM asked_at - statement_timestamp());
END
$$
