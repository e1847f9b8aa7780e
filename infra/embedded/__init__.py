"""A real Kafka and a real PostgreSQL with pip alone, as child processes of one supervisor, and the commands `up`,
`down`, `status`. Entry point: `stack.running_stack`. Imports: the rest of `infra`, except `infra.http`.
"""
