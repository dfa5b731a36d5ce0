-- purpose: which of these roles the server of a copy knows
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: roles (names of roles)
-- columns: role (name)
-- source: PostgreSQL manual, pg_roles
SELECT r.rolname::text AS role FROM pg_roles AS r WHERE r.rolname = ANY(%(roles)s) ORDER BY r.rolname
