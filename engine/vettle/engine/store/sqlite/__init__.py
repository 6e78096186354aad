"""SQLite through apsw: the default database, one file per project.

The only package that opens the database file. apsw bundles its own SQLite (at least 3.51.3, which has no
WAL-reset bug), and a second SQLite library in the same process would drop our locks on the file.
"""
