"""A real Kafka and a real PostgreSQL with pip alone, as child processes of one supervisor, and the commands `up`,
`down`, `status`. Way in: `stack.running_stack`.
"""
