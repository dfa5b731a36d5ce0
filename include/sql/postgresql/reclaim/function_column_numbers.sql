-- purpose: give the numbers of the columns: a column dropped and made anew under its name has another one
-- kind: change
-- engine: postgresql 15-19
-- privileges: owner of the table or member of its owner; CREATE on the database
-- locks: none beyond catalogue rows
-- licence: none
-- binds: none
-- columns: none
-- source: PostgreSQL manual, CREATE FUNCTION; ALTER TABLE, DROP COLUMN
CREATE FUNCTION drydock_reclaim.column_numbers(p_table oid) RETURNS int2[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(attnum ORDER BY attnum), '{}')
    FROM pg_attribute
    WHERE attrelid = p_table AND attnum > 0 AND NOT attisdropped
$$
