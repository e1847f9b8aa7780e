"""The door: one record in, one verdict out. A quick check accepts; what it does not accept takes the full way, which
lists every fault. Way in: `door.validate` (registrar) and `door.validate_form` (gateway). Imports: `events.types`,
`events.wire`, `events.values`.
"""
