"""The two servers: configuration, preparation, start, probe, and the origin of their files. Entry points: `kafka`,
`postgres`. Imports: `infra.errors`, `infra.data_dir`, `infra.secret_files`.
"""
