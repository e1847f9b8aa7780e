"""`/plan`: the five-year plan at a glance, as of any number of entries, its pace, and the lists behind it. `moment` is
which state is shown; `overview`, `chart` and `details` turn documents into what templates show; `page` renders and
keeps. Way in: `routes.routes`.
"""
