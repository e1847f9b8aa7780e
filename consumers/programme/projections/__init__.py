"""The plan at a glance: projects, services, training, activity, anomalies. Its plan is that of every consumer:
`consumer`, `handlers/`, tables in SQL, `read`, `show`, `commands`. Way in: `consumer.CONSUMER`.
"""
