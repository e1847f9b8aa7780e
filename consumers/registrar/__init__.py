"""The only writer of the national log: reads the agencies' topics, gives each record its verdict, numbers, hashes,
signs and ships. Way in: `registrar.Registrar`.
"""
