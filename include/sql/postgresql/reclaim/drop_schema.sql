-- purpose: drop a schema of Drydock's own with all that is in it (never while a table that a copy replaced lies there), and with it the trigger on the table that was copied
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: ACCESS EXCLUSIVE for a moment on the table that still carries the trigger
-- licence: none
-- binds: schema (identifier: drydock_reclaim or drydock_reclaim_new)
-- columns: none
-- source: PostgreSQL manual, DROP SCHEMA
DROP SCHEMA IF EXISTS {schema} CASCADE
