"""What the programme is to reach and what it reached: the plan, services, projects, what happened to them, activity.
Way in: `plan.Plan`, `directory.Service`, `directory.Project`.
"""
