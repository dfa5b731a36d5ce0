-- purpose: list the foreign keys that were found violated before the copy; only while there is a copy
-- kind: read
-- engine: postgresql 15-19
-- privileges: made the schema drydock_reclaim
-- locks: none
-- licence: none
-- binds: none
-- columns: name (table and constraint)
-- source: PostgreSQL manual, SELECT
SELECT name FROM drydock_reclaim.drydock_violated ORDER BY name
