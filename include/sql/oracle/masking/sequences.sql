-- purpose: list the sequences of one schema; the numbers that identity columns use too
-- kind: read
-- engine: oracle 11.2-23
-- privileges: SELECT ON SYS.DBA_SEQUENCES
-- locks: none
-- licence: none
-- binds: owner (schema)
-- columns: name (name), minimum (least value), maximum (greatest value), increment_by (step), cycles (Y, N), cache_size (numbers held ready), last_number (the next one to be written to disk)
-- source: Database Reference 19c, DBA_SEQUENCES
SELECT
    s.sequence_name AS name,
    s.min_value AS minimum,
    s.max_value AS maximum,
    s.increment_by AS increment_by,
    s.cycle_flag AS cycles,
    s.cache_size AS cache_size,
    s.last_number AS last_number
FROM dba_sequences s
WHERE s.sequence_owner = :owner
ORDER BY s.sequence_name
