-- purpose: check a foreign key anew against the rows, which releases it from NOT VALID
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner
-- locks: SHARE UPDATE EXCLUSIVE on the table, ROW SHARE on the referenced one: nobody who reads or writes waits
-- licence: none
-- binds: table (identifier: the table with its schema), name (identifier: the constraint)
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE (VALIDATE CONSTRAINT)
ALTER TABLE {table} VALIDATE CONSTRAINT {name}
