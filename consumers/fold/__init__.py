"""What a consumer is: the rows it keeps, the keys a batch needs, the pure fold; and a replay of the log through it.
Way in: `consumer.Consumer`, `replay.replay`. Imports: `infra`, `events`, `consumers.audit`.
"""
