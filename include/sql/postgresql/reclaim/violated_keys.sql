-- purpose: write down the foreign keys of a table that its rows violate; reads all rows of both tables of each key
-- kind: change
-- engine: postgresql 15-19
-- privileges: made the schema drydock_reclaim; owner of the tables or member of their owner
-- locks: ACCESS SHARE on the tables of its foreign keys
-- licence: none
-- binds: table (oid of the table)
-- columns: none
-- source: PostgreSQL manual, CREATE TABLE (REFERENCES)
INSERT INTO drydock_reclaim.drydock_violated SELECT unnest(drydock_reclaim.violated_keys(%(table)s::oid))
