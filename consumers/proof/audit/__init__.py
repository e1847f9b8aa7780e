"""What an auditor does with a log that is elsewhere: mirrors it, verifies it, proves and exports entries, through a
port of four methods; imports no writer and no database. Way in: `source.open_source`, `mirror.write_mirror`.
"""
