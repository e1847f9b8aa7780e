"""What can be wrong with a record: the closed list of codes, a fault with its JSON pointer, and the sentences in
English and Arabic. Way in: `problems`, `findings.finding`.
"""
