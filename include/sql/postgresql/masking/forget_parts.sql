-- purpose: forget parts that were copied from another picture; their rows are gone with the same transaction
-- kind: change
-- engine: postgresql 14-19
-- privileges: the account owns the schema drydock_masking
-- locks: ROW EXCLUSIVE on drydock_masking.parts
-- licence: none
-- binds: run_id (of the ledger)
-- columns: none
-- source: PostgreSQL manual, DELETE
DELETE FROM drydock_masking.parts AS p WHERE p.run_id = %(run_id)s
