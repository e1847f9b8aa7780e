"""What people and programs read of each noun of the programme: a typed document, from which every surface is made. Way
in: `programme.directory.Service`, `document.fields`, `tables.grid`.
"""
