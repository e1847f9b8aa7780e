"""What follows from the log in the platform's database, from seals and from migrations, compared with what is there.
Way in: `database.compare_database`, `catalog.compare_catalog`.
"""
