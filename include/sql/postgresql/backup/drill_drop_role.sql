-- purpose: make way for the account of one drill in a restored copy, should an attempt that was cut off have made it
-- kind: change
-- engine: postgresql 14-19
-- privileges: superuser (single-user mode of the copy)
-- locks: none
-- licence: none
-- binds: role (identifier: name made for this drill)
-- columns: none
-- source: PostgreSQL manual, DROP ROLE; postgres, "Options for Single-User Mode"
DROP ROLE IF EXISTS {role}
