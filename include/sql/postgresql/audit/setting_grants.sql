-- purpose: tell which accounts were given the right to change a setting of logging
-- kind: read
-- engine: postgresql 15-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: account (a role that may log on and is no superuser), name (setting), privilege (SET or ALTER SYSTEM)
-- source: PostgreSQL manual, pg_parameter_acl; GRANT ON PARAMETER
SELECT DISTINCT
    r.rolname AS account,
    p.parname AS name,
    a.privilege_type AS privilege
FROM pg_parameter_acl AS p
CROSS JOIN LATERAL aclexplode(p.paracl) AS a
JOIN pg_roles AS r
    ON a.grantee = 0 OR pg_has_role(r.oid, a.grantee, 'MEMBER')
WHERE
    r.rolcanlogin
    AND NOT r.rolsuper
    AND (p.parname LIKE 'log\_%' OR p.parname LIKE 'pgaudit.%' OR p.parname LIKE 'auto\_explain.%' OR p.parname = 'logging_collector')
ORDER BY 1, 2, 3
