-- purpose: make the superuser of one drill in a restored copy whose roles and passwords are unknown to us
-- kind: change
-- engine: postgresql 14-19
-- privileges: superuser (single-user mode of the copy)
-- locks: none
-- licence: none
-- binds: role (identifier: name made for this drill), password (literal: made for this drill)
-- columns: none
-- source: PostgreSQL manual, CREATE ROLE; postgres, "Options for Single-User Mode"
CREATE ROLE {role} SUPERUSER LOGIN PASSWORD {password}
