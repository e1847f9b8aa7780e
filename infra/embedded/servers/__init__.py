"""The two servers: configuration, preparation, start, probe, and the origin of their files. Way in: `kafka`,
`postgres`.
"""
