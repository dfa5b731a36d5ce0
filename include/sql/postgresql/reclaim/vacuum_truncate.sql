-- purpose: give the empty pages at the end of a table back to the disk, and make the rest usable again
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table, member of its owner, or MAINTAIN from 17
-- locks: SHARE UPDATE EXCLUSIVE; ACCESS EXCLUSIVE for moments, given up when somebody waits
-- licence: none
-- binds: table (identifier: the table with its schema)
-- columns: none
-- source: PostgreSQL manual, VACUUM
VACUUM (TRUNCATE TRUE, SKIP_LOCKED FALSE) {table}
