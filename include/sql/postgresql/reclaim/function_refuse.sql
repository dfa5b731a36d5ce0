-- purpose: refuse a take-over: the table is not the one that was copied, or somebody would find it empty
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database; pg_read_all_stats
-- locks: none until it is called
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, pg_stat_activity; Transaction Isolation
CREATE FUNCTION drydock_reclaim.refuse(p_table oid, p_asked_at timestamptz, p_is_late boolean) RETURNS void
-- its plans are kept, so that the call under the lock does not make them anew
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    t record;
BEGIN
    -- under any other level all of the take-over is done with the snapshot from before its locks were had: what was written
    -- while it waited would be lost
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION USING ERRCODE = '25001', MESSAGE = 'a take-over needs read committed';
    END IF;
    SELECT s.filenode, s.columns, s.drained, s.full_name INTO t FROM drydock_reclaim.drydock_state s WHERE s.original = p_table;
    IF NOT EXISTS (
        SELECT FROM pg_class c
        JOIN pg_trigger g ON g.tgrelid = c.oid AND g.tgname = 'drydock_note' AND g.tgenabled = 'A'
        WHERE c.oid = p_table AND c.relfilenode = t.filenode AND drydock_reclaim.full_name(c.oid) = t.full_name
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'DD002', MESSAGE = 'the table was written anew by someone else';
    END IF;
    -- a column that was dropped and made anew under its name is empty now, and no row was written for that
    IF drydock_reclaim.column_numbers(p_table) <> t.columns THEN
        RAISE EXCEPTION USING ERRCODE = 'DD001', MESSAGE = 'the columns are not those that were copied';
    END IF;
    -- a transaction that goes on with a snapshot from before the rows of the copy were committed would find a table without
    -- them, and no error; it ends, or the lock was not had. Who looked at the table already holds a lock, and is waited for.
    -- Where this take-over itself carries rows (p_is_late), a younger snapshot would miss these: of a transaction that is busy
    -- nobody tells whether it keeps its snapshot for its next statement, so one that had statements before is taken to do so;
    -- but for those that wait for a lock, mostly for ours: else who writes all the time would never let us have it
    -- Who may not see the sessions of others would find nobody
    IF NOT pg_has_role('pg_read_all_stats', 'USAGE') THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'a take-over needs the role pg_read_all_stats';
    END IF;
    PERFORM pg_stat_clear_snapshot();
    IF EXISTS (
        SELECT FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
            AND a.backend_xmin IS NOT NULL
            AND CASE WHEN a.state = 'active'
                AND (NOT p_is_late OR a.xact_start >= a.query_start OR a.wait_event_type IS NOT DISTINCT FROM 'Lock')
                THEN a.xact_start < statement_timestamp() AND age(a.backend_xmin) >= age(t.drained::xid)
                -- a session that turned track_activities off does not tell since when: it is older
                ELSE coalesce(a.xact_start, '-infinity') < p_asked_at END
    ) THEN
        RAISE EXCEPTION USING ERRCODE = '55P03', MESSAGE = 'a transaction with an older snapshot is still open';
    END IF;
END
$$
