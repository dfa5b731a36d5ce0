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
