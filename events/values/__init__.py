"""Values with rules of their own: money in halalas, dates in both calendars, periods, working days, JSON pointers, and
the search for personal data. Entry point: the value's module, e.g. `events.values.money`. Imports: `events.errors`.
"""
