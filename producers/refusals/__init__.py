"""What was refused: list it, correct it, send it again. Way in: `commands` (`yesser refusals`). Imports:
`producers.publisher`.
"""
