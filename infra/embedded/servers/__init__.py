"""The two servers: how each is configured, prepared, started and asked for an answer, and where their files come from.
Way in: `kafka`, `postgres`. Imports: `infra.errors`, `infra.data_dir`, `infra.secret_files`.
"""
