-- purpose: tell whether a table or one partition holds a row: 0 or 1, of the rows that this moment sees
-- kind: block
-- engine: oracle 11.2-23
-- privileges: SELECT or READ on the table, or its owner
-- locks: none
-- licence: none
-- binds: table (identifier: owner and table), place (PARTITION or SUBPARTITION with its identifier, or nothing), found (out: 0 or 1)
-- columns: none
-- source: PL/SQL Language Reference 19c, SELECT INTO; SQL Language Reference 19c, ROWNUM, partition_extension_clause
BEGIN
    SELECT COUNT(*) INTO :found FROM {table} {place} WHERE ROWNUM = 1;
END;
