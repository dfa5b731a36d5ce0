BEGIN
    dbms_space.create_index_cost(
        ddl => 'CREATE INDEX ' || :index || ' ON ' || :table || ' (' || :keys || ')',
        used_bytes => :used_bytes,
        alloc_bytes => :alloc_bytes
    );
END;
