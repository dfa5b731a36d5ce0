-- purpose: put an empty partition of the copy into its table
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: parent (identifier: the table above), partition (identifier: the partition), bound (definition: its bound)
-- columns: none
-- source: PostgreSQL manual, ALTER TABLE
ALTER TABLE {parent} ATTACH PARTITION {partition} {bound}
