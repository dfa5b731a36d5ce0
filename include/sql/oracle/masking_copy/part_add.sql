-- purpose: write down that a part is copied, in the transaction that puts its rows into their table
-- kind: change
-- engine: oracle 12.1-23
-- privileges: none beyond CREATE SESSION
-- locks: row exclusive on the table
-- licence: none
-- binds: run_id (of the ledger), generation (of the picture), schema_name (of the source), name (segment of the source), first_page (first extent), end_page (extent after the last; -1: to the end), rows_copied (rows), bytes_copied (bytes), elapsed_s (seconds)
-- columns: none
-- source: SQL Language Reference 19c, INSERT
INSERT INTO drydock_parts (run_id, generation, schema_name, name, first_page, end_page, rows_copied, bytes_copied, elapsed_s)
VALUES (:run_id, :generation, :schema_name, :name, :first_page, :end_page, :rows_copied, :bytes_copied, :elapsed_s)
