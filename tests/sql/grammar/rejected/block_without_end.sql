BEGIN dbms_stats.gather_table_stats(ownname => :owner);
