"""What was aired about each launched service, and what was not. Way in: `commands.coverage_command`,
`read.coverage`.
"""
