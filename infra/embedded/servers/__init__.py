"""The two servers: configuration, preparation, start, probe, and the origin of their files. Way in: `kafka`,
`postgres`. Imports: `infra.data_dir`, `infra.errors`, `infra.secret_files`.
"""
