-- purpose: tell which accounts can switch logging off, or change the log's files, and through what
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: account (a role that may log on), through (superuser, pg_write_server_files, pg_execute_server_program, CREATEROLE)
-- source: PostgreSQL manual, Predefined Roles; Role Attributes (before 16 a role with CREATEROLE may give itself any role but a superuser)
SELECT
    r.rolname AS account,
    g.through
FROM pg_roles AS r
CROSS JOIN LATERAL (
    SELECT
        r.rolsuper
        OR EXISTS (SELECT 1 FROM pg_roles AS s WHERE s.rolsuper AND pg_has_role(r.oid, s.oid, 'MEMBER')) AS is_super
) AS t
CROSS JOIN LATERAL (
    SELECT 'superuser' AS through WHERE t.is_super
    UNION ALL
    SELECT p.rolname::text
    FROM pg_roles AS p
    WHERE
        NOT t.is_super
        AND p.rolname IN ('pg_write_server_files', 'pg_execute_server_program')
        AND pg_has_role(r.oid, p.oid, 'MEMBER')
    UNION ALL
    SELECT 'CREATEROLE'
    WHERE NOT t.is_super AND r.rolcreaterole AND current_setting('server_version_num')::int < 160000
) AS g
WHERE r.rolcanlogin
ORDER BY 1, 2
