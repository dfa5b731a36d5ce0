DELETE FROM drydock_parts
