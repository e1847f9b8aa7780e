"""What `make setup` runs before anything is installed, with the standard library only. Way in: `prerequisites.main`,
`phase.main`.
"""
