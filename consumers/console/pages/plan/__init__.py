"""`/plan`: the five-year plan at a glance, as of any number of entries, its pace, and the lists behind it. Entry point:
`routes.routes`. `moment` is which state is shown; `glance`, `chart` and `lists` turn documents into what templates
show, `tables` into CSV; `shown` renders and keeps. Imports: `consumers.console.visit`, `consumers.plan.pace`.
"""
