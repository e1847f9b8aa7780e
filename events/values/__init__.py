"""Values that carry a rule of their own: money in halalas, dates in both calendars, periods, working days, JSON
pointers, and the search for personal data. Way in: the module of the value, e.g. `events.values.money`. Imports:
`events.errors`.
"""
