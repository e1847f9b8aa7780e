"""What the platform decided goes to its own topic; what the log says of campaigns goes to the teams. Way in:
`relay.Relay`. Imports: `consumers.commitments`.
"""
