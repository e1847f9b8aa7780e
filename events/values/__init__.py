"""Values with rules of their own: money in halalas, dates in both calendars, periods, working days, JSON pointers,
texts in two languages, and the search for personal data. Way in: the value's module, such as `money`.
"""
