-- purpose: say whether a table is there
-- kind: read
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: relation (literal: quoted name of the table)
-- columns: is_there (true or false)
-- source: PostgreSQL manual, System Information Functions: to_regclass
SELECT to_regclass({relation}) IS NOT NULL AS is_there
