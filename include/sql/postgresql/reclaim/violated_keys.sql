-- purpose: name the foreign keys of a table that its rows violate; reads all rows of both tables of each key
-- kind: read
-- engine: postgresql 15-19
-- privileges: made the schema drydock_reclaim; owner of the tables or member of their owner
-- locks: ACCESS SHARE on the tables of its foreign keys
-- licence: none
-- binds: table (oid of the table)
-- columns: keys (table and name of each)
-- source: PostgreSQL manual, CREATE TABLE (REFERENCES)
SELECT drydock_reclaim.violated_keys(%(table)s::oid) AS keys
