-- purpose: tell settings of logging that one role or one database has otherwise than the server
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: role (empty: every role), database (empty: every database), name (setting), value (its value there)
-- source: PostgreSQL manual, pg_db_role_setting
SELECT
    coalesce(r.rolname, '') AS role,
    coalesce(d.datname, '') AS database,
    split_part(o.entry, '=', 1) AS name,
    substr(o.entry, strpos(o.entry, '=') + 1) AS value
FROM pg_db_role_setting AS s
CROSS JOIN LATERAL unnest(s.setconfig) AS o (entry)
LEFT JOIN pg_roles AS r ON r.oid = s.setrole
LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
WHERE
    o.entry LIKE 'log\_%'
    OR o.entry LIKE 'pgaudit.%'
    OR o.entry LIKE 'auto\_explain.%'
    OR o.entry LIKE 'session\_preload\_libraries=%'
    OR o.entry LIKE 'local\_preload\_libraries=%'
ORDER BY 1, 2, 3
