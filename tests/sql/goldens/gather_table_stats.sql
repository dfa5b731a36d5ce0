BEGIN
    dbms_stats.gather_table_stats(
        ownname => :owner,
        tabname => :name,
        partname => :partition,
        granularity => :granularity,
        degree => :degree,
        cascade => FALSE,
        force => FALSE
    );
END;
