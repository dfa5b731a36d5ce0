-- purpose: estimate from statistics how much space an index over these columns would take; nothing is made
-- kind: block
-- engine: oracle 11.2-23
-- privileges: ANALYZE ANY, or owner of the table; and CREATE ANY INDEX, or INDEX on the table: the statement is explained
-- locks: none
-- licence: none
-- binds: index (name of an index that is never made, with its owner, quoted), table (with its owner, quoted), keys (columns, quoted, apart by commas), used_bytes (out: of the entries), alloc_bytes (out: of the segment)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_SPACE.CREATE_INDEX_COST: from statistics, so old ones give old figures
BEGIN
    dbms_space.create_index_cost(
        ddl => 'CREATE INDEX ' || :index || ' ON ' || :table || ' (' || :keys || ')',
        used_bytes => :used_bytes,
        alloc_bytes => :alloc_bytes
    );
END;
