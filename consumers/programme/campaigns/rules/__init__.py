"""The campaign rules: one YAML file a rule, what a rule may say, and which rules are in force. Way in:
`in_force.rules_in_force`.
"""
