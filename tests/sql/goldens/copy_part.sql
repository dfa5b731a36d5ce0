INSERT INTO drydock_parts (run_id, generation, schema_name, name, first_page, end_page, rows_copied, bytes_copied, elapsed_s)
VALUES (:run_id, :generation, :schema_name, :name, :first_page, :end_page, :rows_copied, :bytes_copied, :elapsed_s)
