"""A real Kafka and a real PostgreSQL with pip alone, as child processes of one supervisor, and the commands `up`,
`down`, `status`. Way in: `stack.running_stack`. Imports: `infra.command_line`, `infra.data_dir`, `infra.errors`,
`infra.http`, `infra.kafka`, `infra.keys`, `infra.log`, `infra.observability`, `infra.postgres`, `infra.principals`,
`infra.process`, `infra.secret_files`, `infra.settings`, `infra.tls`.
"""
