-- purpose: write a table and its indexes anew while nobody else can use it
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table, member of its owner, or MAINTAIN from 17
-- locks: ACCESS EXCLUSIVE on the table for the whole time
-- licence: none
-- binds: table (identifier: the table with its schema)
-- columns: none
-- source: PostgreSQL manual, VACUUM
VACUUM (FULL TRUE, ANALYZE TRUE) {table}
