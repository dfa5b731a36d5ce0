-- purpose: make the index of a partition a part of the index above
-- kind: change
-- engine: postgresql 14-19
-- privileges: ownership of what is made
-- locks: none on anything that others use
-- licence: none
-- binds: parent (identifier: the index above), index (identifier: the index of the partition)
-- columns: none
-- source: PostgreSQL manual, ALTER INDEX
ALTER INDEX {parent} ATTACH PARTITION {index}
