"""Reclaim on Oracle: find segments with room in them, choose how to get it back, do it so that it can be stopped, and check.

Sources: Administrator's Guide 19c, "Managing Space for Schema Objects"; SQL Language Reference 19c, ALTER TABLE; PL/SQL
Packages and Types Reference 19c, DBMS_SPACE; VLDB and Partitioning Guide 19c.
"""
