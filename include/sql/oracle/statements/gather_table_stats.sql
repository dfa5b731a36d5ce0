-- purpose: gather the statistics of a table, or of one of its partitions
-- kind: block
-- engine: oracle 11.2-23
-- privileges: ANALYZE ANY, or owner of the table
-- locks: none that DML waits for
-- licence: none
-- binds: owner (quoted name of the owner), name (quoted name of the table), partition (quoted name of the partition, or null), granularity (PARTITION, AUTO, ...), degree (number, null: of the table), cascade (literal: TRUE, FALSE)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_STATS.GATHER_TABLE_STATS
BEGIN
    dbms_stats.gather_table_stats(
        ownname => :owner,
        tabname => :name,
        partname => :partition,
        granularity => :granularity,
        degree => :degree,
        cascade => {cascade},
        force => FALSE
    );
END;
