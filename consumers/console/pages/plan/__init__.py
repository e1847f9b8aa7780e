"""`/plan`: the five-year plan at a glance, as of any number of entries, its pace, and the lists behind it. `moment` is
which state is shown; `glance`, `chart` and `lists` turn documents into what templates show, `tables` into CSV;
`shown` renders and keeps. Way in: `routes.routes`.
"""
