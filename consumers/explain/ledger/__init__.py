"""What a person checks about a partnership's money: a statement that proves itself, and the same history under other
terms. Way in: `commands.ledger`.
"""
