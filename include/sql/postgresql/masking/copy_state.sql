-- purpose: what Drydock knows of this database as a target of copies: whose it is, and whether it holds anything else
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: identity (system identifier), database (its name), is_marked (the schema drydock_masking is there), is_marker_own (this account owns it), user_tables (tables outside of Drydock schemas), is_standby (true: in recovery)
-- source: PostgreSQL manual, pg_namespace, pg_class, pg_control_system()
SELECT
    s.system_identifier::text AS identity,
    current_database()::text AS database,
    EXISTS (SELECT 1 FROM pg_namespace AS n WHERE n.nspname = 'drydock_masking') AS is_marked,
    EXISTS (
        SELECT 1 FROM pg_namespace AS n WHERE n.nspname = 'drydock_masking' AND pg_get_userbyid(n.nspowner) = current_user
    ) AS is_marker_own,
    (
        SELECT count(*)
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE
            c.relkind IN ('r', 'p', 'f', 'm')
            AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
            AND n.nspname !~ '^drydock_|^pg_temp_|^pg_toast_temp_'
            AND NOT EXISTS (
                SELECT 1 FROM pg_depend AS d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
            )
    ) AS user_tables,
    pg_is_in_recovery() AS is_standby
FROM pg_control_system() AS s
