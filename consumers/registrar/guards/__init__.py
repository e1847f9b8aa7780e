"""What must hold before the registrar takes over, commits or signs: the checkpoints kept outside PostgreSQL, and the
clocks. Way in: `continuation.require_continuation`, `clocks.ClockCheck`.
"""
