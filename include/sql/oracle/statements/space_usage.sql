-- purpose: count the blocks of a segment by how full they are, in a tablespace with automatic segment space management
-- kind: block
-- engine: oracle 11.2-23
-- privileges: ANALYZE ANY, or owner of the segment
-- locks: none
-- licence: none
-- binds: owner (of the segment), name (of the segment), type (TABLE, TABLE PARTITION, INDEX, ...), partition (name, or null), unformatted_blocks (out), unformatted_bytes (out), fs1_blocks (out: 0 to 25 % free), fs1_bytes (out), fs2_blocks (out: 25 to 50 % free), fs2_bytes (out), fs3_blocks (out: 50 to 75 % free), fs3_bytes (out), fs4_blocks (out: 75 to 100 % free), fs4_bytes (out), full_blocks (out), full_bytes (out)
-- columns: none
-- source: PL/SQL Packages and Types Reference 19c, DBMS_SPACE.SPACE_USAGE
BEGIN
    dbms_space.space_usage(
        segment_owner => :owner,
        segment_name => :name,
        segment_type => :type,
        unformatted_blocks => :unformatted_blocks,
        unformatted_bytes => :unformatted_bytes,
        fs1_blocks => :fs1_blocks,
        fs1_bytes => :fs1_bytes,
        fs2_blocks => :fs2_blocks,
        fs2_bytes => :fs2_bytes,
        fs3_blocks => :fs3_blocks,
        fs3_bytes => :fs3_bytes,
        fs4_blocks => :fs4_blocks,
        fs4_bytes => :fs4_bytes,
        full_blocks => :full_blocks,
        full_bytes => :full_bytes,
        partition_name => :partition
    );
END;
